"""Running compilers and linkers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from p4kernel.errors import ToolchainError

if TYPE_CHECKING:
    import subprocess

__all__ = ["Done", "Job", "run"]

# Variables that change what a compiler reads or writes without being seen by the cache.
_DROPPED: Final = frozenset(
    {
        "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH", "COMPILER_PATH", "LIBRARY_PATH",
        "GCC_EXEC_PREFIX", "GCC_COMPARE_DEBUG", "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES", "LD_RUN_PATH",
        "CCC_OVERRIDE_OPTIONS", "CCC_ADD_ARGS", "LDFLAGS", "LANGUAGE", "LC_MESSAGES", "LANG",
    }
)  # fmt: skip


class Job(NamedTuple):
    """A command and the folder to run it in."""

    command: Sequence[str]
    folder: str | os.PathLike[str]


class Done(NamedTuple):
    """Exit code of a command, and what it wrote to stdout and stderr."""

    code: int
    messages: str


def run(jobs: Sequence[Job]) -> list[Done]:
    """Runs commands side by side and waits for all. ToolchainError if one cannot be started."""
    # Imported here: a cache hit runs nothing.
    import subprocess
    import tempfile
    from contextlib import ExitStack

    with ExitStack() as stack:
        started: list[subprocess.Popen[bytes]] = []
        # A file and not a pipe: nothing has to read while several commands write.
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _ in jobs]
        for job, output in zip(jobs, outputs, strict=True):
            try:
                process = subprocess.Popen(
                    job.command,
                    cwd=job.folder,
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            except OSError as error:
                raise ToolchainError(f"cannot run {job.command[0]}: {error.strerror or error}") from error
            stack.callback(_end, process)
            started.append(process)
        done = []
        for process, output in zip(started, outputs, strict=True):
            code = process.wait()
            output.seek(0)
            done.append(Done(code, output.read().decode("utf-8", "replace")))
        return done


def _end(process: subprocess.Popen[bytes]) -> None:
    """After an exception: no compiler is left behind that writes into a folder that is gone."""
    if process.poll() is None:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    # Plain English messages, which can be parsed; and the same __DATE__ on every day, which can be cached.
    return {**kept, "LC_ALL": "C", "SOURCE_DATE_EPOCH": "0"}
