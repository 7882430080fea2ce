"""Files of other kinds, broken files, and what is said of them."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from p4kernel.build import Toolchain
from p4kernel.cli import main
from p4kernel.errors import Error
from p4kernel.listing import of_file
from p4kernel.pie import encode
from tests.listing.make import SOURCE, assemble, compile_c, link, run

DOT = """
#include <p4_pie.h>
#include <math.h>
extern int outside(int) __attribute__((noinline));
static const int table[3] = {1, 2, 3};
static inline int half(int x) { return x / 2; }
int dot(const signed char *a, const signed char *b, int n)
{
    int result = half(n);
    if (n <= 0)
        return (int)fabsf(outside(n)) + table[-n];
    __asm__ volatile("esp.zero.xacc\\n"
                     "esp.lp.setup 0, %3, 1f\\n"
                     "esp.vld.128.ip q0, %0, 16\\n"
                     "1: esp.vmulas.s8.xacc q0, q1\\n"
                     "esp.movx.r.xacc.l %2" : "+r"(a), "+r"(b), "=r"(result) : "r"(n) : "memory");
    return result; /* the sum */
}
int outside(int x) { return x > 3 ? x : 3; }
"""


def objdump(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["objdump", *arguments])


def said(*arguments: str) -> str:
    result = objdump(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, SystemExit)
    return result.stderr.removeprefix("error: ").rstrip("\n").replace("\n", " ")


@pytest.mark.parametrize("debug", ["-gdwarf-4", "-gdwarf-5"])
@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_c(debug: str, level: str, chain: Toolchain, tmp_path: Path) -> None:
    """Lines are those of the C file, in sections of their own and in object files as in linked ones."""
    file = compile_c(chain, tmp_path, "dot", DOT, debug, level)
    source = tmp_path / "dot.c"
    for listed in (file, link(chain, tmp_path, file)):
        text = of_file(listed)
        assert "PIE as xespv 2.1 (chip revisions below 3), as the file says" in text
        assert level == "-O2" or f"; {source}:17  return result; /* the sum */" in text
        assert f"; {source}:19  int outside(int x) {{ return x > 3 ? x : 3; }}" in text
        before, _, after = text.partition("esp.lp.setup 0, ")
        assert f"; {source}:12  __asm__ volatile(" in before
        lines = after.splitlines()
        end = lines[0].removeprefix("a").partition("0x")[2].split()[0]
        assert lines[2].lstrip().startswith(f"{end}:") and "esp.vmulas.s8.xacc q0, q1" in lines[2]
        assert lines[2].endswith("# last of hardware loop 0")
        assert "esp.movx.r.xacc.l" in lines[3]
        assert "# %pcrel_hi(" in text if listed == file else "<outside>" in text or "# outside" in text


def test_sections_of_object_files_have_addresses_of_their_own(chain: Toolchain, tmp_path: Path) -> None:
    text = of_file(compile_c(chain, tmp_path, "dot", DOT))
    parts = text.split("\nSection ")[1:]
    assert sorted(part.split(":")[0] for part in parts) == [".text.dot", ".text.outside"]
    for part in parts:
        first = next(line for line in part.splitlines() if line.startswith("     "))
        assert first.startswith("     0:  ")


def test_what_revision_is_taken(chain: Toolchain, tmp_path: Path) -> None:
    file = str(assemble(chain, tmp_path, 2))
    assert "PIE as xespv 2.2 (chip revisions 3 and above), as the file says" in objdump(file).stdout
    assert "esp.vld.128.ip q0, a0, 16\n" in objdump(file, "--revision", "3").stdout
    other = objdump(file, "--revision", "1.3").stdout
    assert "PIE as xespv 2.1 (chip revisions below 3), as asked for" in other
    assert "esp.vld.128.ip q0, a0, 16\n" not in other
    assert objdump(file, "--revision", "-1").exit_code == 2


def test_both_generations_in_one_file(chain: Toolchain, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = assemble(chain, tmp_path / "one", 1)
    two = compile_c(chain, tmp_path / "two", "b", '#include <p4_pie.h>\nvoid b(void) { __asm__("esp.zero.q q1"); }',
                    "-UP4_PIE_GENERATION", "-DP4_PIE_GENERATION=2")  # fmt: skip
    file = link(chain, tmp_path, one, two)
    assert "PIE instructions of xespv 2.1 and of xespv 2.2: say with --revision" in said(str(file))
    assert encode("esp.zero.q q1", 3).to_bytes(4, "big").hex() in objdump(str(file), "--revision", "3").stdout


@pytest.mark.parametrize("generation", [1, 2])
def test_link_time_optimization(generation: int, chain: Toolchain, tmp_path: Path) -> None:
    """The mark of inline assembly is still there when the code was made at link time."""
    flags = ("-flto", "-UP4_PIE_GENERATION", f"-DP4_PIE_GENERATION={generation}")
    file = compile_c(chain, tmp_path, "dot", DOT, *flags)
    if chain.family == "gcc":  # its linker needs the compiler's plugin
        run(*chain.compiler, "-flto", "-march=rv32imafc_zicsr_zifencei", "-mabi=ilp32f", "-O2", "-nostdlib",
            "-Wl,-m,elf32lriscv,-e,dot", "-o", str(tmp_path / "app.elf"), str(file))  # fmt: skip
    else:
        link(chain, tmp_path, file)
    text = of_file(tmp_path / "app.elf", function="dot")
    assert f"PIE as xespv 2.{generation} (" in text and "as the file says" in text
    assert "esp.vmulas.s8.xacc q0, q1" in text


def test_functions_that_are_not_there(chain: Toolchain, tmp_path: Path) -> None:
    file = assemble(chain, tmp_path, 1)
    assert said(str(file), "--function", "twise") == f"{file} has no function twise; did you mean twice?"
    assert said(str(file), "--function", "zzz") == f"{file} has no function zzz"
    stripped = link(chain, tmp_path, file, flags=("-s",))
    assert "was stripped: without symbols there is no way to find the function dot" in said(
        str(stripped), "--function", "dot"
    )


def test_what_is_no_program(tmp_path: Path, zig: Toolchain) -> None:
    assert said(str(tmp_path / "none.elf")) == f"{tmp_path}/none.elf: No such file or directory"
    assert said(str(tmp_path)) == f"{tmp_path}: Is a directory"
    assert said(str(SOURCE)) == f"{SOURCE} is no ELF file"
    assert "is a 64-bit little-endian ELF file; the ESP32-P4 is 32-bit" in said(str(Path(sys.executable).resolve()))
    archive = tmp_path / "lib.a"
    archive.write_bytes(b"!<arch>\n")
    assert said(str(archive)) == (
        f"{archive} is an archive: take the object files out of it (`ar x {archive}`) and list them one by one"
    )
    data = bytearray(assemble(zig, tmp_path, 1).read_bytes())
    struct.pack_into("<H", data, 18, 40)
    arm = tmp_path / "arm.o"
    arm.write_bytes(data)
    assert said(str(arm)) == f"{arm} is for another machine (ELF machine 40), not for RISC-V"
    empty = compile_c(zig, tmp_path, "empty", "int only_data = 3;")
    assert said(str(empty)) == f"{empty} has no code in it"


def test_cut_files(chain: Toolchain, tmp_path: Path) -> None:
    data = compile_c(chain, tmp_path, "dot", DOT).read_bytes()
    file = tmp_path / "cut.o"
    for size in (0, 3, 16, 51, 52, 100, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:size])
        assert said(str(file)).startswith(str(file))


@pytest.mark.parametrize("linked", [False, True])
def test_damaged_files(linked: bool, zig: Toolchain, tmp_path: Path) -> None:
    """A listing or an error that names the file, and nothing else."""
    whole = assemble(zig, tmp_path, 1)
    data = (link(zig, tmp_path, whole) if linked else whole).read_bytes()
    choose = random.Random(7)
    file = tmp_path / "damaged.o"
    refused = 0
    for _ in range(400):
        damaged = bytearray(data)
        for _ in range(choose.randrange(1, 6)):
            damaged[choose.randrange(len(data))] = choose.choice((0, 1, 0x7F, 0x80, 0xFF, choose.randrange(256)))
        file.write_bytes(damaged)
        try:
            of_file(file, source=choose.random() < 0.5)
        except Error as error:
            assert str(error).startswith(str(file))
            refused += 1
    assert 0 < refused < 400


def test_broken_debug_information(zig: Toolchain, tmp_path: Path) -> None:
    file = compile_c(zig, tmp_path, "dot", DOT)
    data = file.read_bytes()
    at = data.index(b".debug_info\0")
    headers = range(struct.unpack_from("<I", data, 32)[0], len(data), 40)
    names = struct.unpack_from("<I", data, headers[struct.unpack_from("<H", data, 50)[0]] + 16)[0]
    header = next(h for h in headers if names + struct.unpack_from("<I", data, h)[0] == at)
    start = struct.unpack_from("<I", data, header + 16)[0]
    file.write_bytes(data[:start] + b"\xff\xff\xff\x7f\x63" + data[start + 5 :])
    text = said(str(file))
    assert "its debug information cannot be read" in text and "--no-source lists the code without it" in text
    assert "esp.zero.xacc" in objdump(str(file), "--no-source").stdout


def test_compressed_debug_information(gcc: Toolchain, tmp_path: Path) -> None:
    """Linked, pyelftools reads it; in an object file its relocations would have to be applied first."""
    file = compile_c(gcc, tmp_path, "dot", DOT, "-gz=zlib")
    assert "is compressed" in said(str(file))
    assert "esp.zero.xacc" in objdump(str(file), "--no-source").stdout
    linked = link(gcc, tmp_path, file, flags=("--compress-debug-sections=zlib",))
    assert "; {}:12  __asm__ volatile(".format(tmp_path / "dot.c") in of_file(linked)


def test_output_into_a_pipe(zig: Toolchain, tmp_path: Path) -> None:
    """Nothing is said when the reader goes away."""
    file = assemble(zig, tmp_path, 1)
    shell = f"{sys.executable} -m p4kernel objdump {file} | head -1"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(file)) and done.stderr == ""
