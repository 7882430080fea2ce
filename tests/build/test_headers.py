"""The C headers that kernels include: complete under both compilers, and known to their optimisers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from p4kernel import _resources
from p4kernel.build import Source, Toolchain, Unit
from tests.build.make import built, c

INCLUDE = _resources.stubs() / "include"
OURS = sorted(p.relative_to(INCLUDE).as_posix() for p in INCLUDE.rglob("*.h") if "c++" not in p.parts)
COMPILERS = ["stdint.h", "stddef.h", "stdbool.h", "limits.h", "float.h", "stdarg.h", "stdalign.h", "iso646.h"]
STRICT = ("-Wall", "-Wextra", "-Werror", "-Wpedantic", "-Wstrict-prototypes", "-Wsystem-headers")


def declared(header: str) -> set[str]:
    """Functions that a header declares and does not define."""
    text = re.sub(r"/\*.*?\*/", "", (INCLUDE / header).read_text(), flags=re.DOTALL)
    return set(
        re.findall(r"^(?!static)[a-z][\w *]*?\b(\w+)\([^()#]*\)\s*(?:__attribute__\(\(.*\)\))?;", text, re.MULTILINE)
    )


@pytest.mark.parametrize("opt", ["O0", "O2"])
@pytest.mark.parametrize("header", OURS + COMPILERS)
def test_alone_and_twice(header: str, opt: str, chain: Toolchain) -> None:
    """-std= comes last, as -Wpedantic is about the language and not about GNU's."""
    text = f"#include <{header}>\n#include <{header}>\nint entry(int x) {{ return x; }}\n"
    flags = tuple(flag for flag in STRICT if header in OURS or flag != "-Wsystem-headers")
    assert built(Source((Unit("kernel.c", text),), "entry"), chain, *flags, opt=opt).warnings == ()


def test_the_headers_are_ours(chain: Toolchain) -> None:
    """Not those of a libc that came with the compiler."""
    text = "".join(f"#include <{name}>\n" for name in OURS + COMPILERS)
    guards = "".join(f"#ifndef {guard}\n#error {guard}\n#endif\n" for guard in ("P4KERNEL_H", "_STRING_H", "_MATH_H"))
    foreign = "#if defined(__NEWLIB__) || defined(__PICOLIBC__) || defined(__GLIBC__)\n#error foreign\n#endif\n"
    built(c(text + guards + foreign + "int entry(void) { return 0; }"), chain)


def test_names_are_found() -> None:
    assert {"memcpy", "strstr", "strnlen"} <= declared("string.h")
    assert {"printf", "snprintf", "vsnprintf", "puts", "putchar"} <= declared("stdio.h")
    assert {"abs", "labs", "llabs", "malloc", "qsort"} <= declared("stdlib.h")
    assert {"sinf", "sin", "frexp", "lrintf", "llround", "modff"} <= declared("math.h")


@pytest.mark.parametrize("header", ["string.h", "stdio.h", "stdlib.h", "math.h"])
def test_every_function_has_the_compilers_type(header: str, chain: Toolchain) -> None:
    """A builtin's own type decides; GCC and clang warn about a declaration that differs."""
    table = ", ".join(f"(void *){name}" for name in sorted(declared(header)))
    text = f"#include <{header}>\nvoid *table[] = {{{table}}};\nvoid *entry(int i) {{ return table[i]; }}\n"
    result = built(c(text), chain, "-Werror", "-Wbuiltin-declaration-mismatch" if chain.family == "gcc" else "-Wall")
    assert {item.name for item in result.image.imports} == declared(header)


def test_the_firmware_exports_what_is_declared() -> None:
    path = _resources.stubs() / "exports.yaml"
    text = yaml.safe_load(path.read_text())
    exported = set(re.findall(r"\w+", yaml.safe_dump(text)))
    for header in OURS:
        assert declared(header) <= exported, header


ONE_INSTRUCTION = {
    "sqrtf(x)": 0x58057553,
    "fabsf(x)": 0x20A52553,
    "fmaf(x, y, y)": 0x58B57543,
    "copysignf(x, y)": 0x20B50553,
}


@pytest.mark.parametrize("call", ONE_INSTRUCTION)
def test_one_instruction(call: str, chain: Toolchain) -> None:
    image = built(c(f"#include <math.h>\nfloat entry(float x, float y) {{ (void)y; return {call}; }}"), chain).image
    assert image.imports == ()
    assert image.data == ONE_INSTRUCTION[call].to_bytes(4, "little") + bytes.fromhex("8280")


@pytest.mark.parametrize(
    "expression",
    [
        "strlen(\"kernel\") == 6", "sinf(0.0f) == 0.0f", "abs(-3) == 3", "isnan(NAN) && isinf(INFINITY)",
        "fpclassify(1e-40f) == FP_SUBNORMAL", "M_PI > 3.14", "INT_MAX == 2147483647",
        "isalpha('x') && !isdigit('x') && isspace('\\n') && toupper('q') == 'Q' && isxdigit('F') && ispunct('!')",
        "div(-7, 2).quot == -3 && div(-7, 2).rem == -1", "sizeof(long) == 4 && sizeof(void *) == 4",
        "memcmp(\"ab\", \"ab\", 2) == 0", "pow(2.0, 10.0) == 1024.0", "signbit(-0.0f) == 1", "CHAR_MIN == 0",
    ],
)  # fmt: skip
def test_known_to_the_optimiser(expression: str, chain: Toolchain) -> None:
    includes = "".join(f"#include <{name}>\n" for name in (*OURS, "limits.h"))
    image = built(c(f"{includes}int entry(void) {{ return {expression}; }}"), chain).image
    assert image.data[: image.text_size] == bytes.fromhex("0545 8280")  # c.li a0, 1; ret
    assert image.imports == ()


def test_formats(chain: Toolchain) -> None:
    names = [f"PRI{letter}{width}" for letter in "diouxX" for width in ("8", "16", "32", "64", "MAX", "PTR")]
    calls = []
    for name in names:
        unsigned = "" if name[3] in "di" else "u"
        kind = {"MAX": "intmax_t", "PTR": "intptr_t"}.get(name[4:], f"int{name[4:]}_t")
        calls.append(f'printf("%" {name} "\\n", ({unsigned}{kind})1);')
    text = "#include <inttypes.h>\n#include <stdio.h>\nint entry(void) {\n" + "\n".join(calls) + "return 0; }\n"
    assert built(c(text), chain, "-Wformat=2", "-Wextra").warnings == ()
    bad = built(c('#include <stdio.h>\nint entry(float x) { return printf("%d", x); }'), chain)
    assert "[-Wformat" in bad.warnings[0].message


def test_assert(chain: Toolchain) -> None:
    text = "#include <assert.h>\nint entry(int x) {{\n    assert(x > 2);\n    return x;\n}}\n"
    assert [item.name for item in built(c(text), chain).image.imports] == ["printf"]
    assert built(c("#define NDEBUG\n" + text), chain).image.imports == ()


def test_counters(chain: Toolchain) -> None:
    image = built(
        c("uint64_t entry(void) { return p4_cycles() + p4_instret() + p4_cycles64() + p4_instret64(); }"), chain
    )
    words = {int.from_bytes(image.image.data[i : i + 4], "little") for i in range(0, image.image.text_size - 2, 2)}
    read = {word >> 20 for word in words if word & 0xFFFFF07F == word & 0xFFF00000 | 0x2073}
    assert read == {0xC00, 0xC80, 0xC02, 0xC82}


def test_resources() -> None:
    assert (_resources.stubs() / "protocol.yaml").is_file()
    assert (_resources.firmware() / "core").is_dir()


def test_resources_in_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p4kernel" / "_stubs").mkdir(parents=True)
    monkeypatch.setattr(_resources, "__file__", str(tmp_path / "p4kernel" / "_resources.py"))
    assert _resources.stubs() == tmp_path / "p4kernel" / "_stubs"
    assert _resources.firmware() == tmp_path / "firmware"
