"""Edges of a photograph: the Sobel operator in integers, equal to SciPy's to the last bit.

Run it: ``python examples/edges.py``. No board is needed.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import skimage.data

import p4kernel as p4

Image = npt.NDArray[np.uint8]


@p4.kernel
def sobel(
    image: p4.In[np.uint8],
    edges: p4.Out[np.uint8],
    rows: p4.i32 = p4.dim("image", 0, "edges"),
    cols: p4.i32 = p4.dim("image", 1, "edges"),
) -> None:
    """edges = |gradient| / 4, at most 255. Outside the image its nearest pixel counts."""
    p4.c(
        r"""
        for (int y = 0; y < rows; ++y) {
            const uint8_t *above = image + (y > 0 ? y - 1 : 0) * cols;
            const uint8_t *here = image + y * cols;
            const uint8_t *below = image + (y + 1 < rows ? y + 1 : y) * cols;
            for (int x = 0; x < cols; ++x) {
                int left = x > 0 ? x - 1 : 0, right = x + 1 < cols ? x + 1 : x;
                int across = above[right] - above[left] + 2 * (here[right] - here[left]) + below[right] - below[left];
                int down = below[left] - above[left] + 2 * (below[x] - above[x]) + below[right] - above[right];
                int strength = (abs(across) + abs(down)) / 4;
                edges[y * cols + x] = strength > 255 ? 255 : strength;
            }
        }
        """,
        preamble="#include <stdlib.h>",
    )


class Edges(NamedTuple):
    """A photograph, its edges as the kernel found them, and as SciPy does."""

    photo: Image
    edges: Image
    expected: Image

    @property
    def equal(self) -> bool:
        return np.array_equal(self.edges, self.expected)


def reference(photo: Image) -> Image:
    wide = photo.astype(np.int32)
    across, down = (np.abs(scipy.ndimage.sobel(wide, axis, mode="nearest")) for axis in (1, 0))
    return np.asarray(np.minimum((across + down) // 4, 255), np.uint8)


def run() -> Edges:
    """Runs the kernel on the current board."""
    photo: Image = skimage.data.camera()
    edges = np.zeros_like(photo)
    sobel(photo, edges)
    return Edges(photo, edges, reference(photo))


def main() -> Edges:
    result = run()
    rows, cols = result.photo.shape
    print(f"Sobel edges of a photograph, {cols} x {rows} pixels: ", end="")
    print(f"{sobel.last.instructions / result.photo.size:.1f} instructions for each pixel.")
    if not result.equal:
        raise SystemExit("MISMATCH: the edges differ from SciPy's")
    print("Equal to scipy.ndimage.sobel.")
    return result


if __name__ == "__main__":
    main()
