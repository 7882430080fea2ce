"""One translation unit of C or assembly to an object file: the dialect, and what a kernel's flags may not say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from p4kernel import _resources
from p4kernel.build import diagnostics
from p4kernel.build._process import Job, run
from p4kernel.build.toolchain import Toolchain
from p4kernel.errors import CompileError, Diagnostic

__all__ = ["Compiled", "Options", "Source", "Unit", "command", "compile_units", "include_folder"]

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
_CONTRACT: Final = ("fast", "on", "off")
# What would change the kind of output, or what the cache does not see.
_REFUSED: Final = re.compile(
    r"-o.*|-[cSE]|-M.*|-x.*|-march=.*|-mabi=.*|-mcmodel=.*|-mrelax|-f(no-)?(lto|pic|PIC|pie|PIE)\b.*|-save-temps.*|@.*|"
    r"-pipe|-specs=.*|--specs.*|-T.*|-l.*|-L.*|-Wl,.*|-Wp,.*|-Xlinker|-Xpreprocessor|-shared|-static|-pg|--coverage|"
    r"-fprofile-.*|-fplugin.*|-B.*|-###|-v|--version|-f(no-)?stack-protector.*|-gsplit-dwarf.*|--target=.*|-target|"
    r"-fsanitize.*"
)
_PATH_FLAG: Final = re.compile(r"(-I|-iquote|-isystem|-idirafter|-include|-imacros)(=?)(.*)")


@dataclass(frozen=True)
class Unit:
    """One translation unit. ``name`` is what the compiler sees as its file name: no path, the same for every user."""

    name: str
    text: str
    language: Literal["c", "asm"] = "c"


@dataclass(frozen=True)
class Source:
    """Units that are compiled one by one and linked together; ``entry`` is the function that the board jumps to."""

    units: tuple[Unit, ...]
    entry: str


@dataclass(frozen=True)
class Options:
    """How to compile. Relative paths in ``flags`` are taken from ``folder``, which is the current folder by default."""

    opt: str = "O2"
    flags: tuple[str, ...] = ()
    fp_contract: str = "fast"
    folder: str | None = None

    def resolved(self) -> Options:
        """Checked, with absolute paths. CompileError if an option is not for kernels."""
        if self.opt not in _OPTIMIZE:
            raise CompileError(f"opt={self.opt!r} is none of {', '.join(_OPTIMIZE)}")
        if self.fp_contract not in _CONTRACT:
            raise CompileError(f"fp_contract={self.fp_contract!r} is none of {', '.join(_CONTRACT)}")
        return Options(self.opt, tuple(self._resolve_flags()), self.fp_contract)

    def _resolve_flags(self) -> list[str]:
        folder = Path(self.folder or ".").absolute()
        out: list[str] = []
        path_follows = False
        for flag in self.flags:
            if path_follows:
                out.append(str(folder / flag))
                path_follows = False
            elif _REFUSED.fullmatch(flag):
                raise CompileError(f"the flag {flag!r} is not for kernels: p4kernel decides it")
            elif not flag.startswith("-"):
                raise CompileError(f"{flag!r} in flags is not a flag; one with a space in it takes two items")
            elif match := _PATH_FLAG.fullmatch(flag):
                path_follows = not match[3]
                out.append(match[1] + match[2] + (str(folder / match[3]) if match[3] else ""))
            else:
                out.append(flag)
        if path_follows:
            raise CompileError(f"the flag {self.flags[-1]!r} needs a path after it")
        return out


@dataclass(frozen=True)
class Compiled:
    """Object files (names in the scratch folder), warnings, and the other files that were read."""

    objects: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]
    dependencies: tuple[str, ...]


def include_folder() -> str:
    """Folder of our C headers."""
    return str(_resources.stubs() / "include")


def command(unit: Unit, options: Options, toolchain: Toolchain) -> list[str]:
    """The command line for one unit, without what depends on the machine: scratch folder, output, header folders."""
    return [
        *toolchain.compiler, *_FAMILY[toolchain.family], *_TARGET, *_DIALECT, f"-{options.opt}",
        f"-ffp-contract={options.fp_contract}", *options.flags, *_LANGUAGE[unit.language], "-c", unit.name,
    ]  # fmt: skip


def compile_units(source: Source, options: Options, toolchain: Toolchain, folder: Path) -> Compiled:
    """Compiles every unit in ``folder``, side by side. ``options`` are resolved. CompileError with all messages."""
    own = (include_folder(), *toolchain.includes)
    places = []
    for name in own:
        places += ["-isystem", name]
    # Paths of this machine stay out of debug information and __FILE__.
    maps = [f"-ffile-prefix-map={name}={neutral}" for name, neutral in (
        (folder.resolve(), "."), (folder, "."), (own[0], "p4kernel"), *((name, "compiler") for name in own[1:])
    )]  # fmt: skip
    jobs = []
    for index, unit in enumerate(source.units):
        _check_name(unit.name)
        (folder / unit.name).write_text(unit.text, encoding="utf-8", newline="\n")
        output = ["-o", f"p4.{index}.o", "-MD", "-MF", f"p4.{index}.d"]
        jobs.append(Job([*command(unit, options, toolchain), *places, *maps, *output], folder))
    results = run(jobs)
    found = [item for result in results for item in diagnostics.parse(result.messages)]
    if any(result.code for result in results):
        _fail(found, "\n".join(result.messages for result in results if result.code))
    dependencies: set[str] = set()
    for index in range(len(source.units)):
        rule = (folder / f"p4.{index}.d").read_text(encoding="utf-8", errors="surrogateescape")
        dependencies.update(_read_dependencies(rule))
    others = (path for path in dependencies if Path(path).is_absolute() and not path.startswith(own))
    return Compiled(tuple(f"p4.{i}.o" for i in range(len(jobs))), tuple(found), tuple(sorted(others)))


def _fail(found: Sequence[Diagnostic], messages: str) -> None:
    errors = [item for item in found if item.severity == "error"]
    if not errors:
        raise CompileError(f"the compiler failed:\n{messages.strip()}", found)
    more = f"\n({len(errors) - 1} more)" if len(errors) > 1 else ""
    raise CompileError(f"{errors[0]}{more}", found)


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z_][\w.-]*", name, re.ASCII) or name.startswith("p4."):
        raise CompileError(f"{name!r} cannot be the name of a unit")


def _read_dependencies(text: str) -> list[str]:
    """File names of a make rule, as ``-MD`` writes it."""
    _, _, names = text.replace("\\\n", " ").partition(": ")
    words = re.findall(r"(?:\\.|[^\s\\]|\\(?=\S))+", names)
    return [re.sub(r"\\([ #])", r"\1", word).replace("$$", "$") for word in words]
