"""What is missing from a card, or dated as it cannot be (Art. 4, 27)."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.config import parse
from recorder_sync.model import CardPath
from recorder_sync.rules.matter import Matter, Severity
from recorder_sync.rules.naming import Profile
from recorder_sync.rules.sequence import (
    Counted,
    Dated,
    File,
    Inventory,
    Listed,
    counted,
    deleted_before_ingest,
    sequence_holes,
    wrong_dates,
)

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

PROFILE = Profile(
    "maker", file_names=(re.compile(r"(?i)(?P<series>VID|IMG)_(?P<counter>\d{4})\.\w+"),)
)


def listed(*numbers: int, series: str = "MAH", digits: int = 4) -> list[Listed]:
    return [
        Listed("0031", Counted(series, number, digits), AT + n * HOUR)
        for n, number in enumerate(numbers)
    ]


def missing(facts: list[Listed]) -> list[list[str]]:
    return [[item.name for item in matter.items] for matter in sequence_holes(facts)]


def test_a_profile_says_where_the_counter_stands_in_a_name() -> None:
    assert counted(CardPath(b"DCIM/vid_0042.mp4"), [PROFILE]) == Counted("VID", 42, 4)
    assert counted(CardPath(b"IMG_0001.jpg"), [PROFILE]) == Counted("IMG", 1, 4)
    assert counted(CardPath(b"MAH00001.mp4"), [PROFILE]) is None
    without = Profile("x", file_names=(re.compile(r"(?P<counter>\d+)\.mp4"),))
    assert counted(CardPath(b"007.mp4"), [without]) == Counted("", 7, 3)
    assert counted(CardPath("٠٠٧.mp4".encode()), [without]) is None
    other = Profile("y", file_names=(re.compile(r"(?P<device>\d+)\.mp4"),))
    assert counted(CardPath(b"007.mp4"), [other, without]) is None


def test_the_built_in_profile_of_dcim_names_counts() -> None:
    minimal = {"station": {"id": "a"}, "paths": {"state": "/s", "evidence": "/e"}}
    settings = parse(minimal, Path("config.toml"))
    path = CardPath(b"DCIM/100MEDIA/MAH00012.MP4")
    assert counted(path, settings.known_profiles) == Counted("MAH", 12, 5)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], []),
        ([7], []),
        ([7, 8, 9], []),
        ([7, 9], [["MAH0008"]]),
        ([7, 12, 15, 16], [["MAH0008 - MAH0011", "MAH0013 - MAH0014"]]),
        ([9998, 9999, 1, 2], []),
        ([9998, 9999, 0, 1], []),
        ([9997, 2], [["MAH9998 - MAH0001"]]),
        ([9998, 9999, 2], [["MAH0001"]]),
        ([9998, 1], [["MAH9999"]]),
        ([7, 7, 8], []),
    ],
)
def test_a_number_that_nobody_saw_between_others_is_a_hole(
    numbers: list[int], expected: list[list[str]]
) -> None:
    assert missing(listed(*numbers)) == expected


def test_a_wrap_around_is_counted_without_the_zero_that_no_camera_writes() -> None:
    (matter,) = sequence_holes(listed(9997, 2))
    assert matter.count == 3


def test_each_device_and_each_counter_has_its_own_sequence() -> None:
    facts = [
        *listed(1, 2, 3),
        *listed(7, 8, series="IMG"),
        *listed(5, 6, digits=5),
        *(replace(one, device="0032") for one in listed(10, 12)),
    ]
    (matter,) = sequence_holes(facts)
    assert (matter.key, matter.device) == ("sequence-hole/0032/MAH/4", "0032")


def test_a_hole_began_when_what_lies_on_both_sides_had_been_seen() -> None:
    (matter,) = sequence_holes(listed(7, 9, 9, 12))
    assert [(item.name, item.since) for item in matter.items] == [
        ("MAH0008", AT + HOUR),
        ("MAH0010 - MAH0011", AT + 3 * HOUR),
    ]
    assert (matter.since, matter.severity) == (AT + HOUR, Severity.WARNING)


@given(
    start=st.integers(1, 99),
    length=st.integers(2, 45),
    deleted=st.sets(st.integers(1, 43), max_size=15),
    shuffle=st.randoms(use_true_random=False),
)
def test_what_was_deleted_between_the_first_and_the_last_is_found_also_where_it_wraps(
    start: int, length: int, deleted: set[int], shuffle: random.Random
) -> None:
    """A counter of two digits, from 99 to 01; less than half of it is in use."""
    run = [(start + n - 1) % 99 + 1 for n in range(length)]
    kept = [number for n, number in enumerate(run) if n in {0, length - 1} or n not in deleted]
    facts = listed(*shuffle.sample(kept, len(kept)), digits=2)
    found = {
        number
        for matter in sequence_holes(facts)
        for item in matter.items
        for number in _numbers(item.name)
    }
    assert found == set(run) - set(kept)
    assert sum(matter.count for matter in sequence_holes(facts)) == len(found)


def _numbers(name: str) -> set[int]:
    """Return what `MAH98 - MAH02` stands for on a counter from 01 to 99."""
    ends = [int(part[-2:]) for part in name.split(" - ")]
    first, last = ends[0], ends[-1]
    return {(first + n - 1) % 99 + 1 for n in range((last - first) % 99 + 1)}


A, B, C = (File(name, 10, 1_000_000_000) for name in "ABC")


def inventory(n: int, *files: File, card: str = "card", device: str | None = "0031") -> Inventory:
    return Inventory(f"D{n}", card, AT + n * HOUR, frozenset(files), device)


def deleted(*found: Inventory, sealed: tuple[File, ...] = ()) -> list[Matter]:
    return list(deleted_before_ingest(found, frozenset(sealed)))


def test_art_27_what_one_docking_listed_and_the_next_did_not_was_deleted() -> None:
    (matter,) = deleted(inventory(1, A, B, C), inventory(2, A), inventory(3, A), sealed=(C,))
    assert (matter.key, matter.severity) == ("deleted-before-ingest/card", Severity.BREACH)
    assert (matter.since, matter.docking, matter.device) == (AT + 2 * HOUR, "D3", "0031")
    assert [(item.name, item.since) for item in matter.items] == [("B", AT + 2 * HOUR)]


def test_art_27_nothing_is_deleted_that_is_still_there_sealed_or_there_again() -> None:
    assert not deleted(inventory(1, A, B))
    assert not deleted(inventory(1, A), inventory(2, A, B))
    assert not deleted(inventory(1, A), inventory(2), sealed=(A,))
    assert not deleted(inventory(1, A), inventory(2), inventory(3, A))
    assert not deleted(inventory(1, A), inventory(2, card="other"))


def test_art_27_another_file_of_the_same_name_is_not_the_one_that_was_there() -> None:
    (matter,) = deleted(inventory(1, A), inventory(2, replace(A, mtime_ns=2)))
    assert matter.names == {"A"}


def test_a_card_of_an_unknown_device_is_named_by_itself() -> None:
    (matter,) = deleted(inventory(1, A, device=None), inventory(2, device=None))
    assert "card of device card" in matter.text.english
    (known,) = deleted(inventory(1, A), inventory(2, device=None))
    assert known.device == "0031"


@given(
    st.lists(st.frozensets(st.sampled_from([A, B, C])), min_size=1, max_size=5),
    st.frozensets(st.sampled_from([A, B, C])),
    st.randoms(use_true_random=False),
)
def test_art_27_deletions_do_not_depend_on_the_order_of_the_facts(
    contents: list[frozenset[File]], sealed: frozenset[File], shuffle: random.Random
) -> None:
    found = [inventory(n, *files) for n, files in enumerate(contents)]
    matters = list(deleted_before_ingest(found, sealed))
    assert matters == list(deleted_before_ingest(shuffle.sample(found, len(found)), sealed))
    gone = set().union(*contents) - contents[-1] - sealed
    assert {name for m in matters for name in m.names} == {file.name for file in gone}


ONE = Dated("R1", "0031", "D1", AT, AT - HOUR, AT - timedelta(days=365))


def test_a_date_after_the_docking_or_before_the_device_was_there_is_wrong_to_the_second() -> None:
    ahead = timedelta(minutes=5)
    assert ONE.in_service_since
    right = [
        ONE,
        replace(ONE, begins=AT + ahead),
        replace(ONE, begins=ONE.in_service_since),
        replace(ONE, begins=datetime(1970, 1, 1, tzinfo=UTC), in_service_since=None),
    ]
    assert not list(wrong_dates(right))
    wrong = [
        replace(ONE, recording="R2", begins=AT + ahead + SECOND),
        replace(ONE, recording="R3", begins=ONE.in_service_since - SECOND),
    ]
    (matter,) = wrong_dates([*wrong, *right])
    assert matter.key == "wrong-date/0031/D1"
    assert matter.names == {"R2", "R3"}
    assert matter.count == 2
    assert (matter.since, matter.severity) == (AT, Severity.WARNING)
