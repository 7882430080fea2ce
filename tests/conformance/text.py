"""C text of the generated functions, and of what carries their values on the host.

Every function folds all that it is given into one number and makes all that it gives from it, so that one wrong byte of
one argument changes each result. Members are used by name: nothing depends on the host's layout.
"""

from __future__ import annotations

from collections.abc import Iterable

from p4kernel.signature.values import Enumeration, Member, Record, Value
from p4kernel.types import Scalar
from tests.conformance.pool import leaves

COMMON = r"""
static inline uint64_t step(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9E3779B97F4A7C15ull;
    return h ^ h >> 29;
}
static inline uint64_t bits_f32(float x) { uint32_t b; __builtin_memcpy(&b, &x, 4); return b; }
static inline uint64_t bits_f64(double x) { uint64_t b; __builtin_memcpy(&b, &x, 8); return b; }
static inline float float_f32(uint64_t v) { uint32_t b = (uint32_t)v; float x; __builtin_memcpy(&x, &b, 4); return x; }
static inline double float_f64(uint64_t v) { double x; __builtin_memcpy(&x, &v, 8); return x; }
#define NOINLINE __attribute__((noinline))
"""


def _bits(kind: Scalar | Enumeration, x: str) -> str:
    if kind.kind == "f":
        return f"bits_{kind.name}({x})"
    if kind.kind == "i" or (isinstance(kind, Enumeration) and kind.code == "i"):
        return f"(uint64_t)(int64_t)({x})"
    return f"(uint64_t)({x})"


def mix(kind: Value, x: str) -> str:
    """Statement that folds ``x`` into h."""
    if isinstance(kind, Record):
        return f"h = mix_{kind.name}(h, &{x});"
    return f"h = step(h, {_bits(kind, x)});"


def fill(kind: Value, x: str) -> str:
    """Statement that makes ``x`` from h."""
    if isinstance(kind, Record):
        return f"h = fill_{kind.name}(h, &{x});"
    if isinstance(kind, Enumeration):
        return f"h = step(h, 5); {x} = values_{kind.name}[(h >> 8) % {len(kind.cls.__members__)}];"
    made = {
        "b": "(h >> 7) & 1",
        "f": f"({kind.c})((int32_t)(h >> 8 & 0xffff) - 32768) / 4",
    }.get(kind.kind, f"({kind.c})(uint32_t)h" if kind.name == "size_t" else f"({kind.c})h")
    return f"h = step(h, 3); {x} = {made};"


def load(kind: Value, x: str) -> str:
    """Statement that takes ``x`` from the leaves."""
    if isinstance(kind, Record):
        return f"load_{kind.name}(&leaf, &{x});"
    if kind.kind == "f":
        return f"{x} = float_{kind.name}(*leaf++);"
    return f"{x} = ({kind.c})*leaf++;"


def store(kind: Value, x: str) -> str:
    """Statement that appends ``x`` to the leaves of the results."""
    if isinstance(kind, Record):
        return f"store_{kind.name}(&out, &{x});"
    return f"*out++ = {_bits(kind, x)};"


def _each(member: Member, statement: str) -> str:
    """The statement for each element of a member; ``@`` stands for the element."""
    place = f"s->{member.name}" + "".join(f"[i{n}]" for n in range(len(member.shape)))
    loops = "".join(f"for (int i{n} = 0; i{n} < {length}; ++i{n}) " for n, length in enumerate(member.shape))
    return f"    {loops}{{ {statement.replace('@', place)} }}\n"


def helpers(kinds: Iterable[Value], *, host: bool) -> str:
    """Functions for each struct, inner ones first."""
    done: dict[str, str] = {}
    for kind in kinds:
        _helper(kind, done, host)
    return "".join(done.values())


def _helper(kind: Value, done: dict[str, str], host: bool) -> None:
    if isinstance(kind, Scalar) or kind.c in done:
        return
    name = kind.name
    if isinstance(kind, Enumeration):
        members = ", ".join(f"{name}_{member}" for member in kind.cls.__members__)
        done[kind.c] = f"__attribute__((unused)) static const {kind.c} values_{name}[] = {{ {members} }};\n"
        return
    for m in kind.members:
        _helper(m.type, done, host)

    def all_of(make: str) -> str:
        return "".join(_each(m, {"mix": mix, "fill": fill, "load": load, "store": store}[make](m.type, "@"))
                       for m in leaves(kind))  # fmt: skip

    unused = "__attribute__((unused)) static"
    text = (
        f"{unused} uint64_t mix_{name}(uint64_t h, const {kind.c} *s)\n{{\n{all_of('mix')}    return h;\n}}\n"
        f"{unused} uint64_t fill_{name}(uint64_t h, {kind.c} *s)\n{{\n{all_of('fill')}    return h;\n}}\n"
    )
    if host:
        text += (
            f"{unused} void load_{name}(const uint64_t **p, {kind.c} *s)\n"
            f"{{\n    const uint64_t *leaf = *p;\n{all_of('load')}    *p = leaf;\n}}\n"
            f"{unused} void store_{name}(uint64_t **p, const {kind.c} *s)\n"
            f"{{\n    uint64_t *out = *p;\n{all_of('store')}    *p = out;\n}}\n"
        )
    done[kind.c] = text
