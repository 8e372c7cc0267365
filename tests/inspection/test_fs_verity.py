"""Art. 5: the digest by which the kernel vouched for a recording, held against it again.

A kernel with fs-verity is needed to seal with it. Where there is none, a log that says that
there was one stands in for it; and for a kernel that answers, its one call is answered here.
"""

import fcntl
import hashlib
import json
import struct
from typing import Any

import pytest
import rfc8785

from tests.conftest import Card, Dock, MediaFiles
from tests.inspection.furnished import log_file, log_lines, verify_here

_DIGEST = bytes(range(32))


def sealed_with_verity(dock: Dock) -> None:
    """Have the log say of its first seal that the kernel vouched for the file."""
    previous, lines, done = "0" * 64, [], False
    for line in log_lines(dock):
        fields: dict[str, Any] = {**json.loads(line), "prev": previous}
        if fields["act"] == "seal" and not done:
            fields["facts"]["fs_verity"], done = f"sha256:{_DIGEST.hex()}", True
        text = rfc8785.dumps(fields)
        previous = hashlib.sha256(b"\0" + text).hexdigest()
        lines.append(text + b"\n")
    log_file(dock).write_bytes(b"".join(lines))


def kernel_that_answers(monkeypatch: pytest.MonkeyPatch, digest: bytes) -> None:
    real = fcntl.ioctl

    def ioctl(handle: int, request: int, argument: Any = 0, mutate: bool = True) -> Any:
        if request == 0xC0046686:  # FS_IOC_MEASURE_VERITY of linux/fsverity.h
            argument[: 4 + len(digest)] = struct.pack("=2H", 1, len(digest)) + digest
            return 0
        return real(handle, request, argument, mutate)

    monkeypatch.setattr(fcntl, "ioctl", ioctl)


def found(dock: Dock) -> list[tuple[str, str]]:
    return [(f.kind.value, f.text.english) for f in verify_here(dock, bodies=False)]


def test_a_file_that_the_kernel_does_not_vouch_for_any_more_is_named(station: Dock) -> None:
    assert found(station) == []
    sealed_with_verity(station)
    ((kind, text),) = found(station)
    assert kind == "unprotected"
    assert "fs-verity is gone" in text


def test_at_the_seam_of_the_kernel_the_sealed_digest_is_no_finding(
    station: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed_with_verity(station)
    kernel_that_answers(monkeypatch, _DIGEST)
    assert found(station) == []


def test_at_the_seam_of_the_kernel_another_digest_is_named(
    station: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed_with_verity(station)
    kernel_that_answers(monkeypatch, _DIGEST[::-1])
    ((kind, text),) = found(station)
    assert kind == "changed"
    assert _DIGEST[::-1].hex() in text


def test_a_file_put_in_the_place_of_one_with_fs_verity_is_named(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    dock.configure(ingest={"immutable": False, "fs_verity": True})
    card.put("MAH00001.MP4", media_files.video)
    assert dock.ingest(card).json["sealed"] == 1
    if b'"fs_verity":"sha256:' not in log_file(dock).read_bytes():
        pytest.skip("this kernel or file system has no fs-verity")
    assert found(dock) == []
    (file,) = dock.sealed_files()
    copy = file.with_name("copy")
    copy.write_bytes(file.read_bytes())
    copy.chmod(0o440)
    copy.rename(file)
    assert [kind for kind, _ in found(dock)] == ["unprotected"]
