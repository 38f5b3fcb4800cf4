import errno
import struct

import pytest

from include.sandbox import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SOCKET = {"x86_64": 41, "aarch64": 198}
EXECVE = {"x86_64": 59, "aarch64": 221}
OPENAT = {"x86_64": 257, "aarch64": 56}
CLONE = {"x86_64": 56, "aarch64": 220}
TGKILL = {"x86_64": 234, "aarch64": 131}
READ = {"x86_64": 0, "aarch64": 63}
O_RDONLY, O_RDWR, O_CREAT = 0, 2, 0o100


def run(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """Interpret the filter as the kernel does (classic BPF)."""
    words = [*arguments, *([0] * (6 - len(arguments)))]
    named = ARCHITECTURES[machine] if architecture is None else architecture
    data = struct.pack("=IIQ6Q", number, named, 0, *words)
    code = list(struct.iter_unpack("=HBBI", seccomp.program(machine, pid=77)))
    position, accumulator = 0, 0
    while True:
        operation, if_true, if_false, value = code[position]
        position += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif operation == 0x06:
            return int(value)
        else:
            holds = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[operation]
            position += if_true if holds else if_false


def refused(error: int) -> int:
    return 0x00050000 | error


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_refuses_network_programs_and_writing(machine: str) -> None:
    denied = refused(errno.EPERM)
    assert run(machine, SOCKET[machine], 2, 1) == denied
    assert run(machine, EXECVE[machine]) == denied
    assert run(machine, OPENAT[machine], 0, 0, O_RDWR) == denied
    assert run(machine, OPENAT[machine], 0, 0, O_CREAT) == denied
    assert run(machine, CLONE[machine], 0x11) == denied
    assert run(machine, TGKILL[machine], 78, 78, 9) == denied


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_lets_a_parser_work(machine: str) -> None:
    assert run(machine, READ[machine]) == ALLOW
    assert run(machine, OPENAT[machine], 0, 0, O_RDONLY) == ALLOW
    assert run(machine, CLONE[machine], 0x3D0F00) == ALLOW  # the flags of a thread
    assert run(machine, TGKILL[machine], 77, 77, 6) == ALLOW  # abort()


def test_calls_whose_arguments_cannot_be_seen_are_absent() -> None:
    assert run("x86_64", 435) == refused(errno.ENOSYS)
    assert run("aarch64", 437) == refused(errno.ENOSYS)


def test_another_architecture_or_numbering_ends_the_process() -> None:
    assert run("x86_64", 102, architecture=0x40000003) == KILL  # 32-bit socketcall
    assert run("x86_64", 0x40000000 | 41) == KILL  # x32


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(OSError, match="no filter for riscv64"):
        seccomp.program("riscv64", 1)
