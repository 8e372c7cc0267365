"""`recorder-sync recordings`: search by the fields of Art. 25, show, correct, export."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from recorder_sync.catalogue import dockings, documents, verified
from recorder_sync.catalogue import recordings as catalogue
from recorder_sync.catalogue.answered import how_they_stand
from recorder_sync.catalogue.marks import bookmarks_of, marks_of
from recorder_sync.catalogue.search import Search, search
from recorder_sync.cli import holding, marks
from recorder_sync.cli.custody_shown import entry_json, show_entries
from recorder_sync.cli.exporting import export_copies
from recorder_sync.cli.marks import bookmark_facts, marks_and_bookmarks, marks_facts
from recorder_sync.cli.screen import answers, facts, messages, name_and_flags, print_json, table
from recorder_sync.cli.session import read_time, station_of, writing_station_of
from recorder_sync.config import Configuration
from recorder_sync.custody.log import Act
from recorder_sync.description import as_json
from recorder_sync.document_json import document_json
from recorder_sync.errors import UsageProblem
from recorder_sync.inspection.correction import Correction, correct
from recorder_sync.language import T, tr
from recorder_sync.model import Recording, Tag
from recorder_sync.on_record import put
from recorder_sync.rules.lifecycle import State
from recorder_sync.shown import amount, local, span
from recorder_sync.station import Station
from recorder_sync.timestamps import iso_or_none

app = typer.Typer()
app.command("mark", help=tr("Mark a recording; who and when goes on record."))(marks.mark)
app.command("bookmark", help=tr("Mark a moment of a recording, or take that back."))(marks.bookmark)
app.command("document", help=tr("Name the document of its case that a recording belongs to."))(
    marks.document
)
app.command("items", help=tr("List the items of the stages (Art. 6 to 9)."))(marks.items)

_WIDE = 110
"""Columns of a terminal that have room for everything; below, the case is left out."""

_Json = Annotated[bool, typer.Option("--json", help=tr("Print JSON."))]


@app.command("list", help=tr("Search recordings, newest first."))
def list_(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help=tr("Device number."))] = None,
    officer: Annotated[
        str | None, typer.Option(help=tr("Officer's certificate number or name."))
    ] = None,
    case: Annotated[str | None, typer.Option(help=tr("Case number."))] = None,
    party: Annotated[str | None, typer.Option(help=tr("Words of the party's name."))] = None,
    cause: Annotated[str | None, typer.Option(help=tr("Words of the cause."))] = None,
    name: Annotated[str | None, typer.Option(help=tr("Words of the file's name."))] = None,
    since: Annotated[str | None, typer.Option(help=tr("Recorded since (local time)."))] = None,
    until: Annotated[str | None, typer.Option(help=tr("Recorded before (local time)."))] = None,
    state: Annotated[State | None, typer.Option(help=tr("sealed, or sealing."))] = None,
    on_time: Annotated[
        bool | None, typer.Option("--on-time/--late", help=tr("Sealed within the deadline or not."))
    ] = None,
    held: Annotated[bool, typer.Option("--held", help=tr("Under legal hold."))] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help=tr("At most so many rows."))] = 50,
    after: Annotated[str | None, typer.Option(help=tr("Cursor of the page before."))] = None,
    json: _Json = False,
) -> None:
    with station_of(context) as station:
        page = search(
            station.catalogue,
            Search(
                device=device,
                officer=officer,
                case=case,
                party=party,
                cause=cause,
                name=name,
                since=read_time(since, station.settings) if since else None,
                until=read_time(until, station.settings) if until else None,
                state=state,
                on_time=on_time,
                held=held,
                limit=limit,
                after=after,
            ),
        )
        if json:
            stand = how_they_stand(station.catalogue, page.found)
            marked = marks_and_bookmarks(station, [r.id for r in page.found])
            listed = [{**as_json(r), **stand[r.id], **marked[r.id]} for r in page.found]
            print_json({"recordings": listed, "next": page.next})
        else:
            _show_page(page.found, page.next, station.settings)


def _show_page(found: list[Recording], following: str | None, settings: Configuration) -> None:
    if not found:
        messages.print(tr("No recording matches."))
        return
    zone = settings.station.zone
    wide = answers.console.width >= _WIDE
    day = "%Y-%m-%d %H:%M" if wide else "%m-%d %H:%M"
    columns: list[tuple[str, Callable[[Recording], object]]] = [
        (tr("ID"), lambda r: r.id),
        (tr("Device"), lambda r: r.device),
        (tr("Officer"), lambda r: r.officer_name or (r.tags.officer and r.tags.officer.value)),
        (tr("Recorded"), lambda r: f"{r.recorded.start.astimezone(zone):{day}}"),
        (tr("On time"), lambda r: tr("on time") if r.on_time else tr("LATE")),
    ]
    if wide:
        columns += [
            (tr("Length"), lambda r: span(r.media.duration_s)),
            (tr("Case"), lambda r: r.tags.case and r.tags.case.value),
        ]
    columns.append((tr("File"), name_and_flags))
    table(
        [heading for heading, _ in columns],
        ([value(r) for _, value in columns] for r in found),
        whole=range(6 if wide else 5),
    )
    if following:
        messages.print(T("More: add --after {cursor}", cursor=following).shown)


@app.command("show", help=tr("Show one recording: where every tag comes from, digests, custody."))
def show(
    context: typer.Context,
    recording: Annotated[str, typer.Argument(metavar="ID", help=tr("Id, or its start."))],
    json: _Json = False,
) -> None:
    with station_of(context) as station:
        sealed = catalogue.recording(station.catalogue, recording)
        found = sealed.recording
        put(station, [station.deed(Act.VIEW, found.id, {"what": "description"})])
        history = [e for e in station.custody.entries() if e.deed.subject == found.id]
        seen = dockings.other_names(station.catalogue, found.id)
        verified_at = verified.last(station.catalogue, found.id)
        stands = how_they_stand(station.catalogue, [found])[found.id]
        of = documents.of_recording(station.catalogue, found.id)
        if json:
            print_json(
                {
                    **as_json(found),
                    **stands,
                    **marks_and_bookmarks(station, [found.id])[found.id],
                    "document": document_json(of.document) if of else None,
                    "verified_at": iso_or_none(verified_at),
                    "seen": [{"docking": d, "path": path.text} for d, path in seen],
                    "custody": [entry_json(e) for e in history],
                }
            )
            return
        zone = station.settings.station.zone
        facts(
            [
                *_facts(found, station),
                (tr("Last re-read"), local(verified_at, zone) if verified_at else tr("not yet")),
                *marks_facts(
                    marks_of(station.catalogue, [found.id])[found.id],
                    station.settings.marks.known,
                ),
                (tr("Document"), f"{of.document.given.title} ({of.id})" if of else None),
                *bookmark_facts(bookmarks_of(station.catalogue, [found.id])[found.id]),
                *_standing(stands),
            ]
        )
        answers.print()
        show_entries(history, station)
        others = [path.shown for _, path in seen if path != found.original_path]
        if others:
            answers.print(
                T("Also found as: {names}", names=", ".join(dict.fromkeys(others))).shown,
                markup=False,
            )


def _standing(stands: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield what holds a recording, where its file is, and what the stores have of it."""
    if hold := stands["legal_hold"]:
        case = f" ({tr('Case')} {hold['case']})" if hold["case"] else ""
        yield tr("Legal hold"), f"{hold['by']}: {hold['reason']}{case}"
    if not stands["here"]:
        yield tr("Evidence file"), tr("only in the store")
    for name, its in stands["stores"].items():
        yield f"{tr('Store')} {name}", tr(str(its["state"]))


def _facts(found: Recording, station: Station) -> list[tuple[str, object]]:
    zone = station.settings.station.zone
    media = found.media
    picture = f"{media.width}x{media.height}" if media.width and media.height else None
    container = (media.container or "").partition(",")[0]
    position = media.position
    raw = ", ".join(f"{tr(source)}: {text}" for source, text in found.recorded.raw.items())
    return [
        (tr("ID"), found.id),
        (tr("Device"), _told(found.tags.device)),
        (tr("Officer"), _told(found.tags.officer, found.officer_name)),
        (tr("Case"), _told(found.tags.case)),
        (
            tr("Recorded"),
            f"{local(found.recorded.start, zone)} ({tr(found.recorded.source.value)})",
        ),
        (tr("Recorded until"), local(found.recorded.end, zone)),
        (tr("Times as found"), raw),
        (tr("Kind"), tr(found.kind.value)),
        (tr("Length"), span(media.duration_s)),
        (tr("Format"), " ".join(p for p in (container, media.codec, picture) if p) or None),
        (tr("GPS position"), f"{position.latitude}, {position.longitude}" if position else None),
        (tr("Flags"), tr(", ").join(tr(flag) for flag in sorted(found.flags)) or None),
        (tr("Problem"), media.detail),
        (tr("On the card"), found.original_path.shown),
        (tr("Evidence file"), str(station.evidence.absolute(found.path))),
        (tr("Size"), f"{amount(found.size)} ({found.size})"),
        ("BLAKE3", found.digests.blake3),
        ("SHA-256", found.digests.sha256),
        *((("SM3", found.digests.sm3),) if found.digests.sm3 else ()),
        (tr("Read back"), tr(found.read_back)),
        (tr("Sealed at"), local(found.sealed_at, zone)),
        (tr("Deadline"), local(found.deadline, zone)),
        (tr("On time"), tr("on time") if found.on_time else tr("LATE")),
        (tr("Docking"), found.docking),
    ]


app.command("hold", help=tr("Put recordings or a case under legal hold."))(holding.hold)
app.command("release", help=tr("Release recordings or a case from legal hold."))(holding.release)
app.command("holds", help=tr("List what is under legal hold."))(holding.list_)


def _told(tag: Tag | None, name: str | None = None) -> str | None:
    """Return a tag's value with who says so, and what others say."""
    if tag is None:
        return None
    value = f"{name} ({tag.value})" if name else tag.value
    but = tr("but")
    told = [f"{value} — {tr(tag.source.value)}: {tag.detail}"]
    told += [f"{but} {o.value} — {tr(o.source.value)}: {o.detail}" for o in tag.others]
    return "; ".join(told)


@app.command("tag", help=tr("Correct device, officer or case; who and why goes on record."))
def tag(
    context: typer.Context,
    recording: Annotated[str, typer.Argument(metavar="ID", help=tr("Id, or its start."))],
    by: Annotated[str, typer.Option(help=tr("Who corrects it."))],
    reason: Annotated[str, typer.Option(help=tr("The reason."))],
    device: Annotated[str | None, typer.Option(help=tr("Device number."))] = None,
    officer: Annotated[str | None, typer.Option(help=tr("Officer's certificate number."))] = None,
    case: Annotated[str | None, typer.Option(help=tr("Case number."))] = None,
    json: _Json = False,
) -> None:
    wanted = Correction(device=device, officer=officer, case=case, by=by, reason=reason)
    with writing_station_of(context) as station:
        sealed = catalogue.recording(station.catalogue, recording)
        changed = correct(station, sealed.recording, wanted)
        if json:
            print_json(as_json(changed))
        else:
            facts(_facts(changed, station)[:4])


@app.command("export", help=tr("Make a checkable copy in a new folder."))
def export(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help=tr("Ids of recordings."))],
    to: Annotated[Path, typer.Option(help=tr("New folder for the copy."))],
    by: Annotated[str | None, typer.Option(help=tr("Who asked for the copy."))] = None,
    reason: Annotated[str | None, typer.Option(help=tr("The reason."))] = None,
    proof: Annotated[
        bool, typer.Option("--proof", help=tr("Put a proof of its sealing beside each copy."))
    ] = False,
    json: _Json = False,
) -> None:
    with station_of(context) as station:
        wanted = {}
        for one in ids:
            sealed = catalogue.recording(station.catalogue, one)
            wanted[sealed.recording.id] = sealed
        if not wanted:
            raise UsageProblem(T("No recording was named."), T("Give one or more ids."))
        export_copies(station, list(wanted.values()), to, by, reason, proof=proof, json=json)
