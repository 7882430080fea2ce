"""The cache on disk: checksummed files, named by what they hold the result of.

Several processes may use one folder at once: a file appears whole (written beside, then renamed) or not at all, and two
that build the same thing write the same content. What cannot be read is a miss. The least recently used go first.
"""

# Paths are strings in this module, as it runs at every warm start.
# ruff: noqa: PTH100, PTH103, PTH105, PTH108, PTH111, PTH118, PTH120, PTH123

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Final, NamedTuple

from p4kernel import _forks
from p4kernel.errors import Error

__all__ = ["Statistics", "clear", "folder", "get_blob", "put_blob", "show"]

DEFAULT_SIZE: Final = 256 << 20
_VERSION: Final = 1
_MAGIC: Final = b"P4KCACHE" + _VERSION.to_bytes(4, "little")
_DIGEST: Final = 32
_SUFFIX: Final = ".p4k"
_TEMPORARY: Final = ".tmp"
_STALE_SECONDS: Final = 3600.0  # a temporary file older than this was left by a process that died
_TOUCH_SECONDS: Final = 600.0  # how far the recorded time of use may lag, to spare writes
_RESCAN: Final = 32  # entries written between two looks at what other processes wrote

_lock = threading.Lock()


@_forks.call
def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


class _State:
    """What this process knows about one cache folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.size: int | None = None  # bytes in it, when last scanned and since; None: not scanned yet
        self.written = 0
        self.hits = 0
        self.misses = 0
        self.problem: str | None = None


_states: dict[str, _State] = {}


class Statistics(NamedTuple):
    """The cache on disk, and its use by this process."""

    folder: str
    entries: int
    size: int
    limit: int
    hits: int
    misses: int
    problem: str | None
    """Why nothing can be written."""


def folder() -> str:
    """$P4KERNEL_CACHE_DIR, or the user's cache folder for p4kernel."""
    named = os.environ.get("P4KERNEL_CACHE_DIR")
    if named:
        return os.path.abspath(named)
    if sys.platform == "linux":
        # What platformdirs answers here. Importing it takes longer than everything else that a warm start does.
        return os.path.join(os.environ.get("XDG_CACHE_HOME", "").strip() or os.path.expanduser("~/.cache"), "p4kernel")
    import platformdirs

    return platformdirs.user_cache_dir("p4kernel", appauthor=False)


def limit() -> int:
    """$P4KERNEL_CACHE_SIZE in bytes (a number, or one with k, M or G), or 256 MB. Error if it is something else."""
    text = os.environ.get("P4KERNEL_CACHE_SIZE", "").strip()
    if not text:
        return DEFAULT_SIZE
    number, unit = (text[:-1], text[-1].lower()) if text[-1].isalpha() else (text, "")
    if not number.isdigit() or unit not in ("", "k", "m", "g"):
        raise Error(f"P4KERNEL_CACHE_SIZE={text!r} is no size: write bytes, or a number with k, M or G")
    return int(number) << {"": 0, "k": 10, "m": 20, "g": 30}[unit]


def get_blob(key: str, *, again: bool = False) -> bytes | None:
    """What was stored under ``key`` (hexadecimal digits), or None. ``again``: a miss was counted for another key."""
    state = _current()
    path = _path(state.folder, key)
    try:
        with open(path, "rb") as file:
            used = os.fstat(file.fileno()).st_mtime
            data = file.read()
    except OSError:
        state.misses += not again
        return None
    payload = data[len(_MAGIC) + _DIGEST :]
    if not data.startswith(_MAGIC) or hashlib.sha256(payload).digest() != data[len(_MAGIC) : len(_MAGIC) + _DIGEST]:
        state.misses += not again
        return None
    if time.time() - used > _TOUCH_SECONDS:
        with contextlib.suppress(OSError):  # no right to write, or evicted just now: the content is good all the same
            os.utime(path)
    state.hits += 1
    return payload


def put_blob(key: str, payload: bytes) -> None:
    """Stores. A cache that cannot be written is reported once, as a warning, and done without."""
    state = _current()
    path = _path(state.folder, key)
    temporary = f"{path}.{os.getpid()}.{os.urandom(6).hex()}{_TEMPORARY}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            with open(temporary, "xb") as file:
                file.write(_MAGIC + hashlib.sha256(payload).digest() + payload)
            os.replace(temporary, path)
        except BaseException:
            _remove(temporary)
            raise
    except OSError as error:
        if state.problem is None:
            state.problem = f"{state.folder}: {error.strerror or error}"
            warnings.warn(
                f"the build cache cannot be written ({state.problem}); kernels are built anew in every process. "
                "P4KERNEL_CACHE_DIR names another folder",
                RuntimeWarning,
                stacklevel=2,
            )
        return
    _bound(state, len(payload) + len(_MAGIC) + _DIGEST)


def show() -> Statistics:
    """What the cache holds."""
    state = _current()
    files = [size for _, _, size in _scan(state.folder)]
    return Statistics(state.folder, len(files), sum(files), limit(), state.hits, state.misses, state.problem)


def clear() -> int:
    """Removes every entry; returns how many there were."""
    state = _current()
    removed = sum(_remove(path) for path, _, _ in list(_scan(state.folder)))
    state.size = None
    return removed


def _current() -> _State:
    where = folder()
    with _lock:
        return _states.setdefault(where, _State(where))


def _path(where: str, key: str) -> str:
    return os.path.join(where, key[:2], key[2:] + _SUFFIX)


def _scan(where: str) -> Iterator[tuple[str, float, int]]:
    """Path, time of last use and size of every entry. Temporary files that nobody writes any more are removed."""
    try:
        with os.scandir(where) as entries:
            parts = [entry.path for entry in entries if len(entry.name) == 2 and entry.is_dir(follow_symlinks=False)]
        for part in parts:
            with os.scandir(part) as entries:
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue  # evicted by another process meanwhile
                    if entry.name.endswith(_SUFFIX):
                        yield entry.path, status.st_mtime, status.st_size
                    elif entry.name.endswith(_TEMPORARY) and time.time() - status.st_mtime > _STALE_SECONDS:
                        _remove(entry.path)
    except OSError:
        return  # no folder: no entries


def _bound(state: _State, added: int) -> None:
    """Keeps the size under the limit, by the number of bytes this process knows of; looks anew now and then."""
    with _lock:
        state.written += 1
        if state.size is not None:
            state.size += added
        allowed = limit()
        if state.size is not None and state.size <= allowed and state.written % _RESCAN:
            return
        files = sorted(_scan(state.folder), key=lambda file: file[1])
        state.size = sum(size for _, _, size in files)
        if state.size <= allowed:
            return
        for path, _, size in files:
            if state.size <= allowed * 9 // 10:
                break
            if _remove(path):
                state.size -= size


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
