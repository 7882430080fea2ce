"""The build backend: setuptools', told about the C extension, the compiler, and the folders that travel in the wheel.

PEP 517 calls the functions at the end; pyproject.toml names this file. There is no setup.py.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import Any

import compiler as c_compiler
from setuptools import build_meta, find_packages, setup
from setuptools.command.build_ext import build_ext as _build_ext
from setuptools.command.sdist import sdist as _sdist
from setuptools.errors import BaseError, CompileError, LinkError

# Folders outside of the package, and what they are called in the wheel.
_MAPPED = {"p4kernel._stubs": "stubs", "p4kernel._firmware": "firmware", "p4kernel._examples": "examples"}
_IN_SDIST = ("p4kernel", "stubs", "firmware", "tests", "examples")
_NOT_IN_SDIST = {".so", ".pyc", ".o"}
_ZIG = "ziglang>=0.13"


class BuildExt(_build_ext):
    """Builds with the compiler that was found, and says what to install when there is none."""

    def build_extensions(self) -> None:
        found = c_compiler.installed() or c_compiler.zig()
        if not c_compiler.has_python_headers():
            raise BaseError(f"Python.h is not in {sysconfig.get_path('include')}.\n{c_compiler.HELP}")
        if found is None:
            raise BaseError(f"There is no C compiler.\n{c_compiler.HELP}")
        if not found.default:
            self.compiler.set_executables(
                compiler=found.compile_command(), compiler_so=found.compile_command(), linker_so=found.link_command()
            )
        try:
            super().build_extensions()
        except (CompileError, LinkError) as error:
            used = " ".join(found.command)
            raise BaseError(f"{used} could not build p4kernel._native: {error}\n{c_compiler.HELP}") from error


class Sdist(_sdist):
    """Everything that a build, the tests and the examples need."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        ours = {p.as_posix() for folder in _IN_SDIST for p in Path(folder).rglob("*") if _belongs(p)}
        super().make_release_tree(base_dir, sorted(ours.union(files)))


def _belongs(path: Path) -> bool:
    return path.is_file() and path.suffix not in _NOT_IN_SDIST and not any(p.startswith(".") for p in path.parts)


class _Backend(build_meta._BuildMetaBackend):  # as setuptools' documentation shows it, under "build_meta tweaks"
    _editable = False

    def run_setup(self, setup_script: str = "setup.py") -> None:
        packages = find_packages(include=["p4kernel", "p4kernel.*"])
        mapping = {} if self._editable else _MAPPED
        free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))  # has no stable ABI
        setup(
            packages=[*packages, *mapping],
            # In an editable install the folders are found beside the package; "" makes it a plain path entry.
            package_dir=mapping or {"": "."},
            package_data={
                "p4kernel": ["py.typed", "*.pyi", "guides/*.md"],
                "p4kernel.pie": ["guide.md"],
                "p4kernel.p4jit": ["guide.md"],
                **{name: ["**/*"] for name in mapping},
            },
            include_package_data=False,
            cffi_modules=["p4kernel/_packaging/native.py:ffibuilder"],
            cmdclass={"build_ext": BuildExt, "sdist": Sdist},
            options={} if free_threaded else {"bdist_wheel": {"py_limited_api": "cp311"}},
        )

    def get_requires_for_build_wheel(self, config_settings: Any = None) -> list[str]:
        required = list(super().get_requires_for_build_wheel(config_settings))
        return required if c_compiler.installed() else [*required, _ZIG]

    def get_requires_for_build_editable(self, config_settings: Any = None) -> list[str]:
        return self.get_requires_for_build_wheel(config_settings)

    def build_editable(self, *arguments: Any, **named: Any) -> str:
        self._editable = True
        return str(super().build_editable(*arguments, **named))


_backend = _Backend()

get_requires_for_build_wheel = _backend.get_requires_for_build_wheel
get_requires_for_build_sdist = _backend.get_requires_for_build_sdist
get_requires_for_build_editable = _backend.get_requires_for_build_editable
prepare_metadata_for_build_wheel = _backend.prepare_metadata_for_build_wheel
build_wheel = _backend.build_wheel
build_sdist = _backend.build_sdist
build_editable = _backend.build_editable
