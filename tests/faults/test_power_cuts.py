"""The power fails at any write: whatever was reported sealed is there, whole (promise 2).

The whole station lies on a disk whose writes and flushes are recorded, and its messages
are recorded between them. Every state that a cut could leave is then mounted as the next
start would find it.
"""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from recorder_sync.custody.log import Act
from tests.conftest import Card, Dock, MediaFiles
from tests.faults.conftest import Cards
from tests.faults.disk import FaultyDisk
from tests.faults.power_cut import CrashImage
from tests.ingest.aftermath import check_evidence, descriptions

_SEALED = re.compile(rb"^sealed: (.*)$", re.MULTILINE)


@pytest.mark.parametrize("file_system", ["ext4", pytest.param("xfs", marks=pytest.mark.long)])
def test_what_was_reported_sealed_survives_a_power_cut_at_any_write(
    tmp_path: Path, media_files: MediaFiles, file_system: str, rounds: int
) -> None:
    names = {f"{n}.mp4": media_files.video.read_bytes() + bytes([n]) * 999 for n in range(2)}
    names |= {f"{n}.jpg": media_files.photo.read_bytes() + bytes([n]) * 99 for n in range(4)}
    names["large.mp4"] = media_files.other_video.read_bytes() + bytes(range(256)) * (9 << 10)
    card = Card(tmp_path / "card")
    for name, content in names.items():
        card.put(name, content)
    with FaultyDisk(
        tmp_path / "blocks", tmp_path / "disk", mib=48, file_system=file_system
    ) as disk:
        dock = _dock_on(tmp_path, disk.path)
        disk.start_log()
        with disk.report.open("w") as report:
            code = subprocess.run(
                dock.command("ingest", card.path), stdout=report, stderr=report, check=False
            ).returncode
        assert code == 0, disk.reported()
        assert len(_SEALED.findall(disk.reported())) == len(names)
        seeds = tuple(range(max(1, rounds // 20)))
        images = looked_into = promised = 0
        for image in disk.crash_images(seeds=seeds):
            images += 1
            with image.mounted(tmp_path / "crashed") as left:
                promised += _check_promises(image, left, names, tmp_path / f"look{images}")
                if images % max(15, 400 // rounds) == 0:
                    looked_into += 1
                    _check_next_run(left, card, names, tmp_path / f"next{images}")
        print(f"\n{file_system}: {images} states, {promised} promises, {looked_into} next runs")
        assert promised > len(names)
        assert looked_into


def _dock_on(folder: Path, disk: Path) -> Dock:
    folder.mkdir(exist_ok=True)
    dock = Dock(folder)
    dock.evidence, dock.state = disk / "evidence", disk / "state"
    dock.configure(ingest={"reserve_mib": 0, "immutable": False})
    return dock


def _check_promises(image: CrashImage, left: Path, names: dict[str, bytes], folder: Path) -> int:
    """Everything that had been reported sealed is in place, described and in the log."""
    said = [name.decode() for name in _SEALED.findall(image.reported)]
    if not said:
        return 0
    copy = folder / "disk"
    shutil.copytree(left, copy)  # looking may write: the journal of the catalogue
    dock = _dock_on(folder, copy)
    station = dock.station()
    try:
        seals = {
            entry.deed.facts["recording"]["original_path"]: entry.deed.facts
            for entry in station.custody.entries()
            if entry.deed.act is Act.SEAL
        }
    finally:
        station.catalogue.close()
    when = f"{image.what} after {image.events} events"
    for name in said:
        seal = seals[name]
        path = dock.evidence / seal["recording"]["path"]
        description = Path(f"{path}.json").read_bytes()
        assert path.read_bytes() == names[name], f"{name}: {when}"
        assert hashlib.sha256(description).hexdigest() == seal["description_sha256"], when
        assert json.loads(description)["sha256"] == hashlib.sha256(names[name]).hexdigest()
    return len(said)


def _check_next_run(left: Path, card: Card, names: dict[str, bytes], folder: Path) -> None:
    """The next start finishes, discards or resumes what it finds."""
    dock = _dock_on(folder, left)
    done = dock.ingest(card)
    assert done.code == 0, done.out + done.err
    check_evidence(dock, *names)


@pytest.mark.long
def test_a_partial_copy_that_survives_a_power_cut_is_gone_on_with_only_when_it_is_whole(
    tmp_path: Path, card: Card, media_files: MediaFiles, hostile: Cards, rounds: int
) -> None:
    """The card is pulled out in the middle of a large recording; then the power fails."""
    content = media_files.video.read_bytes() + b"".join(
        n.to_bytes(4, "big") * 1024 for n in range(96 << 8)
    )
    path = card.put("large.mp4", content)
    shown = hostile(card.path)
    with FaultyDisk(tmp_path / "blocks", tmp_path / "disk", mib=160) as disk:
        dock = _dock_on(tmp_path, disk.path)
        shown.pull_out(after=80 << 20)
        disk.start_log()
        done = dock.run("ingest", shown.path, "--json")
        assert done.code == 1, done.err
        assert list((dock.evidence / ".incoming" / "kept").glob("*.part")), "nothing was kept"
        images = list(range(sum(1 for _ in disk.crash_images(seeds=(1,)))))
        # The last are those in which it is put where it waits for its card.
        chosen = {*images[-32:], *images[:: max(1, len(images) * 8 // rounds)]}
        resumed = 0
        for number, image in enumerate(disk.crash_images(seeds=(1,))):
            if number not in chosen:
                continue
            with image.mounted(tmp_path / "crashed") as left:
                next_dock = _dock_on(tmp_path / f"next{number}", left)
                done = next_dock.ingest(card)
                assert done.code == 0, done.out + done.err
                (description,) = descriptions(next_dock)
                resumed += description["resumed_at"] is not None
                assert description["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
                check_evidence(next_dock, "large.mp4")
        print(f"\n{len(chosen)} of {len(images)} states tried, {resumed} gone on with")
        assert resumed
