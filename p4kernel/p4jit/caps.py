"""ESP-IDF's memory capabilities, and the kinds of memory that they ask for."""

from __future__ import annotations

from typing import Final

# The values of esp_heap_caps.h, of which stubs/include has those that kernels use.
MALLOC_CAP_EXEC: Final = 1 << 0
MALLOC_CAP_32BIT: Final = 1 << 1
MALLOC_CAP_8BIT: Final = 1 << 2
MALLOC_CAP_DMA: Final = 1 << 3
MALLOC_CAP_SPIRAM: Final = 1 << 10
MALLOC_CAP_INTERNAL: Final = 1 << 11
MALLOC_CAP_DEFAULT: Final = 1 << 12
MALLOC_CAP_IRAM_8BIT: Final = 1 << 13
MALLOC_CAP_RETENTION: Final = 1 << 14
MALLOC_CAP_RTCRAM: Final = 1 << 15
MALLOC_CAP_TCM: Final = 1 << 16
MALLOC_CAP_DMA_DESC_AHB: Final = 1 << 17
MALLOC_CAP_DMA_DESC_AXI: Final = 1 << 18
MALLOC_CAP_CACHE_ALIGNED: Final = 1 << 19
MALLOC_CAP_SIMD: Final = 1 << 20

NAMES: Final = {name: value for name, value in globals().items() if name.startswith("MALLOC_CAP_")}

_PLACES: Final = {MALLOC_CAP_SPIRAM: "psram", MALLOC_CAP_INTERNAL: "internal", MALLOC_CAP_TCM: "tcm"}
_ABSENT: Final = MALLOC_CAP_IRAM_8BIT | MALLOC_CAP_RETENTION | MALLOC_CAP_RTCRAM
_CACHE_LINE: Final = 128


def kind_of(caps: int, what: str) -> str:
    """The kind of memory, as ``board.memory.allocate`` names it. Raises ValueError for what no memory is."""
    if not isinstance(caps, int) or isinstance(caps, bool):
        raise TypeError(f"{what}: MALLOC_CAP_... values, joined by |, not {type(caps).__name__}")
    unknown = caps & ~sum(NAMES.values())
    if unknown:
        raise ValueError(f"{what}: 0x{caps:x}: 0x{unknown & 0xFFFFFFFF:x} is no capability of memory on an ESP32-P4")
    if caps & _ABSENT:
        names = ", ".join(name for name, value in NAMES.items() if value & caps & _ABSENT)
        raise ValueError(
            f"{what}: {names}: p4kernel manages no such memory; it has MALLOC_CAP_SPIRAM, MALLOC_CAP_INTERNAL and "
            "MALLOC_CAP_TCM"
        )
    places = [place for cap, place in _PLACES.items() if caps & cap]
    if places == ["internal", "tcm"]:  # TCM is internal, too
        return "tcm"
    if len(places) > 1:
        raise ValueError(f"{what}: no memory is {' and '.join(places)}; choose one")
    return places[0] if places else "any"


def minimum_alignment(caps: int) -> int:
    """Bytes."""
    return _CACHE_LINE if caps & MALLOC_CAP_CACHE_ALIGNED else 1
