"""From a case to its stub, its C function, and the wrapper that calls it on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import p4kernel as p4
from p4kernel.signature import Signature, read
from p4kernel.signature.values import Record, Value
from tests.conformance.cases import Case, Item
from tests.conformance.pool import array_of
from tests.conformance.text import fill, load, mix, store


def body(case: Case) -> str:
    """The statements of the function."""
    lines = [f"uint64_t h = {len(case.items) + 77}u;"]
    for item in case.items:
        lines += _take(item)
    for item in case.items:
        lines += _give(item)
    kind = case.return_kind
    if kind is not None:
        zero = "__builtin_memset(&r, 0, sizeof r); " if isinstance(kind, Record) else ""
        lines += [f"{kind.c} r; {zero}{fill(kind, 'r')}", "return r;"]
    else:
        lines.append("(void)h;")
    return "\n".join(lines) + "\n"


def _take(item: Item) -> list[str]:
    name, kind = item.name, item.kind
    if item.way == "text":
        return [f"for (const char *p = {name}; p && *p; ++p) h = step(h, (unsigned char)*p);", f"h = step(h, !{name});"]
    if kind is None or not item.given:
        return []
    if item.way == "value":
        return [mix(kind, name)]
    null = [f"h = step(h, !{name});"] if item.optional else []
    if item.way == "Out":
        return null
    return [*null, f"for (int i = 0; {name} && i < {item.length}; ++i) {{ {mix(kind, f'{name}[i]')} }}"]


def _give(item: Item) -> list[str]:
    name, kind = item.name, item.kind
    if item.way == "ret text":
        return [f'for (int i = 0; i < (int)(h >> 60) + 3; ++i) {{ h = step(h, i); {name}[i] = "0aZ~"[h >> 9 & 3]; }}']
    if kind is None:
        return []
    if item.way == "ret":
        return [fill(kind, f"*{name}") if not isinstance(kind, Record) else f"h = fill_{kind.name}(h, {name});"]
    if item.way in ("Out", "InOut", "ret array"):
        return [f"for (int i = 0; {name} && i < {item.length}; ++i) {{ {fill(kind, f'{name}[i]')} }}"]
    return []


def signature(case: Case) -> Signature:
    """What p4kernel makes of the stub."""
    namespace: dict[str, Any] = {"p4": p4, "np": np}
    results: list[str] = []
    if case.returns is not None:
        namespace["tr"] = case.returns
        results.append("tr")
    for item in case.items:
        name, kind = item.name, item.kind
        if kind is not None:
            namespace[f"t{name}"] = item.hint
            namespace[f"e{name}"] = kind.cls if isinstance(kind, Record) else kind.dtype.type
        if item.way == "ret":
            results.append(f"t{name}")
        elif item.way == "ret array":
            namespace[f"n{name}"] = array_of(namespace[f"e{name}"])
            results.append(f"n{name}")
        elif item.way == "ret text":
            results.append("bytes")
    returns = f"tuple[{', '.join(results)}]" if results else "None"
    parameters = ", ".join(item.stub for item in _ordered(case))
    namespace["body"] = body(case)
    exec(f"def {case.name}({parameters}) -> {returns}:\n    p4.c(body)\n", namespace)
    return read(namespace[case.name])


def _ordered(case: Case) -> list[Item]:
    """Python wants parameters without a default first; C has the same order, as the prototype comes from the stub."""
    return [i for i in case.items if i.given] + [i for i in case.items if not i.given]


def prototype(case: Case, name: str) -> str:
    """Of the C function."""
    parameters = []
    for item in _ordered(case):
        c = "char" if item.kind is None else item.kind.c
        const = "const " if item.way in ("In", "text") else ""
        parameters.append(f"{const}{c} {'' if item.way == 'value' else '*'}{item.name}")
    kind = case.return_kind
    return f"{'void' if kind is None else kind.c} {name}({', '.join(parameters) or 'void'})"


def wrapper(case: Case) -> str:
    """``void w_<name>(leaf, text, out)``: unpacks the leaves, calls, appends the leaves of the results.

    Texts come and go in ``text``; a leaf says whether an optional pointer is there.
    """
    before: list[str] = []
    after: list[str] = []
    for item in case.items:
        name, kind, n = item.name, item.kind, item.length
        optional = f"if (!*leaf++) {name} = 0;" if item.optional else ""
        if item.way == "text":
            before.append(f"const char *{name} = *text++; {optional}")
        elif item.way == "ret text":
            before.append(f"char *{name} = (char *)*text++;")
        elif kind is not None and item.way == "value":
            before.append(f"{kind.c} {name}; {_zero(kind, name)}{load(kind, name)}")
        elif kind is not None and item.way == "ret":
            before.append(f"{kind.c} m_{name}[1], *{name} = m_{name}; __builtin_memset({name}, 0, sizeof m_{name});")
        elif kind is not None:
            before.append(
                f"{kind.c} m_{name}[{n + 1}], *{name} = m_{name}; __builtin_memset({name}, 0, sizeof m_{name});"
            )
            if item.way in ("In", "InOut"):
                before.append(f"for (int i = 0; i < {n}; ++i) {{ {load(kind, f'm_{name}[i]')} }}")
            before.append(optional)
        if kind is not None and item.way == "ret":
            after.append(store(kind, f"m_{name}[0]"))
        elif kind is not None and item.way in ("Out", "InOut", "ret array"):
            after.append(f"for (int i = 0; i < {n}; ++i) {{ {store(kind, f'm_{name}[i]')} }}")
    call = f"{case.name}({', '.join(item.name for item in _ordered(case))})"
    returned = case.return_kind
    if returned is not None:
        call = f"{returned.c} r = {call}"
        after.insert(0, store(returned, "r"))
    lines = "\n    ".join([*before, f"{call};", *after, "(void)leaf; (void)text; (void)out;"])
    return (
        f"void w_{case.name}(const uint64_t *leaf, const char **text, uint64_t *out);\n"
        f"void w_{case.name}(const uint64_t *leaf, const char **text, uint64_t *out)\n{{\n    {lines}\n}}\n"
    )


def _zero(kind: Value, name: str) -> str:
    return f"__builtin_memset(&{name}, 0, sizeof {name}); " if isinstance(kind, Record) else ""


def kinds(cases: Sequence[Case]) -> list[Value]:
    """All types by value, or of elements."""
    found = [item.kind for case in cases for item in case.items if item.kind is not None]
    return found + [case.return_kind for case in cases if case.return_kind is not None]
