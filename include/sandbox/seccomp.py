"""A seccomp filter: no network, no programs, no writing, no reach into other processes.

A classic BPF program over ``struct seccomp_data``; see
``Documentation/userspace-api/seccomp_filter.rst`` of the kernel. What is refused fails with EPERM,
so that a library that merely tries goes on; only calls made under another architecture's numbers
end the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000

# Instructions: load a 32-bit word, compare, and with a mask, return.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE = 0, 4


def _argument(index: int) -> int:
    """Offset of the low word of an argument (both architectures are little-endian)."""
    return 16 + 8 * index


_AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_CLONE_THREAD = 0x00010000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

# name: (number on x86_64, on aarch64); None where the architecture has no such call.
_FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    # network
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    # programs and processes
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    # shared memory, which the limit of private memory does not count, and message queues
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # changes to files
    "creat": (85, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "utime": (132, None),
    "utimes": (235, None),
    "utimensat": (280, 88),
    "futimesat": (261, None),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    # mounts, namespaces and the kernel itself
    "setns": (308, 268),
    "unshare": (272, 97),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
}
# Absent rather than forbidden: the C library then takes the older call, whose arguments the filter
# can see.
_ABSENT: dict[str, tuple[int | None, int | None]] = {"clone3": (435, 435), "openat2": (437, 437)}
_OWN_PROCESS_ONLY: dict[str, tuple[int | None, int | None]] = {
    "kill": (62, 129),
    "tgkill": (234, 131),
}
_READING_ONLY: dict[str, tuple[int | None, int | None, int]] = {
    "open": (2, None, 1),
    "openat": (257, 56, 2),
}
_CLONE = (56, 220)
_PRLIMIT = (302, 261)


def program(machine: str, pid: int) -> bytes:
    """Assemble the filter for an architecture and a process.

    Raises:
        OSError: there is none for this architecture.
    """
    if machine not in _AUDIT_ARCHITECTURE:
        raise OSError(errno.ENOSYS, f"no filter for {machine}")
    column = 0 if machine == "x86_64" else 1
    code = [
        _op(_LOAD, _ARCHITECTURE),
        _op(_IF_EQUAL, _AUDIT_ARCHITECTURE[machine], 1, 0),
        _op(_RETURN, _KILL_PROCESS),
        _op(_LOAD, _NUMBER),
        _op(_IF_AT_LEAST, _X32_BIT, 0, 1),
        _op(_RETURN, _KILL_PROCESS),
    ]
    for refused, error in ((_FORBIDDEN, errno.EPERM), (_ABSENT, errno.ENOSYS)):
        for numbers in refused.values():
            code += _when(numbers[column], [_op(_RETURN, _ERRNO | error)])
    refuse, allow = _op(_RETURN, _ERRNO | errno.EPERM), _op(_RETURN, _ALLOW)
    for numbers in _OWN_PROCESS_ONLY.values():
        code += _when(
            numbers[column],
            [_op(_LOAD, _argument(0)), _op(_IF_EQUAL, pid, 0, 1), allow, refuse],
        )
    for x86, arm, index in _READING_ONLY.values():
        code += _when(
            (x86, arm)[column],
            [_op(_LOAD, _argument(index)), _op(_IF_ANY_BIT, _WRITING, 0, 1), refuse, allow],
        )
    code += _when(
        _CLONE[column],
        [_op(_LOAD, _argument(0)), _op(_IF_ANY_BIT, _CLONE_THREAD, 0, 1), allow, refuse],
    )
    code += _when(
        _PRLIMIT[column],
        [_op(_LOAD, _argument(0)), _op(_IF_EQUAL, 0, 0, 1), allow, refuse],
    )
    return b"".join([*code, allow])


def install(libc: ctypes.CDLL) -> None:
    """Put the filter on this process, for good. ``no_new_privs`` must be set.

    Raises:
        OSError: the kernel or the architecture has no such filter.
    """
    code = program(platform.machine(), os.getpid())
    body = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: the count of instructions, padding, a pointer.
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(body))
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _when(number: int | None, body: list[bytes]) -> list[bytes]:
    """Run the instructions, which end in a return, for one system call."""
    return [] if number is None else [_op(_IF_EQUAL, number, 0, len(body)), *body]
