"""A new dock PC takes over from a lost one: everything is made anew from one evidence store.

The custody log first, which is believed only when it is proven (`log.py`); then the catalogue,
from the log; then, where that is asked for, the files of recordings and documents. Each step
may have been done by a run that was cut off. Nothing that is here is overwritten: a log that is
here has to begin with all that the store has of it.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.catalogue.rebuild import Rebuilt, rebuild
from recorder_sync.config import Configuration
from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.errors import (
    CustodyProblem,
    MissingPart,
    RecorderSyncError,
    UsageProblem,
    os_reason,
)
from recorder_sync.forward.destination import Destination, destinations_of
from recorder_sync.from_store.documents import StoredDocuments
from recorder_sync.from_store.fetching import Fetched, Fetching
from recorder_sync.from_store.lacking import lacking
from recorder_sync.from_store.log import (
    BRINGING,
    Brought,
    bindings_in,
    bring_back,
    discard,
    put_in_place,
    refuse_another_store,
)
from recorder_sync.from_store.recordings import StoredRecordings
from recorder_sync.from_store.records import StoredRecords
from recorder_sync.from_store.wanted import StoredFiles, any_here, sizes
from recorder_sync.language import T, Text
from recorder_sync.on_record import enter, turn
from recorder_sync.owner import work_as_owner_of
from recorder_sync.station import Station, evidence_and_custody, now, open_station
from recorder_sync.stores.bindings import binding_of, keep_binding
from recorder_sync.stores.store import Store
from recorder_sync.witnessing.delivered import Delivered
from recorder_sync.witnessing.places import EvidencePlace

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Progress:
    """Who is told how it goes. `check` is called now and then, and may raise to break off."""

    sized: Callable[[int], None]
    """The bytes of all recordings and documents."""
    advanced: Callable[[int], None]
    check: Callable[[], None]


@dataclass(slots=True)
class MadeAnew:
    """What came of it."""

    rebuilt: Rebuilt
    brought: Brought | None
    """The log as it came from the store; None: it was here."""
    fetched: Fetched | None
    """None: the files were not asked for."""
    documents: Fetched | None
    """Likewise, of documents of cases."""
    problems: list[Text] = field(default_factory=list)


def make_anew(
    settings: Configuration,
    name: str,
    trusted: Verifier | None,
    progress: Progress,
    *,
    with_recordings: bool,
) -> MadeAnew:
    """Make the station anew from the store of this name.

    `trusted` is a verifier key that came from elsewhere. Raises UsageProblem, StoreProblem,
    CustodyProblem, CatalogueProblem or MissingPart; what was done stays, and the next try
    goes on from there.
    """
    work_as_owner_of(settings.paths.state)
    destination = _destination(settings, name)
    with closing(destination.opens()) as store:
        brought = _bring_log(settings, store, trusted)
        rebuilt = _rebuild(settings)
        station = open_station(settings)
        with closing(station.catalogue):
            stored = StoredRecordings(station, store, destination)
            papers = StoredDocuments(station, store)
            files_are_here = any_here(stored) or any_here(papers)
            _put_on_record(station, name, rebuilt, brought, is_here=files_are_here)
            problems = [*(brought.problems if brought else ())]
            problems += lacking(stored, progress.check)
            problems += papers.lacking(progress.check)
            fetched = documents = None
            if with_recordings:
                fetched, documents = _fetch(station, (stored, papers), progress)
                problems += [*fetched.problems, *documents.problems]
                _put_on_record(station, name, rebuilt, fetched, is_here=True)
    once = {problem.english: problem for problem in problems}
    return MadeAnew(rebuilt, brought, fetched, documents, list(once.values()))


def _destination(settings: Configuration, name: str) -> Destination:
    for one in destinations_of(settings):
        if one.name == name:
            return one
    known = ", ".join(one.name for one in settings.stores) or "-"
    raise UsageProblem(
        T("The settings name no store {store}.", store=name),
        T("Look at [[stores]] in the configuration; there are: {names}", names=known),
    )


def _bring_log(settings: Configuration, store: Store, trusted: Verifier | None) -> Brought | None:
    """Have the log here, from the store where it is not here yet; and what stores were bound."""
    state, station = settings.paths.state, settings.station.id
    _, log = evidence_and_custody(settings)
    records = StoredRecords(store, station)
    identity = store.identity()
    brought = None
    if log.is_begun():
        _refuse_another_log(log, records)
        bound = bindings_in(log)
        if store.name in bound:
            refuse_another_store(bound[store.name], identity)
    else:
        try:
            folder, brought = bring_back(records, settings, trusted)
            bound = bindings_in(CustodyLog(folder, station))
            if store.name in bound:
                refuse_another_store(bound[store.name], identity)
            else:
                text = T(
                    "The custody log does not say which store {store} is: compare its marker.",
                    store=store.name,
                )
                brought.problems.append(text)
            put_in_place(folder, state / "custody")
        except RecorderSyncError:
            discard(state / BRINGING, state / "custody")
            raise
        except OSError as error:
            raise MissingPart(
                T("The custody log cannot be written to {path}: {why}.",
                  path=state, why=os_reason(error)),
                T("Check the disk's free space, and that this user may write the state folder."),
            ) from error  # fmt: skip
    for name, binding in bound.items():
        if binding_of(state, name) is None:
            keep_binding(state, binding)
    return brought


def _refuse_another_log(log: CustodyLog, records: StoredRecords) -> None:
    """Raise CustodyProblem unless the log here begins with all that the store has of it."""
    last = records.last_line()
    if last is None:
        return
    number, line = last
    if log.size() <= number or next(log.numbered_lines(number), None) != (number, line):
        raise CustodyProblem(
            T("The custody log here does not begin with the one that the store has."),
            T(
                "It is older, or another one. Stop the service, keep the custody folder under "
                "another name, make a new one with only signing-key.pem in it, and run this again."
            ),
        )


def _rebuild(settings: Configuration) -> Rebuilt:
    """Make the catalogue anew from the log, in an evidence folder that is ours or empty."""
    evidence, log = evidence_and_custody(settings)
    is_new = not evidence.incoming.is_dir()
    if is_new and evidence.root.is_dir():
        others = [p.name for p in evidence.root.iterdir() if p.name != "lost+found"]
        if others:
            raise MissingPart(
                T("The evidence folder {path} is not the one used before.", path=evidence.root),
                T("Name the evidence folder of this station, or an empty one."),
            )
    evidence.prepare(in_use=not is_new)
    if is_new:  # the checkpoints beside the old evidence are gone with it
        place = EvidencePlace(evidence, settings.station.id)
        Delivered(settings.paths.state / "custody").forget(place.path)
    with evidence.sealing_turn():
        return rebuild(settings.paths.state, log, now())


def _put_on_record(
    station: Station, store: str, rebuilt: Rebuilt, came: Brought | Fetched | None, *, is_here: bool
) -> None:
    """Put on record what came from the store, and whether files of recordings are here.

    Where any is, one that is missing is missing; it is not only in the store by that.
    """
    facts: dict[str, object] = {
        "recordings": rebuilt.recordings,
        "dockings": rebuilt.dockings,
        "store": store,
        "with_recordings": is_here,
    }
    if isinstance(came, Brought):
        # For good: what no checkpoint vouched for is signed by the next one like all the rest.
        facts["brought"] = {
            "entries": came.entries,
            "vouched": came.vouched,
            "verifier": str(came.verifier),
            "trusted": came.trusted,
        }
    elif came is not None:
        facts["fetched"] = {"fetched": came.fetched, "failed": came.failed}
    with turn(station):
        enter(station, [station.deed(Act.CATALOGUE_REBUILT, FILE_NAME, facts)])


def _fetch(
    station: Station, stored: tuple[StoredFiles, StoredFiles], progress: Progress
) -> tuple[Fetched, Fetched]:
    """Fetch what is missing here, recordings first. Raises MissingPart where there is no room."""
    (one, one_missing), (other, other_missing) = map(sizes, stored)
    missing = one_missing + other_missing
    progress.sized(one + other)
    reserve = station.settings.ingest.reserve_mib * _MIB
    free = station.evidence.free_bytes() - reserve
    if missing > free:
        raise MissingPart(
            T(
                "The evidence disk has room for {free} MiB, and the recordings take {size} MiB.",
                free=max(0, free) // _MIB,
                size=-(-missing // _MIB),
            ),
            T("Use a larger disk. Without --with-recordings only the catalogue is made anew."),
        )
    try:
        recordings, documents = (
            Fetching(each, progress.advanced, progress.check).run() for each in stored
        )
    except OSError as error:
        raise station.evidence.unusable(error) from error
    return recordings, documents
