"""Confines this process to its own files, by the kernel (Landlock, Linux 5.13).

chDB is built as a tool of its user: its functions open any path the user may open, whatever is granted in SQL. After
`confine`, a path outside the data folder does not open, whoever asks and however the query is written; passwords of
the stack, which lie beside the data folder, included. Where Python and the engine are installed stays readable.

System calls and structures: https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION: Final = 1
_RULE_PATH_BENEATH: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_ALL_OF_VERSION_1: Final = (1 << 13) - 1
_REFER: Final = 1 << 13  # since version 2
_TRUNCATE: Final = 1 << 14  # since version 3
_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE

# What the C library, Python and the engine look at while they run. Not /proc as a whole: it shows environments.
_READABLE: Final = (
    *("/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/lib", "/lib64", "/sys"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf"),
    *("/proc/meminfo", "/proc/stat", "/proc/cpuinfo", "/proc/loadavg", "/proc/uptime", "/proc/sys/kernel"),
    *("/dev/null", "/dev/urandom"),
)

_libc: Final = ctypes.CDLL(None, use_errno=True)


class _RulesetAttributes(ctypes.Structure):
    _fields_ = [("handled_access_fs", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def confine(data_dir: Path) -> bool:
    """Close everything but the data folder, and what is needed to run, to this thread and all it will start.

    Call it before any other thread runs. Returns False where the kernel has no Landlock.
    """
    version = _libc.syscall(_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    if version < 1:
        return False
    handled = _ALL_OF_VERSION_1 | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    attributes = _RulesetAttributes(handled)
    ruleset = _checked(
        _libc.syscall(_CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(ctypes.sizeof(attributes)), 0)
    )
    try:
        _allow(ruleset, data_dir, handled)
        for path in (*_READABLE, *_installed()):
            _allow(ruleset, Path(path), _READ_FILE | _READ_DIR)
        _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(_libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)
    return True


def _installed() -> list[str]:
    """Where Python, the packages and this one lie. Not all of sys.path: the checkout may hold the stack's data."""
    found = [sys.prefix, sys.base_prefix, str(Path(__file__).parents[2])]
    if (chdb := find_spec("chdb")) and chdb.origin:
        found.append(str(Path(chdb.origin).parents[1]))
    return found


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        access = access if path.is_dir() else access & _OF_FILES
        rule = _PathBeneath(access, opened)
        _checked(_libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(opened)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
