"""Instructions a second of the simulator, next to qemu-riscv32 on the same binaries."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measure import Result, result
from tests.sim.linux import ECALL_CAUSE, SYS_EXIT, compile_c, load
from tests.sim.machine import Machine

# Each program works long enough that the start of a process is a small part, and prints what it found.
_PROGRAMS = {
    "integer, hash loop": """
int main(void)
{
    u32 h = 2166136261u;
    for (u32 i = 0; i < 60000000; ++i) {
        h = (h ^ (i & 255)) * 16777619u;
        h = (h << 13) | (h >> 19);
    }
    put(&h, 4);
    return 0;
}""",
    "memory, CRC table": """
static u8 data[4096] PAGE;
int main(void)
{
    u32 table[256], crc = ~0u;
    for (u32 i = 0; i < 256; ++i) {
        u32 c = i;
        for (int k = 0; k < 8; ++k) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
    for (u32 i = 0; i < sizeof data; ++i) data[i] = i * 7;
    for (int r = 0; r < 15000; ++r)
        for (u32 i = 0; i < sizeof data; ++i) crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8);
    put(&crc, 4);
    return 0;
}""",
    "memory, sieve": """
static u8 flags[8192] PAGE;
int main(void)
{
    u32 count = 0;
    for (int r = 0; r < 4000; ++r) {
        for (u32 i = 0; i < sizeof flags; ++i) *(volatile u8 *)&flags[i] = 1;
        for (u32 i = 2; i < sizeof flags; ++i)
            if (flags[i]) {
                ++count;
                for (u32 k = 2 * i; k < sizeof flags; k += i) flags[k] = 0;
            }
    }
    put(&count, 4);
    return 0;
}""",
    "float, dot product": """
static float x[1024] PAGE, y[1024] PAGE;
int main(void)
{
    float sum = 0;
    for (int i = 0; i < 1024; ++i) { x[i] = i * 0.25f; y[i] = 1.0f / (i + 1); }
    for (int r = 0; r < 50000; ++r)
        for (int i = 0; i < 1024; ++i) sum = sum * 0.5f + x[i] * y[i];
    put(&sum, 4);
    return 0;
}""",
}
_NOTHING = "int main(void) { put(\"\", 0); return 0; }"


def _here(program: bytes) -> tuple[float, int, bytes]:
    """Seconds, instructions and output on the fast engine."""
    machine = Machine("fast", psram=16 << 20)
    machine.start(load(machine, program))
    output = b""
    start = time.perf_counter()
    while True:
        machine.run(1 << 40)
        x = machine.state.x
        if x[17] == SYS_EXIT or machine.state.mcause != ECALL_CAUSE:
            return time.perf_counter() - start, machine.state.instret, output
        output += machine.read(x[11], x[12])
        machine.state.pc += 4
        machine.push()


def _qemu(qemu: str, file: Path) -> tuple[float, bytes]:
    start = time.perf_counter()
    output = subprocess.run([qemu, file], check=True, capture_output=True).stdout
    return time.perf_counter() - start, output


def mips(times: int) -> Iterator[Result]:
    """Both simulators run each binary in turn; what a process of QEMU costs that does nothing is taken off."""
    qemu = shutil.which("qemu-riscv32")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        idle = _file(folder, _NOTHING)
        for what, source in _PROGRAMS.items():
            file = _file(folder, source)
            program = file.read_bytes()
            ours, theirs = [], []
            for _ in range(times):
                seconds, instructions, output = _here(program)
                ours.append(instructions / seconds / 1e6)
                if qemu is not None:
                    nothing, _ = _qemu(qemu, idle)
                    seconds, same = _qemu(qemu, file)
                    theirs.append(instructions / (seconds - nothing) / 1e6)
                    assert same == output
            goal = 300 if what.startswith("float") else 350
            yield result(what, ours, "MIPS", f"at least {goal}")
            if theirs:
                yield result(f"{what}, qemu-riscv32", theirs, "MIPS")
                ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
                yield result(f"{what}, ratio", ratios, "x", "at least 2" if what.startswith("float") else "at least 0.25")


def _file(folder: Path, source: str) -> Path:
    # Data on pages of its own: a store to a page that holds code is slow in both simulators.
    program = compile_c(source, folder, "-O2", "-DPAGE=__attribute__((aligned(4096)))")
    file = folder / f"{abs(hash(source))}.elf"
    file.write_bytes(program)
    file.chmod(0o755)
    return file
