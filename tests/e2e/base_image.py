"""The guest's disk before the product is on it: Debian with a kernel, udev and systemd.

What the office's dock PC would have, without what a guest never uses: most drivers,
documents, and the graphics libraries that the ffmpeg package drags in.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.kept import digest, digest_of_files, kept
from tests.e2e.running import run

_SUITE = "bookworm"
_PACKAGES = (
    *("linux-image-amd64", "systemd-sysv", "udev", "dbus", "kmod", "util-linux", "procps"),
    *("python3", "python3-venv", "make", "ffmpeg", "e2fsprogs", "fdisk"),
)
_LEFT_OUT = (
    *(f"/usr/share/{name}/*" for name in ("doc", "man", "locale", "info", "icons")),
    *(
        f"/lib/modules/*/kernel/{name}/*"
        for name in (
            *("net", "sound", "drivers/gpu", "drivers/hid", "drivers/hwmon", "drivers/iio"),
            *("drivers/infiniband", "drivers/input", "drivers/isdn", "drivers/media"),
            *("drivers/mfd", "drivers/mtd", "drivers/net", "drivers/staging"),
        )
    ),
    "/usr/lib/x86_64-linux-gnu/dri/*",
    "/usr/lib/x86_64-linux-gnu/libLLVM*",
)
_MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    *("e2scrub_all.timer", "e2scrub_reap.service", "systemd-pstore.service"),
    *("getty@.service", "serial-getty@.service", "systemd-logind.service"),
    *("modprobe@configfs.service", "modprobe@drm.service"),
    *("sys-kernel-tracing.mount", "sys-kernel-debug.mount", "dev-hugepages.mount"),
)
_INITRAMFS = {
    "modules": "virtio_pci\nvirtio_blk\next4\n",
    "conf.d/e2e.conf": "MODULES=list\nCOMPRESS=zstd\nFSTYPE=ext4\n",
}
_DISK_BYTES = 4 << 30
_FILES = Path(__file__).parent / "guest"
"""Laid over the guest's file system as they are."""


@dataclass(frozen=True)
class BaseImage:
    disk: Path
    """Raw, ext4, no partitions."""
    kernel: Path
    initramfs: Path


def base_image() -> BaseImage:
    """Return the base image; the first call takes some minutes and needs root and apt."""
    files = sorted(path for path in _FILES.rglob("*") if path.is_file())
    place = kept("base", digest(digest_of_files([Path(__file__), *files]).encode()), _make)
    return BaseImage(place / "root.img", place / "vmlinuz", place / "initrd.img")


def _make(folder: Path) -> None:
    if os.geteuid() != 0:
        raise PermissionError("making the guest's image needs root: sudo make e2e")
    root = folder / "root"
    try:
        _install_debian(folder, root)
        _finish(root)
        (folder / "vmlinuz").write_bytes(next((root / "boot").glob("vmlinuz-*")).read_bytes())
        (folder / "initrd.img").write_bytes(next((root / "boot").glob("initrd*")).read_bytes())
        image = folder / "root.img"
        with open(image, "wb") as file:
            file.truncate(_DISK_BYTES)
        run("mkfs.ext4", "-q", "-F", "-L", "root", "-E", "lazy_itable_init=0", "-d", root, image)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _install_debian(folder: Path, root: Path) -> None:
    left_out = folder / "left-out"
    left_out.write_text("".join(f"path-exclude={pattern}\n" for pattern in _LEFT_OUT))
    initramfs = "; ".join(
        f'mkdir -p "$(dirname "$1/etc/initramfs-tools/{name}")"; '
        f"printf '{text}' > \"$1/etc/initramfs-tools/{name}\""
        for name, text in _INITRAMFS.items()
    )
    run(
        *("unshare", "--mount"),  # what it mounts goes with it, however it ends
        *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"),
        *("--skip=output/dev", "--aptopt=APT::Install-Recommends false"),
        *('--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io"),
        *(f"--dpkgopt={left_out}", f"--include={','.join(_PACKAGES)}"),
        *(f"--essential-hook={initramfs}", '--customize-hook=chroot "$1" ffprobe -version'),
        *(_SUITE, root),
        env={"TMPDIR": str(folder)},
    )
    left_out.unlink()


def _finish(root: Path) -> None:
    shutil.copytree(_FILES, root, dirs_exist_ok=True)
    units = root / "etc/systemd/system"
    for name in _MASKED:
        (units / name).symlink_to("/dev/null")
    wanted = units / "multi-user.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "e2e-agent.service").symlink_to("/etc/systemd/system/e2e-agent.service")
    (units / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    run("chroot", root, "passwd", "-q", "-d", "root")
    (root / "etc/machine-id").write_text("")
