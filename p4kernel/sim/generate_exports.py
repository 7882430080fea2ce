"""Makes csrc/exports.def from stubs/exports.yaml: `python p4kernel/sim/generate_exports.py`.

Each firmware function becomes a line P4X(class, arity, name, result, parameters...), which exports.h and exports.c turn
into a declaration, a wrapper that takes arguments as ilp32f passes them, and an entry of the table. Classes: LIBM is the
host's function of the same name; PURE is p4x_<name>; CALL is p4x_<name> with the call's context as first parameter, for
what touches guest memory, may trap or depends on the board's state; GONE is an empty slot: a function that was removed,
or that only boards of silicon have.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).resolve().parent
YAML = _HERE.parent.parent / "stubs" / "exports.yaml"
OUTPUT = _HERE / "csrc" / "exports.def"

# What a C type of the chip is for the wrappers: the suffix of p4x_take_ and p4x_give_.
_KINDS = {
    "int": "i32", "long": "i32", "int32_t": "i32",
    "unsigned long": "u32", "uint32_t": "u32", "size_t": "u32", "va_list": "u32", "bool": "u32",
    "uint8_t": "u8", "uint16_t": "u16",
    "long long": "i64", "int64_t": "i64", "unsigned long long": "u64", "uint64_t": "u64",
    "float": "f32", "double": "f64", "_Float16": "f16", "__bf16": "f16", "float _Complex": "c32", "void": "void",
    "unsigned": "u32", "jmp_buf": "u32", "__compar_fn_t": "u32", "time_t": "i64", "clock_t": "u32", "useconds_t": "u32",
    "BaseType_t": "i32", "UBaseType_t": "u32", "TickType_t": "u32", "TaskHandle_t": "u32", "TaskFunction_t": "u32",
    "QueueHandle_t": "u32", "TimerHandle_t": "u32", "TimerCallbackFunction_t": "u32", "eTaskState": "u32",
    "eNotifyAction": "u32", "esp_err_t": "i32", "esp_timer_handle_t": "u32", "esp_log_level_t": "u32",
}  # fmt: skip
# The groups of functions that are values in, value out. Functions of the others know the board.
PURE_GROUPS = frozenset(("runtime", "softfloat", "atomic", "math", "string", "stdlib"))
OWN_STATE = frozenset(("rand", "srand", "malloc", "free", "aligned_alloc", "calloc", "realloc"))

# The host's long has 64 bits, and its results for what an int cannot hold differ: these are our own.
_OWN_MATH = frozenset(n + f for n in ("ilogb", "lrint", "lround", "llrint", "llround") for f in ("", "f"))
# These keep a NaN's sign and payload; every other float result that is a NaN is the canonical one, as on the chip.
_RAW = frozenset(("fabs", "fabsf", "copysign", "copysignf", "nan", "nanf", "__negdf2"))
_CHECKED = (("add", 3), ("sub", 3), ("mul", 3), ("neg", 2), ("abs", 2))
# -ftrapv's arithmetic ends in abort().
_TRAPPING = frozenset(f"__{o}v{m}i{n}" for o, n in _CHECKED for m in "sd") | {"abort"}


@dataclass(frozen=True)
class Export:
    """One slot of the table. A removed function has no type, one with where="chip" is not on the virtual board."""

    slot: int
    name: str
    type: str | None
    group: str
    where: str = ""

    @property
    def virtual(self) -> bool:
        """Whether the virtual board has it."""
        return self.type is not None and not self.where

    def line(self) -> str:
        """Its line of exports.def."""
        if self.type is None or not self.virtual:
            return f"P4X(GONE, 0, {self.name}, void)"
        before, _, inside = self.type.partition("(")
        result, parameters = before.strip(), [p.strip() for p in inside.rstrip(")").split(",")]
        kinds = [_kind(p) for p in parameters if p not in ("void", "...")]
        if result == "double _Complex":  # goes to memory, whose address comes before the parameters
            result, kinds, parameters = "void", ["u32", *kinds], [result + " *", *parameters]
        raw = "_raw" if self.name in _RAW else ""
        return f"P4X({', '.join([self._class(parameters), str(len(kinds)), self.name, _kind(result) + raw, *kinds])})"

    def _class(self, parameters: list[str]) -> str:
        state = self.group not in PURE_GROUPS or self.name in OWN_STATE | _TRAPPING
        if state or any("*" in p or p == "va_list" for p in parameters):
            return "CALL"
        return "LIBM" if self.group == "math" and self.name not in _OWN_MATH else "PURE"


def _kind(c_type: str) -> str:
    return "u32" if "*" in c_type else _KINDS[c_type]


def load(path: Path = YAML) -> list[Export]:
    """The list, in the order of the slots. ValueError when a name stands twice."""
    rows: list[Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["exports"]
    exports = [Export(slot, *row) for slot, row in enumerate(rows)]
    names = [e.name for e in exports]
    if len(set(names)) != len(names):
        raise ValueError(f"{path}: {sorted({n for n in names if names.count(n) > 1})} stand twice")
    if any(e.where not in ("", "chip") for e in exports):
        raise ValueError(f"{path}: the fourth word of an entry is chip, or left out")
    return exports


def table_hash(exports: list[Export]) -> int:
    """64 bits over slots, names and types: what a host and a board compare."""
    text = "\n".join(f"{e.slot} {e.name} {e.type}" for e in exports)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def text(exports: list[Export]) -> str:
    """What exports.def is to contain."""
    lines = ["/* Generated from stubs/exports.yaml by p4kernel/sim/generate_exports.py, which says what it means. */",
             f"#define P4X_TABLE_HASH 0x{table_hash(exports):016x}u", *(e.line() for e in exports)]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes the file."""
    OUTPUT.write_text(text(load()), encoding="utf-8")


if __name__ == "__main__":
    main()
