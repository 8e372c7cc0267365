"""What must be so whatever happened: looked at after every scenario."""

from collections import Counter
from collections.abc import Set

from tests.e2e.camera import Camera
from tests.e2e.dock import Dock

_SEALED = ("sealed", "already-sealed")


def all_is_accounted_for(dock: Dock, *cameras: Camera, missing: Set[str] = frozenset()) -> None:
    """Everything on the cards is sealed exactly once, or is named as missing.

    `missing` are the digests that must not be sealed; all others must be. What was salvaged
    of a recording is no recording. The cards must not be plugged in any more.
    """
    expected = Counter(
        digest
        for camera in cameras
        for digest in camera.recordings.values()
        if digest not in missing
    )
    rows = dock.recordings()
    listed = [row for row in rows if "salvaged" not in row["flags"]]
    salvaged = Counter(row["sha256"] for row in rows if "salvaged" in row["flags"])
    assert Counter(row["sha256"] for row in listed) == expected, "the list is not what was docked"
    in_folder = Counter(dock.sealed_digests())
    assert in_folder == expected + salvaged, "the folder is not what was docked"
    for camera in cameras:
        _is_listed_as_it_was(listed, camera)
        _is_named_where_missing(dock, camera, missing)
        assert camera.is_untouched(), f"the card of {camera.device} was written to"
    verified = dock.verify()
    assert verified.code == 0, verified.out + verified.err


def _is_listed_as_it_was(listed: list[dict[str, object]], camera: Camera) -> None:
    of_camera = [row for row in listed if row["device"] == camera.device]
    for row in of_camera:
        assert camera.recordings[str(row["original_path"])] == row["sha256"]


def _is_named_where_missing(dock: Dock, camera: Camera, missing: Set[str]) -> None:
    """The last inventory of a card names what is not sealed, and nothing else as not in."""
    last = next(row for row in dock.dockings() if row["device"] == camera.device)
    outcomes = {row["path"]: row["outcome"] for row in dock.inventory(last["docking"])}
    not_in = {path for path, outcome in outcomes.items() if outcome not in _SEALED}
    assert set(outcomes) == set(camera.recordings), "the inventory is not what was on the card"
    assert not_in == {path for path, digest in camera.recordings.items() if digest in missing}
