"""Folders that are not part of the package, but travel with it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["examples", "firmware", "stubs"]


def stubs() -> Path:
    """C headers that kernels include, protocol.yaml, exports.yaml."""
    return _find("stubs")


def firmware() -> Path:
    """Sources of the firmware."""
    return _find("firmware")


def examples() -> Path:
    """The example programs, which ``p4kernel demo`` runs."""
    return _find("examples")


def _find(name: str) -> Path:
    here = Path(__file__).parent
    packed = here / f"_{name}"  # in a wheel; in the source tree (and an editable install) it lies beside the package
    return packed if packed.is_dir() else here.parent / name
