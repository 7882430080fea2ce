"""What to build: units, options, and the dialect that both compilers are asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal, NamedTuple

from p4kernel import _resources
from p4kernel.build.toolchain import Toolchain
from p4kernel.errors import CompileError

__all__ = ["Options", "Source", "Unit", "command", "include_folder"]

_TARGET: Final = ("-march=rv32imafc_zicsr_zifencei", "-mabi=ilp32f", "-mcmodel=medany", "-mno-relax")
_DIALECT: Final = (
    "-ffreestanding", "-nostdinc", "-fno-math-errno", "-fno-common", "-fno-pic", "-fno-stack-protector",
    "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-fdata-sections",
    "-msmall-data-limit=0", "-g", "-Wall",
)  # fmt: skip
_LANGUAGE: Final = {"c": ("-std=gnu11", "-x", "c"), "asm": ("-x", "assembler-with-cpp")}
_FAMILY: Final = {
    # One message is one line. Clang counts columns in bytes, GCC has to be told.
    "clang": ("--target=riscv32-unknown-elf", "-fno-caret-diagnostics", "-fno-color-diagnostics",
              "-Wno-unused-command-line-argument"),
    "gcc": ("-fdiagnostics-plain-output", "-fdiagnostics-column-unit=byte", "-gno-record-gcc-switches"),
}  # fmt: skip
_OPTIMIZE: Final = ("O0", "O1", "O2", "O3", "Os", "Oz", "Og")
_GENERATION: Final = "P4_PIE_GENERATION"  # the macro that p4_pie.h looks at
_CONTRACT: Final = ("fast", "on", "off")
# What would change the kind of output, or what the cache does not see.
_REFUSED: Final = (
    r"-o.*|-[cSE]|-M.*|-x.*|-march=.*|-mabi=.*|-mcmodel=.*|-mrelax|-f(no-)?(lto|pic|PIC|pie|PIE)\b.*|-save-temps.*|@.*|"
    r"-pipe|-specs=.*|--specs.*|-T.*|-l.*|-L.*|-Wl,.*|-Wp,.*|-Xlinker|-Xpreprocessor|-shared|-static|-pg|--coverage|"
    r"-fprofile-.*|-fplugin.*|-B.*|-###|-v|--version|-f(no-)?stack-protector.*|-gsplit-dwarf.*|--target=.*|-target|"
    r"-fsanitize.*"
)
_PATH_FLAG: Final = r"(-I|-iquote|-isystem|-idirafter|-include|-imacros)(=?)(.*)"


class Unit(NamedTuple):
    """One translation unit. ``name`` is what the compiler sees as its file name: no path, the same for every user."""

    name: str
    text: str
    language: Literal["c", "asm"] = "c"


class Source(NamedTuple):
    """Units that are compiled one by one and linked together; ``entry`` is the function that the board jumps to."""

    units: tuple[Unit, ...]
    entry: str

    def check(self) -> None:
        """CompileError for names and texts that cannot become files."""
        names = set()
        for name, text, _ in self.units:
            if not re.fullmatch(r"[A-Za-z_][\w.-]*", name, re.ASCII) or name.startswith("p4.") or name in names:
                raise CompileError(f"{name!r} cannot be the name of a unit, or is that of two")
            names.add(name)
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise CompileError(f"{name}: the text cannot be written as UTF-8: {error.reason}") from None


class Options(NamedTuple):
    """How to compile. Relative paths in ``flags`` are taken from ``folder``, which is the current folder by default.

    ``generation`` is that of PIE, the chip's SIMD unit (p4kernel.generations), unless the flags set P4_PIE_GENERATION.
    """

    opt: str = "O2"
    flags: tuple[str, ...] = ()
    fp_contract: str = "fast"
    folder: str | None = None
    generation: int = 1

    def resolved(self) -> Options:
        """Checked, with absolute paths. CompileError if an option is not for kernels."""
        if self.opt not in _OPTIMIZE:
            raise CompileError(f"opt={self.opt!r} is none of {', '.join(_OPTIMIZE)}")
        if self.fp_contract not in _CONTRACT:
            raise CompileError(f"fp_contract={self.fp_contract!r} is none of {', '.join(_CONTRACT)}")
        return Options(self.opt, tuple(self._resolve_flags()), self.fp_contract, generation=self.generation)

    def _resolve_flags(self) -> list[str]:
        folder = Path(self.folder or ".").absolute()
        out: list[str] = []
        path_follows = False
        for flag in self.flags:
            if path_follows:
                out.append(str(folder / flag))
                path_follows = False
            elif re.fullmatch(_REFUSED, flag):
                raise CompileError(f"the flag {flag!r} is not for kernels: p4kernel decides it")
            elif not flag.startswith("-"):
                raise CompileError(f"{flag!r} in flags is not a flag; a flag and its value are one item, as in '-DX=1'")
            elif match := re.fullmatch(_PATH_FLAG, flag):
                path_follows = not match[3]
                out.append(match[1] + match[2] + (str(folder / match[3]) if match[3] else ""))
            else:
                out.append(flag)
        if path_follows:
            raise CompileError(f"the flag {self.flags[-1]!r} needs a path after it")
        return out


def include_folder() -> str:
    """Folder of our C headers."""
    return str(_resources.stubs() / "include")


def command(unit: Unit, options: Options, toolchain: Toolchain) -> list[str]:
    """The command line for one unit, without what depends on the machine: scratch folder, output, header folders."""
    pinned = any(flag[:2] in ("-D", "-U") and flag[2:].partition("=")[0] == _GENERATION for flag in options.flags)
    chosen = () if pinned else (f"-D{_GENERATION}={options.generation}",)
    return [
        *toolchain.compiler, *_FAMILY[toolchain.family], *_TARGET, *_DIALECT, f"-{options.opt}",
        f"-ffp-contract={options.fp_contract}", *chosen, *options.flags, *_LANGUAGE[unit.language], "-c", unit.name,
    ]  # fmt: skip
