"""A kernel with a mistake in it, for the demo."""

from __future__ import annotations

import numpy as np

import p4kernel as p4


@p4.kernel
def clear_first_above(pixels: p4.InOut[np.uint8], threshold: p4.i32, n: p4.i32 = p4.size("pixels")) -> p4.i32:
    p4.c(r"""
        uint8_t *volatile found = NULL;
        for (int i = 0; i < n && found == NULL; ++i)
            if (pixels[i] > threshold)
                found = &pixels[i];
        *found = 0; /* and if there was none? */
        return found - pixels;
    """)
