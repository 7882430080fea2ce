"""The C compiler that builds p4kernel._native: what CC names, what Python was built with, any other, or zig's clang."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

HELP = """\
p4kernel contains a C extension and must be compiled once. To install what that needs:
  Debian, Ubuntu   sudo apt install gcc libc6-dev python3-dev
  Fedora           sudo dnf install gcc python3-devel
  macOS            xcode-select --install
  elsewhere        pip install ziglang, a C compiler from PyPI, or set CC to the compiler to use
Python's own headers (Python.h) come with every Python but those of Linux distributions, where python3-dev has them."""


@dataclass(frozen=True)
class Compiler:
    """A command that compiles and links C. `default`: setuptools uses it by itself."""

    command: tuple[str, ...]
    default: bool

    @property
    def is_zig(self) -> bool:
        """zig chooses by itself what other compilers must be told, and the other way round."""
        return Path(self.command[0]).stem == "zig" and self.command[1:2] == ("cc",)

    def compile_command(self) -> list[str]:
        """Compiles to an object for a shared library."""
        # zig takes this machine's processor for the target, and checks for undefined behaviour, unless told otherwise.
        zig = ["-mcpu=baseline", "-fno-sanitize=undefined"] if self.is_zig else []
        return [*self.command, *zig, "-fPIC", *shlex.split(os.environ.get("CFLAGS", ""))]

    def link_command(self) -> list[str]:
        """Links an extension module."""
        shared = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
        return [*self.command, *shared, *shlex.split(os.environ.get("LDFLAGS", ""))]

    def works(self) -> bool:
        """Whether it can make a shared library that includes a header of the C library."""
        if not shutil.which(self.command[0]):
            return False
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text("#include <stdlib.h>\nint probe(void) { return abs(-1); }\n", encoding="utf-8")
            command = [*self.link_command(), "-fPIC", str(source), "-o", str(Path(folder, "probe.so"))]
            return subprocess.run(command, capture_output=True, check=False).returncode == 0


def has_python_headers() -> bool:
    """Whether Python.h can be included."""
    return Path(sysconfig.get_path("include"), "Python.h").is_file()


def zig() -> Compiler | None:
    """zig's clang, when the ziglang package is installed. Its binary is called without the package's Python wrapper."""
    spec = importlib.util.find_spec("ziglang")
    folder = spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else None
    return Compiler((str(Path(folder, "zig")), "cc"), default=False) if folder else None


def installed() -> Compiler | None:
    """The compiler of this machine; one that the user names is taken as it is."""
    if os.environ.get("CC"):
        named = Compiler(tuple(shlex.split(os.environ["CC"])), default=True)
        return Compiler(named.command, default=False) if named.is_zig else named
    own = Compiler(tuple(shlex.split(sysconfig.get_config_var("CC") or "cc")), default=True)
    others = (Compiler((name,), default=False) for name in ("cc", "gcc", "clang"))
    return next((c for c in (own, *others) if c.works()), None)
