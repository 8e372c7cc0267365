"""Takes rights away from this process before it looks at a hostile file (Linux).

After `confine` the process and its children have no network (seccomp refuses
`socket`), cannot gain rights, cannot write files, have a bounded address space, and
die with their parent. seccomp(2), prctl(2), setrlimit(2).
"""

import ctypes
import os
import platform
import resource
import signal
import struct

_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2

_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | 13  # SECCOMP_RET_ERRNO with EACCES

# machine: (audit architecture, system calls refused: socket, ptrace, io_uring_setup)
_CALLS = {
    "x86_64": (0xC000003E, (41, 101, 425)),
    "aarch64": (0xC00000B7, (198, 117, 425)),
    "riscv64": (0xC00000F3, (198, 117, 425)),
    "loongarch64": (0xC0000102, (198, 117, 425)),
}


def confine(memory_bytes: int) -> None:
    """Confine this process for good.

    Raises OSError where the kernel refuses, and KeyError on a machine whose system
    call numbers are not known here: then no media file may be opened.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    os.nice(5)
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    program = _filter(*_CALLS[platform.machine()])
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    _prctl(libc, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.create_string_buffer(header))


def _filter(architecture: int, refused: tuple[int, ...]) -> bytes:
    """Return the BPF program: other architectures and the refused calls get EACCES."""
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    refuse = 4 + len(refused) + 1  # where "refuse" stands; "allow" is just before it

    def step(at: int, code: int, value: int, *, yes: bool = False, no: bool = False) -> bytes:
        """Go to "refuse" on yes or no, otherwise on to the next step."""
        jump = refuse - at - 1
        return struct.pack("HBBI", code, jump if yes else 0, jump if no else 0, value)

    return b"".join(
        [
            step(0, load, 4),  # seccomp_data.arch
            step(1, equal, architecture, no=True),
            step(2, load, 0),  # seccomp_data.nr
            step(3, at_least, 0x40000000, yes=True),  # x32 calls would go round the list
            *(step(4 + i, equal, number, yes=True) for i, number in enumerate(refused)),
            step(refuse - 1, give, _ALLOW),
            step(refuse, give, _REFUSE),
        ]
    )


def _prctl(libc: ctypes.CDLL, option: int, *arguments: object) -> None:
    padded = [*arguments, 0, 0, 0][:4]
    values = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in padded]
    if libc.prctl(ctypes.c_int(option), *values) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")
