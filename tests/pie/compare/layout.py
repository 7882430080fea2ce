"""States of the model as rows of the simulator's structs, so that thousands are compared at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from p4kernel._native import ffi
from tests.pie.model import State
from tests.sim.machine import PSRAM, SRAM

MEMORY: Final = PSRAM
MEMORY_SIZE: Final = 4096  # all that there is, so that what lies outside faults
CODE: Final = SRAM

Rows = NDArray[Any]
"""One ROW each."""


_ffi: Any = ffi  # whose stubs know neither ctypes nor NumPy's buffers


def _format(ctype: Any) -> Any:
    if ctype.kind != "array":
        return f"<u{_ffi.sizeof(ctype)}"
    lengths = []
    while ctype.kind == "array":
        lengths.append(ctype.length)
        ctype = ctype.item
    return _format(ctype), tuple(lengths)


def _unit_type() -> np.dtype[Any]:
    """p4s_pie_state, as cffi lays it out."""
    struct = _ffi.typeof("p4s_pie_state")
    return np.dtype(
        {
            "names": [name for name, _ in struct.fields],
            "formats": [_format(field.type) for _, field in struct.fields],
            "offsets": [field.offset for _, field in struct.fields],
            "itemsize": _ffi.sizeof(struct),
        }
    )


ROW: Final = np.dtype(
    [("unit", _unit_type()), ("x", "<u4", 32), ("pc", "<u4"), ("cause", "<u4"), ("tval", "<u4")], align=True
)
"""cause and tval of the trap that ended a run, 0 when none did."""


_FIELDS: Final[Any] = ROW.fields
_VECTORS: Final = ("q", "qacc", "ua_state")
_SCALARS: Final = ("xacc", "sar", "sar_byte", "fft_bit_width", "cfg", "perf")
_LOOPS: Final = {"loop_start": "lp_start", "loop_end": "lp_end", "loop_count": "lp_count"}
_UNIT: Final = (*_VECTORS, *_SCALARS, *_LOOPS)


def offset(field: str) -> int:
    """Bytes from a row's start."""
    return int(_FIELDS[field][1])


def pointer(rows: Rows) -> Any:
    """To the bytes of rows, as long as these live."""
    return _ffi.from_buffer("char[]", rows) + 0


def empty(count: int) -> Rows:
    """Zeros, with the SIMD unit and the loops on."""
    made = np.zeros(count, ROW)
    made["unit"]["pie_state"] = made["unit"]["loop_state"] = 3
    return made


def copy(rows: Rows) -> Rows:
    """With the gaps between fields, which NumPy's copy leaves out."""
    return rows.view(np.uint8).copy().view(ROW)


def to_state(row: Any, memory: bytes) -> State:
    """The model's state."""
    unit = row["unit"]
    vectors: dict[str, Any] = {name: unit[name].copy() for name in _VECTORS}
    scalars: dict[str, Any] = {name: int(unit[name]) for name in _SCALARS}
    loops: dict[str, Any] = {ours: unit[theirs].tolist() for theirs, ours in _LOOPS.items()}
    return State(
        memory=bytearray(memory), base=MEMORY, x=row["x"].tolist(), pc=int(row["pc"]), **vectors, **scalars, **loops
    )


def from_state(state: State, row: Any) -> None:
    """Puts a state's fields into a row."""
    unit = row["unit"]
    for name in (*_VECTORS, *_SCALARS):
        unit[name] = getattr(state, name)
    for theirs, ours in _LOOPS.items():
        unit[theirs] = getattr(state, ours)
    row["x"] = state.x
    row["pc"] = state.pc


def show(row: Any) -> dict[str, object]:
    """A row's fields for people."""
    unit = {name: _show(row["unit"][name]) for name in _UNIT}
    return unit | {name: _show(row[name]) for name in ("x", "pc", "cause", "tval")}


def _show(value: Any) -> object:
    if value.dtype == np.uint8:
        return [bytes(part).hex() for part in np.atleast_2d(value)]
    return [hex(number) for number in np.atleast_1d(value).tolist()]
