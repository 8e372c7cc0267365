"""`recorder-sync recordings mark`, `bookmark`, `document` and `items`: what people say of
recordings."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from recorder_sync.catalogue.marks import bookmark_json, bookmarks_of, marks_json, marks_of
from recorder_sync.cli.screen import facts, messages, print_json, table
from recorder_sync.cli.session import station_of, writing_station_of
from recorder_sync.cli.typed import By, Json, person
from recorder_sync.custodian.marking import mark as put_mark
from recorder_sync.custodian.marking import set_bookmark, withdraw_bookmark
from recorder_sync.document_json import document_json
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.rules.access import Secrecy
from recorder_sync.rules.marks import Bookmark, BookmarkKind, Change, Item, Markable, Marks
from recorder_sync.rules.stage import Stage
from recorder_sync.station import Station

_Recording = Annotated[str, typer.Argument(metavar="ID", help=tr("Id, or its start."))]
_Reason = Annotated[str | None, typer.Option(help=tr("The reason; needed to take a mark back."))]


def mark(
    context: typer.Context,
    recording: _Recording,
    important: Annotated[
        bool | None, typer.Option("--important/--not-important", help=tr("Important or not."))
    ] = None,
    notified: Annotated[
        bool, typer.Option("--notified", help=tr("The person was told of the recorder."))
    ] = False,
    second: Annotated[float | None, typer.Option(help=tr("At which second that is heard."))] = None,
    stage: Annotated[Stage | None, typer.Option(help=tr("Stage of the enforcement."))] = None,
    item: Annotated[str | None, typer.Option(help=tr("Item of the stage, such as 7.3."))] = None,
    secrecy: Annotated[Secrecy | None, typer.Option(help=tr("Secrecy class."))] = None,
    clear: Annotated[list[Markable] | None, typer.Option(help=tr("Take this mark back."))] = None,
    by: By = None,
    reason: _Reason = None,
    json: Json = False,
) -> None:
    change = Change(
        important, notified, second, stage, item, secrecy, cleared=frozenset(clear or ())
    )
    if change == Change():
        raise UsageProblem(T("There is nothing to mark."), T("Give one of the options."))
    if second is not None and not notified:
        raise UsageProblem(T("A second of what?"), T("Give --notified as well."))
    with writing_station_of(context) as station:
        after = put_mark(station, recording, change, person(by, station), reason)
        if json:
            print_json(marks_json(after))
        else:
            facts(marks_facts(after, station.settings.marks.known))


def bookmark(
    context: typer.Context,
    recording: _Recording,
    second: Annotated[float | None, typer.Argument(help=tr("Seconds from the beginning."))] = None,
    kind: Annotated[
        BookmarkKind, typer.Option(help=tr("What the moment shows."))
    ] = BookmarkKind.OTHER,
    note: Annotated[str | None, typer.Option(help=tr("A few words."))] = None,
    withdraw: Annotated[
        int | None, typer.Option(metavar="NUMBER", help=tr("Take this bookmark back."))
    ] = None,
    by: By = None,
    reason: _Reason = None,
    json: Json = False,
) -> None:
    if (second is None) == (withdraw is None):
        raise UsageProblem(
            T("Either a bookmark is set or one is taken back."),
            T("Give a second, or --withdraw with the number of a bookmark."),
        )
    with writing_station_of(context) as station:
        who = person(by, station)
        if second is not None:
            made = set_bookmark(station, recording, second, kind, note, who)
            if json:
                print_json(bookmark_json(made))
            else:
                messages.print(T("Bookmark {number} is set.", number=made.number).shown)
        elif withdraw is not None:
            withdraw_bookmark(station, recording, withdraw, who, reason or "")
            if json:
                print_json({"withdrawn": withdraw})
            else:
                messages.print(T("Bookmark {number} is taken back.", number=withdraw).shown)


def document(
    context: typer.Context,
    recording: _Recording,
    belongs_to: Annotated[
        str | None, typer.Argument(metavar="DOCUMENT", help=tr("Id of a document of its case."))
    ] = None,
    none: Annotated[
        bool, typer.Option("--none", help=tr("It belongs to no document any more."))
    ] = False,
    by: By = None,
    json: Json = False,
) -> None:
    if (belongs_to is None) != none:
        raise UsageProblem(
            T("Either a document is named or taken back."),
            T("Give the id of a document, or --none."),
        )
    from recorder_sync.custodian.documents import belongs_to as put_belonging

    with writing_station_of(context) as station:
        found = put_belonging(station, recording, belongs_to, person(by, station))
        if json:
            print_json({"document": document_json(found.document) if found else None})
        elif found is None:
            messages.print(T("The recording belongs to no document.").shown)
        else:
            title = found.document.given.title
            messages.print(T("The recording belongs to {title}.", title=title).shown, markup=False)


def items(context: typer.Context, json: Json = False) -> None:
    with station_of(context) as station:
        known = station.settings.marks.known.values()
        if json:
            print_json(
                {
                    "items": [
                        {"id": one.id, "stage": one.stage.value, "text": one.text.english}
                        for one in known
                    ]
                }
            )
            return
        table(
            [tr("Item"), tr("Stage"), tr("What is recorded")],
            ((one.id, tr(one.stage.value), one.text.shown) for one in known),
            whole=(0, 1),
        )


def marks_and_bookmarks(station: Station, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Return what a RECORDING has beside its description: `marks` and `bookmarks`."""
    marks, bookmarks = marks_of(station.catalogue, ids), bookmarks_of(station.catalogue, ids)
    return {
        one: {
            "marks": marks_json(marks[one]),
            "bookmarks": [bookmark_json(b) for b in bookmarks[one]],
        }
        for one in ids
    }


def marks_facts(marks: Marks, items: Mapping[str, Item]) -> list[tuple[str, object]]:
    """Return marks for a person; what is not marked is absent."""
    notified = marks.notified
    heard = None
    if notified:
        heard = notified.by
        if notified.second is not None:
            heard += T(", at second {second}", second=f"{notified.second:g}").shown
    item = items.get(marks.item) if marks.item else None
    important = None
    if marks.important is not None:
        important = tr("yes") if marks.important else tr("no")
    return [
        (tr("Marked important"), important),
        (tr("Notified"), heard),
        (tr("Stage"), tr(marks.stage.value) if marks.stage else None),
        (tr("Item"), f"{item.id} {item.text.shown}" if item else marks.item),
        (tr("Secrecy"), tr(marks.secrecy.value)),
    ]


def bookmark_facts(bookmarks: list[Bookmark]) -> list[tuple[str, object]]:
    return [
        (
            T("Bookmark {number}", number=one.number).shown,
            T(
                "second {second}: {kind}, {note}",
                second=f"{one.second:g}",
                kind=tr(one.kind.value),
                note=one.note or "-",
            ).shown,
        )
        for one in bookmarks
    ]
