"""Runs the examples that are named, or all, and prints what each way costs."""

from __future__ import annotations

import sys

from . import blend, conv, dot, fir, rgb565, transpose
from .comparison import show

EXAMPLES = {
    "dot": dot.run, "fir": fir.run, "blend": blend.run, "rgb565": rgb565.run, "transpose": transpose.run,
    "conv": conv.run,
}  # fmt: skip


def main(*names: str) -> None:
    """Raises SystemExit for a name that there is not, and when a result is not NumPy's."""
    for name in names:
        if name not in EXAMPLES:
            raise SystemExit(f"there is no example {name!r}; there are {', '.join(EXAMPLES)}")
    show({name: EXAMPLES[name]() for name in names or EXAMPLES})


if __name__ == "__main__":
    main(*sys.argv[1:])
