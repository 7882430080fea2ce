"""Static archives and object files that kernels are linked with."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

import p4kernel as p4
from p4kernel import build
from p4kernel.build import toolchain
from p4kernel.build.archive import needed
from p4kernel.build.elf import Elf
from p4kernel.build.source import Options, Unit, command
from tests.tools import require


def archive(folder: Path, name: str, members: dict[str, str], *flags: str) -> Path:
    """A static archive, made with the compiler that P4KERNEL_CC names."""
    chain = toolchain.find()
    objects = []
    for member, text in members.items():
        (folder / member).write_text(text)
        words = command(Unit(member, text, "cpp" if member.endswith(".cpp") else "c"), Options(flags=flags), chain)
        subprocess.run([*words, "-isystem", chain.includes[0], "-o", f"{member}.o"], cwd=folder, check=True)
        objects.append(f"{member}.o")
    subprocess.run([require("riscv64-unknown-elf-ar"), "rcs", name, *objects], cwd=folder, check=True)
    return folder / name


LIBRARY = {
    "needed.c": "int deeper(int); int needed(int x) { return deeper(x) + 1; }\n",
    "with_a_very_long_name_indeed.c": "int counter = 5; int deeper(int x) { return x * counter++; }\n",
    "other.c": "int absent(void); int other(int x) { return x + absent(); }\nchar big[100000] = {1};\n",
}


@pytest.mark.usefixtures("compiler")
def test_only_needed_members(tmp_path: Path) -> None:
    library = archive(tmp_path, "libx.a", LIBRARY)

    @p4.kernel(libraries=[library])
    def f(x: p4.i32) -> p4.i32:
        p4.c("return needed(x) * 10 + needed(x);", preamble="int needed(int);")

    assert f(3) == 16 * 10 + 19
    assert f(3) == 16 * 10 + 19  # its variables are reset, too
    assert f.build.size.total < 1000
    assert "other" not in {symbol.name for symbol in f.build.symbols}


@pytest.mark.usefixtures("compiler")
def test_archives_that_need_each_other(tmp_path: Path) -> None:
    one = archive(tmp_path, "lib1.a", {"a.c": "int b(int); int a(int x) { return b(x) + 1; }\n", "c.c": "int c = 7;\n"})
    two = archive(tmp_path, "lib2.a", {"b.c": "extern int c; int b(int x) { return x + c; }\n"})
    for order in ([one, two], [two, one]):

        @p4.kernel(libraries=order, lto=True)
        def f(x: p4.i32) -> p4.i32:
            p4.c("return a(x);", preamble="int a(int);")

        assert f(1) == 9


@pytest.mark.usefixtures("compiler")
def test_object_files_are_linked_whole(tmp_path: Path) -> None:
    archive(tmp_path, "unused.a", {"part.c": "int part(int x) { return x * 6; }\n"})

    @p4.kernel(libraries=[tmp_path / "part.c.o"])
    def f(x: p4.i32) -> p4.i32:
        p4.c("return part(x);", preamble="int part(int);")

    assert f(7) == 42


def test_a_changed_library_is_linked_anew(tmp_path: Path) -> None:
    results = []
    for value in (1, 1, 2):
        library = archive(tmp_path, "libv.a", {"v.c": f"int v(void) {{ return {value}; }}\n"})
        os.utime(library, (1e9 + value, 1e9 + value))

        @p4.kernel(libraries=[library])
        def f() -> p4.i32:
            p4.c("return v();", preamble="int v(void);")

        results.append((f(), f.build.from_cache == "built"))
    assert results == [(1, True), (1, False), (2, True)]
    build.forget()


# -- mistakes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "no static archive and no object file"),
        (b"", "no static archive"),
        (b"!<thin>\n", "a thin archive"),
        (b"!<arch>\n" + b"x" * 30, "is damaged at byte 8"),
        (b"!<arch>\n" + b"a.o/".ljust(48) + b"99999     `\n" + b"x", "is damaged at byte 8"),
        (b"!<arch>\n" + b"a.o/".ljust(48) + b"4         `\nBC\xc0\xde", r"lib.a\(a.o\) is LLVM bitcode"),
        (b"!<arch>\n" + b"a.o/".ljust(48) + b"4         `\ntext", r"lib.a\(a.o\): this is no 32-bit"),
    ],
)
def test_files_that_are_no_libraries(content: bytes, message: str, tmp_path: Path) -> None:
    library = tmp_path / "lib.a"
    library.write_bytes(content)

    @p4.kernel(libraries=[library])
    def f() -> p4.i32:
        p4.c("return v();", preamble="int v(void);")

    with pytest.raises(p4.LinkError, match=message):
        f()


def member(name: bytes, content: bytes) -> bytes:
    """One member of an archive."""
    head = name.ljust(16) + b"0".ljust(12) + b"0".ljust(6) * 2 + b"644".ljust(8) + str(len(content)).encode().ljust(10)
    return head + b"`\n" + content + b"\n" * (len(content) % 2)


@pytest.mark.usefixtures("compiler")
def test_members_of_one_name(tmp_path: Path) -> None:
    """Archives may hold several; both count, and what one of them defines is no function of the firmware."""
    archive(tmp_path, "made.a", {"a.c": "int puts(const char *); int one(int x) { return x + (x > 99 ? puts(\"\") : 1); }\n"})
    archive(tmp_path, "made2.a", {"b.c": "int abs(int); int one(int); int two(int x) { return abs(one(x)) * 2; }\n"})
    content = [member(b"y.o/", (tmp_path / f"{name}.c.o").read_bytes()) for name in "ab"]
    for order in (content, content[::-1]):
        (library := tmp_path / "lib.a").write_bytes(b"!<arch>\n" + b"".join(order))

        @p4.kernel(libraries=[library])
        def f(x: p4.i32) -> p4.i32:
            p4.c("return two(x);", preamble="int two(int);")

        assert f(-7) == 12
        assert "one" not in {name for name, _ in f.build.image.imports}
        assert "puts" in {name for name, _ in f.build.image.imports}
        build.forget()


@pytest.mark.usefixtures("compiler")
def test_archives_of_both_kinds(tmp_path: Path) -> None:
    """GNU's and BSD's names; the indexes are empty, as nothing depends on them."""
    archive(tmp_path, "made.a", {"part.c": "int part(int x) { return x * 6; }\n"})
    code = (tmp_path / "part.c.o").read_bytes()
    name = b"a name with spaces that is long.o"
    bsd = member(b"__.SYMDEF SORTED", b"") + member(f"#1/{len(name) + 3}".encode(), name + b"\0\0\0" + code)
    gnu = member(b"/", b"") + member(b"//", b"x/\n" + name + b"/\n") + member(b"/3", code)
    for content in (bsd, gnu):
        (library := tmp_path / "lib.a").write_bytes(b"!<arch>\n" + content)
        assert [m.name for m in needed([str(library)], [Elf(wanting(tmp_path))])] == [f"lib.a({name.decode()})"]

        @p4.kernel(libraries=[library])
        def f(x: p4.i32) -> p4.i32:
            p4.c("return part(x);", preamble="int part(int);")

        assert f(7) == 42
        build.forget()


def wanting(folder: Path) -> bytes:
    """An object file that calls ``part``."""
    archive(folder, "w.a", {"w.c": "int part(int); int w(int x) { return part(x); }\n"})
    return (folder / "w.c.o").read_bytes()


@pytest.mark.usefixtures("compiler")
def test_a_library_of_cpp(tmp_path: Path) -> None:
    """It needs what a compiler of C++ calls by itself: that is linked with kernels that have C++ in them."""
    text = 'extern "C" int made(int x) { auto *p = new int(x); int y = *p; delete p; return y; }\n'
    library = archive(tmp_path, "libc++.a", {"made.cpp": text}, "-fno-builtin", "-O0")
    prototype = "int made(int);"

    @p4.kernel(libraries=[library])
    def in_cpp(x: p4.i32) -> p4.i32:
        p4.cpp("return made(x);", preamble=f'extern "C" {prototype}')

    @p4.kernel(libraries=[library])
    def in_c(x: p4.i32) -> p4.i32:
        p4.c("return made(x);", preamble=prototype)

    assert in_cpp(5) == 5
    with pytest.raises(p4.LinkError, match="programs with C.. in them are kernels of p4.cpp"):
        in_c(5)


@pytest.mark.parametrize("name", ["__cxa_throw", "__gxx_personality_v0", "_ZTVN10__cxxabiv117__class_type_infoE"])
def test_a_library_with_exceptions(name: str, tmp_path: Path) -> None:
    library = archive(tmp_path, "libthrow.a", {"t.c": f"void {name}(void); int t(void) {{ {name}(); return 0; }}\n"})

    @p4.kernel(libraries=[library])
    def f() -> p4.i32:
        p4.c("return t();", preamble="int t(void);")

    with pytest.raises(p4.LinkError, match=f"{name}.*build with -fno-exceptions -fno-rtti"):
        f()


def test_damaged_archives(tmp_path: Path) -> None:
    """Whatever is cut or flipped, it is read or refused."""
    library = archive(tmp_path, "libx.a", LIBRARY)
    good, dice, refused = library.read_bytes()[:9000], random.Random(7), 0
    own = [Elf(wanting(tmp_path))]
    for _ in range(300):
        data = bytearray(good[: dice.randrange(len(good))] if dice.random() < 0.3 else good)
        for _ in range(dice.randint(1, 4)):
            if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
        library.write_bytes(data)
        try:
            needed([str(library)], own)
        except p4.LinkError as error:
            assert str(library) in str(error) or "libx.a(" in str(error)
            refused += 1
    assert refused > 30


def test_a_library_for_another_abi(tmp_path: Path) -> None:
    gcc = require("riscv64-unknown-elf-gcc")
    (tmp_path / "v.c").write_text("int v(void) { return 1; }\n")
    for flags, message in (
        (["-march=rv32imac", "-mabi=ilp32"], r"v\.o has another ABI than ilp32f"),
        (["-march=rv64gc", "-mabi=lp64d"], r"v\.o: this is no 32-bit"),
        (["-march=rv32imafc", "-mabi=ilp32f", "-flto"], "built without -flto"),
    ):
        subprocess.run([gcc, *flags, "-c", "v.c"], cwd=tmp_path, check=True)

        @p4.kernel(libraries=[tmp_path / "v.o"])
        def f() -> p4.i32:
            p4.c("return v();", preamble="int v(void);")

        with pytest.raises(p4.LinkError, match=message):
            f()


RELAXED = {
    "far.c": (
        "int shared = 3; static int hidden[4] = {1, 2, 3, 4};\n"
        "__attribute__((aligned(64), noinline)) int far(int i) { return hidden[i & 3]++ + shared; }\n"
    ),
    "near.c": (
        "extern int shared; int far(int);\n"
        "__attribute__((aligned(32))) int near(int i) { ++shared; return far(i) * 10 + far(i); }\n"
    ),
}  # fmt: skip


@pytest.mark.usefixtures("compiler")
def test_a_library_as_esp_idf_builds_it(tmp_path: Path) -> None:
    """With marks for the linker's relaxation, with small data, and for a chip with extensions that no linker knows."""
    library = archive(tmp_path, "libidf.a", RELAXED, "-mrelax", "-msmall-data-limit=8", "-fasynchronous-unwind-tables")
    data = library.read_bytes()
    assert data.count(b"zifencei2p0") >= 2
    library.write_bytes(data.replace(b"zifencei2p0", b"xesppiev1p0"))
    assert b".sdata" in data

    @p4.kernel(libraries=[library])
    def f(i: p4.i32) -> p4.i32:
        p4.c("return near(i);", preamble="int near(int);")

    assert f(1) == (2 + 4) * 10 + (3 + 4)
    assert f(3) == (4 + 4) * 10 + (5 + 4)
