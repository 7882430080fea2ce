"""What to build: units, options, and the dialect that both compilers are asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal, NamedTuple

from p4kernel import _resources
from p4kernel.build.toolchain import Toolchain
from p4kernel.errors import CompileError

__all__ = ["ARCH", "Options", "Source", "Unit", "command", "cpp_folder", "include_folder", "lto_command"]

_TARGET: Final = ("-march=rv32imafc_zicsr_zifencei", "-mabi=ilp32f", "-mcmodel=medany", "-mno-relax")
_DIALECT: Final = (
    "-ffreestanding", "-nostdinc", "-fno-math-errno", "-fno-common", "-fno-pic", "-fno-stack-protector",
    "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-fdata-sections",
    "-msmall-data-limit=0", "-g", "-Wall",
)  # fmt: skip
_LANGUAGE: Final = {
    # A function that nobody declared may not be guessed: the board could have it, with other types.
    "c": ("-std=gnu11", "-Werror=implicit-function-declaration", "-x", "c"),
    "cpp": ("-std=gnu++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-nostdinc++", "-x", "c++"),
    "asm": ("-x", "assembler-with-cpp"),
}
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
    r"-fsanitize.*|-f(no-)?(exceptions|cxx-exceptions|rtti|threadsafe-statics|use-cxa-atexit)"
)
_PATH_FLAG: Final = r"(-I|-iquote|-isystem|-idirafter|-include|-imacros)(=?)(.*)"


class Unit(NamedTuple):
    """One translation unit. ``name`` is what the compiler sees as its file name: no path, the same for every user.

    Or it is the absolute path of a file of the user's, which is compiled where it lies; ``text`` is what it holds.
    """

    name: str
    text: str
    language: Literal["c", "cpp", "asm"] = "c"

    @property
    def is_file(self) -> bool:
        return Path(self.name).is_absolute()


class Source(NamedTuple):
    """Units that are compiled one by one and linked together; ``entry`` is the function that the board jumps to."""

    units: tuple[Unit, ...]
    entry: str
    wanted: tuple[str, ...] = ()
    """Functions besides the entry that the units have to define: they are not looked for on the board."""
    header: str = ""
    """Text that is included at the top of every unit that is a file."""

    def check(self) -> None:
        """CompileError for names and texts that cannot become files."""
        names = set()
        for name, text, _ in self.units:
            plain = re.fullmatch(r"[A-Za-z_][\w.-]*", name, re.ASCII) and not name.startswith("p4.")
            if not (plain or Path(name).is_absolute()) or name in names:
                raise CompileError(f"{name!r} cannot be the name of a unit, or is that of two")
            names.add(name)
            try:
                text.encode(errors="surrogateescape" if not plain else "strict")
            except UnicodeEncodeError as error:
                raise CompileError(f"{name}: the text cannot be written as UTF-8: {error.reason}") from None


class Options(NamedTuple):
    """How to compile. Relative paths in ``flags`` are taken from ``folder``, which is the current folder by default.

    ``generation`` is that of PIE, the chip's SIMD unit (p4kernel.generations), unless the flags set P4_PIE_GENERATION.
    """

    opt: str = "O2"
    flags: tuple[str, ...] = ()
    fp_contract: str = "fast"
    lto: bool = False
    libraries: tuple[str, ...] = ()  # paths of static archives and object files
    folder: str | None = None
    generation: int = 1

    def resolved(self) -> Options:
        """Checked, with absolute paths. CompileError if an option is not for kernels."""
        if self.opt not in _OPTIMIZE:
            raise CompileError(f"opt={self.opt!r} is none of {', '.join(_OPTIMIZE)}")
        if self.fp_contract not in _CONTRACT:
            raise CompileError(f"fp_contract={self.fp_contract!r} is none of {', '.join(_CONTRACT)}")
        folder = Path(self.folder or ".").absolute()
        libraries = tuple(str(folder / path) for path in self.libraries)
        return self._replace(flags=tuple(self._resolve_flags()), libraries=libraries, folder=None)

    def _resolve_flags(self) -> list[str]:
        folder = Path(self.folder or ".").absolute()
        out: list[str] = []
        path_follows = False
        for flag in self.flags:
            if path_follows:
                out.append(str(folder / flag))
                path_follows = False
            elif re.fullmatch(_REFUSED, flag):
                instead = "; @p4.kernel(lto=True) asks for it" if flag.startswith("-flto") else ""
                raise CompileError(f"the flag {flag!r} is not for kernels: p4kernel decides it{instead}")
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


def cpp_folder() -> str:
    """Folder of our C++ headers, and of what C++ needs at run time."""
    return str(_resources.stubs() / "include" / "c++")


def command(unit: Unit, options: Options, toolchain: Toolchain) -> list[str]:
    """The command line for one unit, without what depends on the machine: scratch folder, output, header folders."""
    pinned = any(flag[:2] in ("-D", "-U") and flag[2:].partition("=")[0] == _GENERATION for flag in options.flags)
    chosen = () if pinned else (f"-D{_GENERATION}={options.generation}",)
    return [
        *toolchain.compiler, *_FAMILY[toolchain.family], *_TARGET, *_DIALECT, f"-{options.opt}",
        f"-ffp-contract={options.fp_contract}", *chosen, *_LANGUAGE[unit.language], *_for(unit.language, options.flags),
        *(("-flto",) if options.lto and unit.language != "asm" else ()), "-c", unit.name,
    ]  # fmt: skip


def lto_command(options: Options, toolchain: Toolchain, folder: Path) -> list[str]:
    """What makes one object file of several in ``folder`` that were compiled with ``lto``; output and inputs follow."""
    if toolchain.family == "clang":
        level = options.opt[1] if options.opt[1] in "0123" else "2"
        # File-scope assembly is assembled without what the functions say of their target.
        target = ("-mllvm", "-mattr=+m,+a,+f,+c", "-mllvm", "-target-abi=ilp32f")
        return [*toolchain.linker, "-m", "elf32lriscv", "-r", f"--lto-O{level}", *target]
    flags = (flag for flag in options.flags if not flag.startswith(("-I", "-i", "-D", "-U", "-std=", "-W")))
    return [
        *toolchain.compiler, *_FAMILY["gcc"], *_TARGET, *_DIALECT, f"-{options.opt}",
        f"-ffp-contract={options.fp_contract}", *flags, "-flto=1", "-r", "-flinker-output=nolto-rel", "-nostdlib",
        f"-ffile-prefix-map={folder.resolve()}=.", f"-ffile-prefix-map={folder}=.",
    ]  # fmt: skip


ARCH: Final = '#ifndef __ASSEMBLER__\n__asm__(".option arch, +m, +a, +f, +c, +zicsr, +zifencei");\n#endif\n'
"""Head of every unit that clang compiles for link-time optimisation: file-scope assembly is read without -march then."""


def _for(language: str, flags: tuple[str, ...]) -> list[str]:
    """The flags without the standards of other languages, which compilers warn about."""
    plus = {"c": False, "cpp": True}.get(language)
    return [flag for flag in flags if not flag.startswith("-std=") or ("++" in flag) is plus]
