"""What is printed while functions are loaded and run: Python's logging, with P4-JIT's level between DEBUG and INFO."""

from __future__ import annotations

import logging
from typing import Final

__all__ = ["INFO_VERBOSE", "log", "set_log_level", "verbose"]

INFO_VERBOSE: Final = 15
_LEVELS: Final = {
    "DEBUG": logging.DEBUG,
    "INFO_VERBOSE": INFO_VERBOSE,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}

logging.addLevelName(INFO_VERBOSE, "INFO_VERBOSE")

log = logging.getLogger("p4kernel.p4jit")


class _Stdout(logging.Handler):
    """Prints to the sys.stdout of the moment: it may be redirected."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), flush=True)


class _Format(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if INFO_VERBOSE <= record.levelno <= logging.INFO else f"{record.levelname}: {text}"


if not log.handlers:
    _handler = _Stdout()
    _handler.setFormatter(_Format())
    log.addHandler(_handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def set_log_level(level: str | int) -> None:
    """How much is printed: 'DEBUG', 'INFO_VERBOSE', 'INFO', 'WARNING', 'ERROR' or 'CRITICAL'."""
    if isinstance(level, str):
        known = _LEVELS.get(level.upper())
        if known is None:
            raise ValueError(f"there is no log level {level!r}; levels are {', '.join(_LEVELS)}")
        level = known
    log.setLevel(level)


def verbose(text: str, *values: object) -> None:
    """A message of the level INFO_VERBOSE."""
    log.log(INFO_VERBOSE, text, *values)
