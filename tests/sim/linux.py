"""Small static RV32 Linux programs: run by qemu-riscv32, and by our core with the same two system calls."""

from __future__ import annotations

import os
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from p4kernel._native import lib
from tests.tools import ZIG

from .machine import BASE, Machine

SYS_WRITE, SYS_EXIT = 64, 93
ECALL_CAUSE = 11
_ELF_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIIIIIII")
_EM_RISCV, _FLOAT_ABI_SINGLE_RVC = 243, 0x3
_C_FLAGS = (
    "--target=riscv32-unknown-elf", "-march=rv32imafc_zicsr_zifencei", "-mabi=ilp32f", "-ffreestanding", "-nostdinc",
    "-fno-builtin", "-ffp-contract=fast", "-fno-math-errno", "-Wall", "-Werror",
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    output: bytes
    instructions: int = field(default=0, compare=False)
    """Known of our own runs only."""


def elf(image: bytes, size: int, entry: int = BASE) -> bytes:
    """An ELF file with one segment of image at BASE, zero-filled to size."""
    offset = 4096
    identification = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    header = _ELF_HEADER.pack(
        identification, 2, _EM_RISCV, 1, entry, _ELF_HEADER.size, 0, _FLOAT_ABI_SINGLE_RVC, _ELF_HEADER.size,
        _PROGRAM_HEADER.size, 1, 0, 0, 0,
    )  # fmt: skip
    segment = _PROGRAM_HEADER.pack(1, offset, BASE, BASE, len(image), size, 7, 4096)
    return (header + segment).ljust(offset, b"\0") + image


def run_qemu(qemu: str, program: bytes, folder: Path) -> Ended:
    path = folder / "program.elf"
    path.write_bytes(program)
    path.chmod(0o755)
    done = subprocess.run([qemu, os.fspath(path)], capture_output=True, timeout=60, check=False)
    return Ended(done.returncode, done.stdout)


def load(machine: Machine, program: bytes) -> int:
    """Writes the segments of a program to memory; its entry."""
    entry: int
    entry, headers, count = (*struct.unpack_from("<II", program, 24), struct.unpack_from("<H", program, 44)[0])
    for index in range(count):
        kind, offset, address, _, file_size, *_ = _PROGRAM_HEADER.unpack_from(program, headers + 32 * index)
        if kind == 1:
            machine.write(address, program[offset : offset + file_size])
    return entry


def run_here(engine: str, program: bytes) -> Ended:
    """The same on our core: segments loaded, ecalls served from outside."""
    machine = Machine(engine, psram=16 << 20)
    machine.start(load(machine, program))
    output = bytearray()
    while True:
        assert machine.run(1 << 40) == lib.P4S_TRAP
        x = machine.state.x
        assert machine.state.mcause == ECALL_CAUSE, (machine.state.mcause, hex(machine.state.pc))
        if x[17] == SYS_EXIT:
            return Ended(x[10] & 0xFF, bytes(output), machine.state.instret)
        assert x[17] == SYS_WRITE, x[17]
        output += machine.read(x[11], x[12])
        x[10] = x[12]
        machine.state.pc += 4
        machine.push()


def compile_c(source: str, folder: Path, *flags: str) -> bytes:
    """C with `int main(void)` and `void put(const void *, unsigned)`, compiled by zig's clang, as a static program."""
    (folder / "program.c").write_text(_RUNTIME + source)
    (folder / "script.ld").write_text(_SCRIPT)
    compile_line = [os.fspath(ZIG), "clang", *_C_FLAGS, *flags, "-c", "program.c", "-o", "program.o"]
    link_line = [os.fspath(ZIG), "ld.lld", "-T", "script.ld", "program.o", "-o", "program.elf"]
    for line in (compile_line, link_line):
        subprocess.run(line, cwd=folder, check=True, timeout=120)
    return (folder / "program.elf").read_bytes()


_SCRIPT = f"""ENTRY(_start)
PHDRS {{ all PT_LOAD FLAGS(7); }}
SECTIONS {{
  . = {BASE:#x};
  .all : {{ *(.text*) *(.rodata* .srodata*) *(.data* .sdata*) *(.bss* .sbss* COMMON) }} :all
  /DISCARD/ : {{ *(.comment) *(.riscv.attributes) *(.note*) *(.eh_frame*) }}
}}
"""
_RUNTIME = """
typedef unsigned u32; typedef int i32; typedef unsigned char u8; typedef unsigned short u16;
__attribute__((aligned(16), used)) static u8 stack[65536];
static long call(long number, long a, long b, long c)
{
    register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}
static inline void put(const void *data, u32 size) { call(64, 1, (long)data, size); }
int main(void);
__attribute__((used)) static void enter(void) { call(93, main(), 0, 0); for (;;) {} }
__attribute__((naked, noreturn)) void _start(void) { __asm__("la sp, stack\\n lui t0, 16\\n add sp, sp, t0\\n j enter"); }
void *memset(void *d, int c, u32 n) { for (u8 *p = d; n; --n) *p++ = c; return d; }
void *memcpy(void *d, const void *s, u32 n) { u8 *p = d; for (const u8 *q = s; n; --n) *p++ = *q++; return d; }
"""
