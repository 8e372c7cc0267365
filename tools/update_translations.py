"""Brings the translation catalogues up to date with the code.

    python tools/update_translations.py            rewrite the .po files
    python tools/update_translations.py --check    say what is missing, change nothing

Sentences are marked `T(...)` and `tr(...)` in the code, `_(...)` and `say(...)` in
templates; the words of enums that reach a screen are added here.
"""

import sys
from enum import StrEnum
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from recorder_sync.access.keeping import Change
from recorder_sync.catalogue.calendar import CalendarKind
from recorder_sync.catalogue.cases import CaseState
from recorder_sync.catalogue.dockings import DockingOutcome, Result
from recorder_sync.catalogue.store_states import Activity
from recorder_sync.catalogue.uploads import UploadState
from recorder_sync.custodian import shift
from recorder_sync.custody.log import Act
from recorder_sync.ingest.readback import ReadBack
from recorder_sync.inspection.findings import FindingKind
from recorder_sync.model import (
    AlertKind,
    FileSystemState,
    Flag,
    IdentityState,
    ItemOutcome,
    Kind,
    Source,
    TimeSource,
)
from recorder_sync.protection import Protection, Verity
from recorder_sync.rules import readiness, whereabouts
from recorder_sync.rules.access import Role, Secrecy
from recorder_sync.rules.coverage import NoRecordingReason
from recorder_sync.rules.deadline import DeferralReason
from recorder_sync.rules.docking import Stay
from recorder_sync.rules.documents import DocumentKind
from recorder_sync.rules.figures import Step
from recorder_sync.rules.marks import BookmarkKind, Markable
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.outstanding import Why
from recorder_sync.rules.recipient import Recipient
from recorder_sync.rules.reconcile import AlertState, ResolvedBy
from recorder_sync.rules.stage import Stage
from recorder_sync.watching.deadlines import What
from recorder_sync.web.looks import Look
from recorder_sync.web.navigation import PARTS
from recorder_sync.web.safeguards import HINTS
from recorder_sync.web.settings_page import every_meaning

_PACKAGE = Path(__file__).parent.parent / "src" / "recorder_sync"
_SHOWN: tuple[type[StrEnum], ...] = (
    Act,
    *(Act, AlertKind, DockingOutcome, FileSystemState, FindingKind, Flag, IdentityState),
    *(ItemOutcome, Kind, Protection, ReadBack, Source, Stay, TimeSource, Verity),
    *(readiness.Reason, whereabouts.Happening, whereabouts.State),
    *(AlertState, ResolvedBy),
    *(CalendarKind, DeferralReason, NoRecordingReason, Recipient, Severity, Why),
    *(Activity, UploadState),
    *(CaseState, Result, What),
    *(Role, Secrecy),
    *(BookmarkKind, Look, Markable, Stage),
    *(Change, Step, shift.Why, DocumentKind),
)


_COMMAND_LINE = (
    *("Options", "Commands", "Arguments", "required", "default: {default}", "Aborted!"),
    *("Missing command.", "No such command {name!r}."),
)
"""What the command line library says of itself; it looks for translations here too."""


def current() -> Catalog:
    """Return every text in the code, untranslated."""
    catalog = Catalog(project="recorder-sync", charset="utf-8")
    found = extract_from_dir(
        _PACKAGE,
        [("**.py", "python"), ("web/templates/**.html", "jinja2")],
        keywords={"T": None, "tr": None, "_": None, "say": None},
        comment_tags=(),
        options_map={"web/templates/**.html": {"trimmed": "true"}},
    )
    for file, _line, message, _comments, _context in found:
        catalog.add(message, locations=[(file, 0)])
    for enum in _SHOWN:
        for word in enum:
            catalog.add(word.value, locations=[(enum.__module__.split(".", 1)[1], 0)])
    for text in every_meaning():
        catalog.add(text, locations=[("settings", 0)])
    for part in PARTS:
        for named in (part.word, *(place.word for place in part.places)):
            if named:
                catalog.add(named, locations=[("web/navigation", 0)])
    for text in (*HINTS, *HINTS.values()):
        catalog.add(text, locations=[("web/safeguards", 0)])
    for text in _COMMAND_LINE:
        catalog.add(text, locations=[("cli", 0)])
    return catalog


def merged(path: Path) -> Catalog:
    """Return the catalogue at `path` with the code's texts, translations kept."""
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.parent.parent.name)
    catalog.update(current(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def missing(path: Path) -> list[str]:
    """Return the texts of the code that have no translation at `path`."""
    return [str(m.id) for m in merged(path) if m.id and not m.string]


def main() -> int:
    paths = sorted(_PACKAGE.glob("locale/*/LC_MESSAGES/*.po"))
    untranslated = 0
    for path in paths:
        if "--check" not in sys.argv:
            catalog = merged(path)
            with path.open("wb") as file:
                write_po(file, catalog, width=96, sort_output=True, include_lineno=False)
        for text in missing(path):
            untranslated += 1
            print(f"{path.parent.parent.name}: {text}")
    return 1 if untranslated else 0


if __name__ == "__main__":
    sys.exit(main())
