"""Takes rights away from this process before it looks at a hostile file (Linux).

After `confine` the process and its children have no network, can open files only for
reading, cannot make, change, rename, remove or mark any, cannot reach into other
processes, cannot gain rights, and have a bounded address space. seccomp(2), prctl(2),
setrlimit(2); numbers of system calls from the kernel's asm/unistd headers.
"""

import ctypes
import errno
import os
import platform
import resource
import struct
from dataclasses import dataclass

_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EACCES

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True, slots=True)
class _Machine:
    """One processor architecture's numbers."""

    audit: int
    refused: tuple[int, ...]
    opening: tuple[tuple[int, int], ...]
    """System calls that open files, with the position of their flags argument."""


_COMMON = (
    *(425, 437, 452),  # io_uring_setup, openat2, fchmodat2
    *(434, 438),  # pidfd_open, pidfd_getfd
)
_X86_64 = (
    *(41, 101, 310, 311),  # socket, ptrace, process_vm_readv, process_vm_writev
    *(76, 77, 285),  # truncate, ftruncate, fallocate
    *(82, 264, 316),  # rename, renameat, renameat2
    *(83, 84, 258),  # mkdir, rmdir, mkdirat
    *(85, 133, 259),  # creat, mknod, mknodat
    *(86, 87, 88, 263, 265, 266),  # link, unlink, symlink, unlinkat, linkat, symlinkat
    *(90, 91, 268),  # chmod, fchmod, fchmodat
    *(92, 93, 94, 260),  # chown, fchown, lchown, fchownat
    *(132, 235, 261, 280),  # utime, utimes, futimesat, utimensat
    *(188, 189, 190, 197, 198, 199),  # setxattr and removexattr, l-, f-
    *(165, 166, 272),  # mount, umount2, unshare
)
_GENERIC = (
    *(198, 117, 270, 271),  # socket, ptrace, process_vm_readv, process_vm_writev
    *(45, 46, 47),  # truncate, ftruncate, fallocate
    *(38, 276),  # renameat, renameat2
    *(34, 33),  # mkdirat, mknodat
    *(35, 37, 36),  # unlinkat, linkat, symlinkat
    *(52, 53),  # fchmod, fchmodat
    *(54, 55),  # fchownat, fchown
    88,  # utimensat
    *(5, 6, 7, 14, 15, 16),  # setxattr and removexattr, l-, f-
    *(40, 39, 97),  # mount, umount2, unshare
)
_MACHINES = {
    "x86_64": _Machine(0xC000003E, (*_COMMON, *_X86_64), ((2, 1), (257, 2))),
    "aarch64": _Machine(0xC00000B7, (*_COMMON, *_GENERIC), ((56, 2),)),
    "riscv64": _Machine(0xC00000F3, (*_COMMON, *_GENERIC), ((56, 2),)),
    "loongarch64": _Machine(0xC0000102, (*_COMMON, *_GENERIC), ((56, 2),)),
}


def confine(memory_bytes: int) -> None:
    """Confine this thread for good, and all that it starts: call it before others run.

    Raises OSError where the kernel refuses, and KeyError on a machine whose system
    call numbers are not known here: then no media file may be opened.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    os.nice(5)
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    program = _filter(_MACHINES[platform.machine()])
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    _prctl(libc, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.create_string_buffer(header))


def _filter(machine: _Machine) -> bytes:
    """Return the BPF program: what is refused gets EACCES, everything else is allowed."""
    load, equal, at_least, has_bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    length = 4 + len(machine.refused) + 3 * len(machine.opening) + 2
    allow, refuse = length - 2, length - 1
    steps: list[bytes] = []

    def step(code: int, value: int, yes: int | None = None, no: int | None = None) -> None:
        """Add an instruction; where a test goes on yes and on no, else to the next one."""
        here = len(steps) + 1
        jumps = [0 if target is None else target - here for target in (yes, no)]
        steps.append(struct.pack("HBBI", code, *jumps, value))

    step(load, 4)  # seccomp_data.arch
    step(equal, machine.audit, no=refuse)
    step(load, 0)  # seccomp_data.nr
    step(at_least, 0x40000000, yes=refuse)  # x32 calls would go round the list
    for number in machine.refused:
        step(equal, number, yes=refuse)
    for number, position in machine.opening:
        step(equal, number, no=len(steps) + 3)
        step(load, 16 + 8 * position)  # seccomp_data.args
        step(has_bits, _WRITING, yes=refuse, no=allow)
    step(give, _ALLOW)
    step(give, _REFUSE)
    return b"".join(steps)


def _prctl(libc: ctypes.CDLL, option: int, *arguments: object) -> None:
    padded = [*arguments, 0, 0, 0][:4]
    values = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in padded]
    if libc.prctl(ctypes.c_int(option), *values) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")
