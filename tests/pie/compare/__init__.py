"""The simulator's SIMD unit and hardware loops against the independent model, on random states.

`draw` makes states and instructions, `twin` runs them on the model and on both engines, `loops` does it with whole
programs, and `python -m tests.pie.compare` is a long campaign of both.
"""

from __future__ import annotations

from .draw import Case, Source
from .twin import Difference, Twin

__all__ = ["Case", "Difference", "Source", "Twin"]
