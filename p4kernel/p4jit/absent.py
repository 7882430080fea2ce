"""What P4-JIT has and this module does not: errors that say why, and what to use instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["DEVICE", "FUNCTION", "MODULE", "P4JIT", "SESSION", "error"]

_BUILDER: Final = (
    "p4kernel builds by itself, with a cache: jit.load(...).binary is what was built, and kernel.build of a p4 kernel"
)
_LINK: Final = "p4kernel has another wire protocol, with no packets of P4-JIT; board.request(...) sends its requests"
_REMOTE: Final = "the function that jit.load returns is called directly; it has sync_arrays itself"

MODULE: Final = {"Builder": _BUILDER}
P4JIT: Final = {"builder": _BUILDER}
SESSION: Final = {"load_function": "jit.load(source, function_name) builds, loads and returns the function"}
DEVICE: Final = {
    "serial": "board.session is the link; p4.connect takes any port or URL of pyserial, and virtual boards have none",
    "baudrate": "a port is opened by p4.connect, which knows its speed",
    "_send_packet": _LINK,
    "execute": "boards run code that was loaded as such, whose caches are in order: call the function that jit.load returns; "
    "machine code from elsewhere is linked in with p4.kernel(libraries=['code.o'])",
}
FUNCTION: Final = {"remote_func": _REMOTE}


def error(owner: str, name: str, table: Mapping[str, str]) -> AttributeError:
    """For ``__getattr__``."""
    advice = table.get(name)
    if advice is None:
        return AttributeError(f"{owner} has no attribute {name!r}")
    return AttributeError(f"{owner}.{name} of P4-JIT does not exist here: {advice}")
