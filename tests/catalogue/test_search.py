"""Search by the fields of Art. 25, measured against a plain filter over the same recordings."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils.db import Database

from recorder_sync.catalogue import dockings, holds, ledger, recordings
from recorder_sync.catalogue import search as searching
from recorder_sync.catalogue.database import FILE_NAME, open_catalogue, transaction
from recorder_sync.catalogue.dockings import Docking
from recorder_sync.catalogue.marks import marks_json, take_up_marks
from recorder_sync.catalogue.recordings import Intent
from recorder_sync.catalogue.search import Search, search
from recorder_sync.catalogue.seen_by import visible, visible_of
from recorder_sync.custody.log import Act, Deed, Entry
from recorder_sync.description import as_json, as_text
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.model import (
    CardPath,
    Case,
    Digests,
    Flag,
    Identity,
    IdentityState,
    Kind,
    Media,
    Officer,
    RecordedTime,
    Recording,
    Source,
    Tag,
    Tags,
    TimeSource,
)
from recorder_sync.rules.access import Reach, Scope, Secrecy
from recorder_sync.rules.identity import recording_id
from recorder_sync.rules.lifecycle import State
from recorder_sync.rules.marks import ITEMS, Marks, Notified
from recorder_sync.rules.stage import Stage
from recorder_sync.timestamps import iso

COUNT = 300
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
OFFICERS = [
    Officer("000010", "李明", "一中队"),
    Officer("000011", "李明", "二中队"),
    Officer("000012", "李明华", None),
    Officer("000013", None, None),
]
CASES = [
    Case("桥西罚〔2026〕1号", "李明建筑工程有限公司", "涉嫌无照经营"),
    Case("桥西罚〔2026〕2号", "张三", "涉嫌占道经营"),
    Case("桥西罚〔2026〕3号", "张三丰餐饮（个体）", "涉嫌油烟超标排放"),
    Case("2026-4", "ABC Trading Ltd", "违反停车管理规定"),
    Case("2026-5", "上官婉儿", None, secrecy=Secrecy.COMMERCIAL),
    Case("2026-6", None, None),
]
NAMES = [
    "MAH{n:05d}.MP4",
    "DCAM_CAM001_000010_2026{n:04d}.mp4",
    "现场勘验{n}.mp4",
    "询问笔录 {n}.wav",
    "照片{n}.jpg",
]
DEVICES = ["0031", "0032", "CAM001", None]
HELD_CASES = (CASES[1].number, "2026-6")
EVERY_HELD = 9
"""Of the recordings, each so many-th is held by itself; every second of them was released."""


@dataclass(frozen=True)
class Made:
    recording: Recording
    state: State
    marks: Marks = field(default_factory=Marks)


def _tag(value: str | None) -> Tag | None:
    return None if value is None else Tag(value, Source.NAME, "profile")


def _made(number: int, chance: random.Random) -> Made:
    digest = blake3(str(number).encode()).hexdigest()
    device = chance.choice(DEVICES)
    identifier = recording_id(device or "unassigned", digest)
    # Few different starts, so that many recordings share one.
    start = BEGIN + timedelta(hours=chance.randrange(60), milliseconds=chance.choice([0, 0, 1]))
    officer = chance.choice([*OFFICERS, None])
    case = chance.choice([*CASES, None, None])
    recording = Recording(
        id=identifier,
        docking="docking",
        kind=chance.choice([Kind.VIDEO, Kind.VIDEO, Kind.PHOTO]),
        original_path=CardPath(b"DCIM/" + chance.choice(NAMES).format(n=number).encode()),
        mtime_ns=number,
        path=f"{device}/{number}",
        size=number + 1,
        digests=Digests(digest, digest),
        recorded=RecordedTime(start, start + timedelta(minutes=5), TimeSource.NAME, {}),
        media=Media(duration_s=300.0),
        tags=Tags(
            _tag(device),
            _tag(officer.cert_no if officer else None),
            _tag(case.number if case else None),
        ),
        officer_name=officer.name if officer else None,
        flags=frozenset(chance.sample(list(Flag), chance.choice([0, 0, 1, 2]))),
        sealed_at=start + timedelta(hours=30),
        deadline=start + timedelta(hours=24),
        on_time=chance.random() < 0.8,
        read_back="direct",
    )
    item = chance.choice([None, *ITEMS])
    marks = Marks(
        important=chance.choice([None, None, True, False]),
        notified=chance.choice([None, Notified("王芳", 1.0)]),
        stage=item.stage if item else None,
        item=item.id if item else None,
        secrecy=chance.choice([Secrecy.NONE, Secrecy.NONE, *Secrecy]),
    )
    return Made(recording, State.SEALING if chance.random() < 0.05 else State.SEALED, marks)


def enter(db: Database, number: int, *together: Made) -> None:
    intents = [_intent(n, one.recording) for n, one in enumerate(together, number)]
    recordings.enter(db, intents)
    sealed = [(n, one) for n, one in enumerate(together, number) if one.state is State.SEALED]
    recordings.mark_sealed(db, {one.recording.id: n for n, one in sealed})
    for one in together:
        facts = {"after": marks_json(one.marks)}
        take_up_marks(db, Entry(0, "", "", Deed(Act.MARK, one.recording.id, "", BEGIN, facts), ""))


def _intent(number: int, recording: Recording) -> Intent:
    digests = Digests(f"{number:064x}", f"{number:064x}")
    described = as_json(recording)
    text = as_text(described)
    return Intent(recording, described, text, digests, b"fingerprint", f"part-{number}")


@pytest.fixture(scope="module")
def made() -> list[Made]:
    chance = random.Random(20261123)
    return [_made(number, chance) for number in range(COUNT)]


@pytest.fixture(scope="module")
def db(made: list[Made], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    found = open_catalogue(tmp_path_factory.mktemp("catalogue") / FILE_NAME)
    with transaction(found):
        dockings.open_docking(
            found,
            Docking(
                "docking", "/card", None, Identity(None, None, IdentityState.UNKNOWN), None, BEGIN
            ),
        )
        for officer in OFFICERS:
            ledger.register_officer(found, officer, iso(BEGIN))
        for case in CASES:
            ledger.register_case(found, case, iso(BEGIN))
        for number, one in enumerate(made):
            enter(found, number, one)
        _hold(found, [f"{holds.CASE}{number}" for number in HELD_CASES], made)
    yield found
    found.close()


def _hold(db: Database, cases: list[str], made: list[Made]) -> None:
    ids = [one.recording.id for one in made[::EVERY_HELD]]
    facts = {"by": "法院", "reason": "诉讼"}
    for seq, subject in enumerate([*cases, f"{holds.CASE}{CASES[0].number}", *ids]):
        holds.take_up(db, Entry(seq, "", "", Deed(Act.LEGAL_HOLD, subject, "", BEGIN, facts), ""))
    for seq, subject in enumerate([f"{holds.CASE}{CASES[0].number}", *ids[1::2]], 1000):
        released = Deed(Act.HOLD_RELEASED, subject, "", BEGIN, facts)
        holds.take_up_release(db, Entry(seq, "", "", released, ""))


# The model: what the same search is, read plainly.


def tokens(text: str) -> list[str]:
    """Return Chinese characters one by one, and other words whole."""
    return re.findall(r"[\u4e00-\u9fff]|[a-z0-9]+", text.lower())


def has_words(text: str | None, query: str) -> bool:
    asked = tokens(query)
    if text is None or not asked:
        return False
    found = tokens(text)
    return any(
        found[at : at + len(asked) - 1] == asked[:-1]
        and found[at + len(asked) - 1].startswith(asked[-1])
        for at in range(len(found) - len(asked) + 1)
    )


def matches(one: Made, wanted: Search) -> bool:
    recording, tags = one.recording, one.recording.tags
    officers = {o.cert_no for o in OFFICERS if wanted.officer in (o.cert_no, o.name)}
    case = next((c for c in CASES if tags.case and c.number == tags.case.value), None)
    start = recording.recorded.start
    return all(
        (
            one.state is (wanted.state or State.SEALED),
            wanted.device is None or (tags.device and tags.device.value == wanted.device),
            wanted.officer is None or (tags.officer and tags.officer.value in officers),
            wanted.case is None or (tags.case and tags.case.value == wanted.case),
            wanted.party is None or (case and has_words(case.party, wanted.party)),
            wanted.cause is None or (case and has_words(case.cause, wanted.cause)),
            wanted.name is None or has_words(recording.original_path.name.text, wanted.name),
            wanted.since is None or start >= wanted.since,
            wanted.until is None or start < wanted.until,
            wanted.on_time is None or recording.on_time is wanted.on_time,
            wanted.kind is None or recording.kind is wanted.kind,
            wanted.stage is None or one.marks.stage is wanted.stage,
            wanted.item is None or one.marks.item == wanted.item,
            wanted.notified is None or (one.marks.notified is not None) is wanted.notified,
            wanted.secrecy is None or one.marks.secrecy is wanted.secrecy,
            wanted.flag is None or wanted.flag in recording.flags,
            not wanted.important or is_important(one),
            not wanted.without_case or tags.case is None,
            not wanted.held or is_held(one),
            all(is_called(one, case, word) for word in (wanted.q or "").split()),
            wanted.scope is None or is_within(one, case, wanted.scope),
        )
    )


def is_held(one: Made) -> bool:
    case = one.recording.tags.case
    number = one.recording.mtime_ns
    return bool(case and case.value in HELD_CASES) or number % (2 * EVERY_HELD) == 0


def is_important(one: Made) -> bool:
    if one.marks.important is None:
        return Flag.IMPORTANT in one.recording.flags
    return one.marks.important


def is_called(one: Made, case: Case | None, word: str) -> bool:
    """Tell whether anything of a recording is called so, or has it in its name."""
    tags = one.recording.tags
    device, officer = (tag.value if tag else None for tag in (tags.device, tags.officer))
    called = [o for o in OFFICERS if word in (o.cert_no, o.name)]
    within = [o for o in OFFICERS if o.name and word in o.name]
    devices = [d for d in DEVICES if d == word] or [d for d in DEVICES if d and word in d]
    cases = [c for c in CASES if c.number == word] or [c for c in CASES if word in c.number]
    return bool(
        device in devices
        or officer in {o.cert_no for o in called or within}
        or case in cases
        or (case and (has_words(case.party, word) or has_words(case.cause, word)))
        or has_words(one.recording.original_path.name.text, word)
    )


def is_within(one: Made, case: Case | None, scope: Scope) -> bool:
    officer = one.recording.tags.officer
    unit = next((o.unit for o in OFFICERS if officer and o.cert_no == officer.value), None)
    named = officer.value if officer else None
    classes = [one.marks.secrecy, *([case.secrecy] if case else [])]
    return all(scope.holds(named, unit, secrecy) for secrecy in classes)


def expected(made: Sequence[Made], wanted: Search) -> list[Recording]:
    found = [one.recording for one in made if matches(one, wanted)]
    return sorted(found, key=lambda r: (r.recorded.start, r.id), reverse=True)


def all_pages(db: Database, wanted: Search) -> list[Recording]:
    found: list[Recording] = []
    page = search(db, wanted)
    while True:
        assert len(page.found) <= wanted.limit
        found += page.found
        if page.next is None:
            return found
        assert len(page.found) == wanted.limit
        page = search(db, replace(wanted, after=page.next))


_times = st.integers(-2, 62).map(lambda hours: BEGIN + timedelta(hours=hours))
_scopes = st.builds(
    Scope,
    reach=st.sampled_from([*Reach, Reach.ALL, Reach.UNIT]),
    officer=st.sampled_from([None, "000010", "000013", "000099"]),
    unit=st.sampled_from([None, "一中队", "二中队", "三中队"]),
    cleared=st.frozensets(st.sampled_from(list(Secrecy))),
)
_searches = st.builds(
    Search,
    device=st.sampled_from([None, None, "0031", "0032", "CAM001", "0099", "unassigned", ""]),
    officer=st.sampled_from([None, None, "000010", "000013", "李明", "李明华", "李", "000099", ""]),
    case=st.sampled_from([None, None, None, CASES[0].number, "2026-4", "2026-6", "2026-99"]),
    party=st.sampled_from(
        [
            None,
            None,
            None,
            "李",
            "三",
            "张三",
            "张三丰",
            "李明建筑",
            "明李",
            "abc tr",
            "婉",
            "（",
            "",
        ]
    ),
    cause=st.sampled_from([None, None, None, "涉", "涉嫌", "经营", "无照经营", "管理规定", "王"]),
    name=st.sampled_from(
        [None, None, None, "mah", "MAH00012", "现场", "场", "勘验1", "dcam cam001", "jpg", "x y"]
    ),
    since=st.none() | _times,
    until=st.none() | _times,
    state=st.sampled_from([None, None, None, State.SEALED, State.SEALING]),
    on_time=st.sampled_from([None, None, True, False]),
    kind=st.sampled_from([None, None, None, Kind.PHOTO, Kind.AUDIO]),
    stage=st.sampled_from([None, None, None, *Stage]),
    item=st.sampled_from([None, None, None, "7.3", "9.1", "10.1"]),
    important=st.sampled_from([False, False, True]),
    notified=st.sampled_from([None, None, True, False]),
    secrecy=st.sampled_from([None, None, None, *Secrecy]),
    flag=st.sampled_from([None, None, None, Flag.IMPORTANT, Flag.TRUNCATED]),
    without_case=st.sampled_from([False, False, False, True]),
    held=st.sampled_from([False, False, False, True]),
    q=st.sampled_from(
        [
            *(None, None, None, None, "003", "李明", "李", "2026", "2026-4", "场", "mah 0031"),
            *("占道 CAM001", "（", "（ 李", "婉", "x", "zzzzzz"),
        ]
    ),
    scope=st.none() | _scopes,
    limit=st.sampled_from([1, 7, 50, 1000]),
)


_FIELDS = sorted({one.name for one in fields(Search)} - {"after", "limit"})
_sparse = st.builds(
    lambda whole, names: Search(**{name: getattr(whole, name) for name in names}),
    _searches,
    st.lists(st.sampled_from(_FIELDS), max_size=3),
)
"""Of few things asked for at once, which find more."""


@settings(max_examples=150)
@given(wanted=_searches | _sparse)
@pytest.mark.parametrize("few", [0, 15, 5_000], ids=["many match", "some match", "few match"])
@pytest.mark.parametrize("newest", [20, 20_000], ids=["a look at the newest", "a look at all"])
def test_art_25_every_search_finds_what_a_plain_filter_finds_newest_first(
    newest: int, few: int, db: Database, made: list[Made], wanted: Search
) -> None:
    """Whichever way round the search is done: it depends on how many match."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "_FEW", few)
        patch.setattr(searching, "_MANY_CASES", few and 1)
        patch.setattr(searching, "_NEWEST", newest)
        assert [r.id for r in all_pages(db, wanted)] == [r.id for r in expected(made, wanted)]


@pytest.mark.parametrize("q", [None, "李", "现场"])
@pytest.mark.parametrize("cleared", [set(), {Secrecy.NONE}, {*Secrecy}, {Secrecy.PERSONAL}])
@pytest.mark.parametrize("reach", list(Reach))
def test_art_25_nobody_finds_or_sees_what_is_out_of_their_scope(
    reach: Reach, cleared: set[Secrecy], q: str | None, db: Database, made: list[Made]
) -> None:
    scope = Scope(reach, officer="000010", unit="二中队", cleared=frozenset(cleared))
    wanted = Search(scope=scope, q=q, limit=1000)
    within = [one.id for one in expected(made, wanted)]
    assert [one.id for one in all_pages(db, wanted)] == within
    if q is None:
        sealed = [m.recording.id for m in made if m.state is State.SEALED]
        assert set(visible_of(db, sealed, scope)) == set(within)
        for one in sealed:
            if one in within:
                assert visible(db, one, scope).recording.id == one
            else:
                with pytest.raises(NotFound):
                    visible(db, one, scope)


def test_art_25_what_is_found_is_the_whole_recording(db: Database, made: list[Made]) -> None:
    found = {r.id: r for r in all_pages(db, Search())}
    assert found == {m.recording.id: m.recording for m in made if m.state is State.SEALED}


def test_nobody_is_told_of_a_recording_before_it_is_sealed(db: Database, made: list[Made]) -> None:
    being_sealed = {m.recording.id for m in made if m.state is State.SEALING}
    assert being_sealed
    assert not being_sealed & {r.id for r in all_pages(db, Search(limit=1000))}
    assert {r.id for r in all_pages(db, Search(state=State.SEALING))} == being_sealed


@pytest.mark.parametrize("query", ["李", "李明", "李明建", "筑工"])
def test_art_25_a_party_is_found_by_one_two_or_more_characters(
    query: str, db: Database, made: list[Made]
) -> None:
    found = all_pages(db, Search(party=query))
    assert found
    assert found == expected(made, Search(party=query))
    assert {r.tags.case.value for r in found if r.tags.case} == {CASES[0].number}


def test_art_25_an_officers_name_finds_the_recordings_of_every_officer_of_that_name(
    db: Database,
) -> None:
    found = all_pages(db, Search(officer="李明"))
    assert {r.tags.officer.value for r in found if r.tags.officer} == {"000010", "000011"}


def test_a_time_in_another_zone_means_the_same_moment(db: Database, made: list[Made]) -> None:
    local = (BEGIN + timedelta(hours=20)).astimezone(timezone(timedelta(hours=8)))
    for wanted in (Search(since=local), Search(until=local)):
        assert all_pages(db, wanted) == expected(made, wanted)


def test_the_words_of_a_corrected_case_are_found_and_the_old_ones_no_more(
    made: list[Made], tmp_path: Path
) -> None:
    db = open_catalogue(tmp_path / FILE_NAME)
    with transaction(db):
        ledger.register_case(db, Case("1", "张三", "占道经营"), iso(BEGIN))
        dockings.open_docking(
            db,
            Docking("docking", "/", None, Identity(None, None, IdentityState.UNKNOWN), None, BEGIN),
        )
        one = replace(made[0].recording, tags=Tags(case=_tag("1")))
        enter(db, 0, Made(one, State.SEALED))
    assert [r.id for r in all_pages(db, Search(party="张三", cause="占道"))] == [one.id]
    with transaction(db):
        ledger.register_case(db, Case("1", "李四", "占道经营"), iso(BEGIN))
    assert all_pages(db, Search(party="张三")) == []
    assert [r.id for r in all_pages(db, Search(party="李四"))] == [one.id]
    db.close()


# Pages.


@settings(max_examples=40)
@given(wanted=_searches, limit=st.integers(1, 40))
def test_pages_cover_everything_exactly_once_in_order(
    db: Database, made: list[Made], wanted: Search, limit: int
) -> None:
    paged = all_pages(db, replace(wanted, limit=limit))
    assert len({r.id for r in paged}) == len(paged)
    assert paged == expected(made, wanted)


@pytest.mark.parametrize("together", [1, 12])
def test_recordings_of_one_moment_with_like_ids_are_each_shown_once(
    made: list[Made], tmp_path: Path, together: int
) -> None:
    """A burst of photos has one time; ids may begin alike."""
    db = open_catalogue(tmp_path / FILE_NAME)
    start = BEGIN.replace(microsecond=123_000)
    ids = [
        f"{beginning}{number:010d}" for number in range(4) for beginning in ("aaa", "zzz", "222")
    ]
    with transaction(db):
        dockings.open_docking(
            db,
            Docking("docking", "/", None, Identity(None, None, IdentityState.UNKNOWN), None, BEGIN),
        )
        recorded = replace(made[0].recording.recorded, start=start)
        burst = [
            Made(replace(made[0].recording, id=i, path=i, recorded=recorded), State.SEALED)
            for i in ids
        ]
        for at in range(0, len(burst), together):
            enter(db, at, *burst[at : at + together])
    for limit in (1, 5, 100):
        shown = [r.id for r in all_pages(db, Search(limit=limit))]
        assert sorted(shown) == sorted(ids)
        assert [one[:3] for one in shown] == ["zzz"] * 4 + ["aaa"] * 4 + ["222"] * 4
    db.close()


def test_what_comes_in_while_somebody_turns_pages_repeats_and_hides_nothing(
    made: list[Made], tmp_path: Path
) -> None:
    db = open_catalogue(tmp_path / FILE_NAME)
    old = [m for m in made[:60] if m.state is State.SEALED]
    with transaction(db):
        dockings.open_docking(
            db,
            Docking("docking", "/", None, Identity(None, None, IdentityState.UNKNOWN), None, BEGIN),
        )
        for number, one in enumerate(old):
            enter(db, number, one)
    first = search(db, Search(limit=10))
    with transaction(db):
        for number, one in enumerate(m for m in made[60:120] if m.state is State.SEALED):
            enter(db, 1000 + number, one)
    rest = all_pages(db, Search(limit=1000, after=first.next))
    shown = [r.id for r in first.found + rest]
    assert len(set(shown)) == len(shown)
    assert {m.recording.id for m in old} <= set(shown)
    db.close()


@given(text=st.text(max_size=30))
def test_what_is_no_cursor_is_refused_as_wrong_usage(db: Database, text: str) -> None:
    try:
        page = search(db, Search(after=text))
    except UsageProblem as problem:
        refused = problem
    else:
        assert len(page.found) <= Search().limit
        return
    assert refused.exit_code == 2
    assert refused.hint is not None


# One recording.


def test_a_recording_is_found_by_the_beginning_of_its_id(db: Database, made: list[Made]) -> None:
    sealed = next(m.recording for m in made if m.state is State.SEALED)
    assert recordings.recording(db, sealed.id).recording == sealed
    assert recordings.recording(db, sealed.id[:10]).recording == sealed


@pytest.mark.parametrize("prefix", ["", "zzzzzzzzzzzzz", "%", "_", "李"])
def test_an_id_that_names_nothing_or_many_is_said_so(prefix: str, db: Database) -> None:
    with pytest.raises(NotFound):
        recordings.recording(db, prefix)


def test_a_recording_being_sealed_cannot_be_shown(db: Database, made: list[Made]) -> None:
    being_sealed = next(m.recording for m in made if m.state is State.SEALING)
    with pytest.raises(NotFound):
        recordings.recording(db, being_sealed.id)


# Speed: every search is answered from an index.


def plans(db: Database, ask: Callable[[], object]) -> list[tuple[str, str]]:
    """Run a search for real; return each of its statements with each line of its plan."""
    statements: list[str] = []
    db.conn.set_trace_callback(statements.append)
    try:
        ask()
    finally:
        db.conn.set_trace_callback(None)
    own = [s for s in statements if not s.startswith("--") and "select" in s.lower()]
    assert own
    return [
        (statement, str(row[3]))
        for statement in own
        for row in db.execute("explain query plan " + statement)
    ]


_WHOLE_TABLE = re.compile(r"^SCAN (r|d|c|recordings|descriptions|cases|officers|inventory)\b")

EVERY_FILTER: dict[str, Search] = {
    "nothing": Search(),
    "device": Search(device="0031"),
    "officer by number": Search(officer="000010"),
    "officer by name": Search(officer="李明"),
    "case": Search(case=CASES[0].number),
    "party": Search(party="李"),
    "cause": Search(cause="经营"),
    "name": Search(name="MAH"),
    "since": Search(since=BEGIN),
    "until": Search(until=BEGIN + timedelta(days=1)),
    "on time": Search(on_time=True),
    "late": Search(on_time=False),
    "being sealed": Search(state=State.SEALING),
    "device since": Search(device="0031", since=BEGIN),
    "officer late": Search(officer="000010", on_time=False),
    "everything": Search(
        device="0031",
        officer="李明",
        case=CASES[0].number,
        party="李",
        cause="经营",
        name="MAH",
        since=BEGIN,
        until=BEGIN + timedelta(days=1),
        on_time=True,
    ),
}


@pytest.mark.parametrize("name", list(EVERY_FILTER))
@pytest.mark.parametrize("paged", [False, True], ids=["first page", "next page"])
@pytest.mark.parametrize("few", [0, 5_000], ids=["many match", "few match"])
def test_no_search_reads_a_whole_table(
    name: str, paged: bool, few: int, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_FEW", few)
    wanted = EVERY_FILTER[name]
    if paged:
        after = search(db, Search(limit=20)).next
        wanted = replace(wanted, after=after)
    for statement, step in plans(db, lambda: search(db, wanted)):
        if _WHOLE_TABLE.match(step):
            assert "INDEX" in step, (statement, step)


@pytest.mark.parametrize(
    "name",
    [
        *("nothing", "device", "officer by number", "case", "since", "until", "on time", "late"),
        *("device since", "officer late"),
    ],
)
def test_a_search_without_words_sorts_nothing(name: str, db: Database) -> None:
    """Its index holds the rows in the order in which they are shown."""
    for statement, step in plans(db, lambda: search(db, EVERY_FILTER[name])):
        assert "TEMP B-TREE" not in step, (statement, step)


def test_looking_up_one_thing_reads_no_whole_table(db: Database, made: list[Made]) -> None:
    one = next(m.recording for m in made if m.state is State.SEALED)
    lookups: dict[str, Callable[[], object]] = {
        "by id": lambda: recordings.recording(db, one.id[:8]),
        "by content": lambda: recordings.with_content(db, [one.digests.blake3]),
        "interrupted": lambda: recordings.intents(db),
        "seen before": lambda: dockings.sightings(db, one.docking),
        "of one case": lambda: list(recordings.sealed_ids(db, case=CASES[0].number)),
        "sealed since": lambda: list(recordings.sealed_ids(db, since=BEGIN)),
        "names": lambda: dockings.other_names(db, one.id),
        "open dockings": lambda: dockings.open_dockings(db),
        "dockings of a device": lambda: dockings.list_dockings(db, "0031", 10),
        "inventory": lambda: dockings.inventory_of(db, "docking"),
    }
    for what, look_up in lookups.items():
        for statement, step in plans(db, look_up):
            if _WHOLE_TABLE.match(step):
                assert "INDEX" in step, (what, statement, step)
