"""Handwritten digits by nearest neighbour, in integers, equal to NumPy.

Run it: ``python examples/digits.py``. No board is needed.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sklearn.datasets

import p4kernel as p4

Indices = npt.NDArray[np.int32]
QUERIES = 200


@p4.kernel(require=["samples.shape[1] == queries.shape[1]", "count > 0"])
def nearest(
    samples: p4.In[np.uint8],
    queries: p4.In[np.uint8],
    index: p4.Out[np.int32],
    distance: p4.Out[np.int32],
    count: p4.i32 = p4.dim("samples", 0),
    length: p4.i32 = p4.dim("samples", 1),
    n: p4.i32 = p4.dim("queries", 0, "index", "distance"),
) -> None:
    """For each query the index of the sample that is nearest (the first of equals), and its squared distance."""
    p4.c(r"""
        for (int i = 0; i < n; ++i) {
            const uint8_t *query = queries + i * length;
            distance[i] = INT32_MAX;
            for (int j = 0; j < count; ++j) {
                const uint8_t *sample = samples + j * length;
                int32_t sum = 0;
                for (int k = 0; k < length; ++k) {
                    int32_t difference = query[k] - sample[k];
                    sum += difference * difference;
                }
                if (sum < distance[i]) {
                    distance[i] = sum;
                    index[i] = j;
                }
            }
        }
    """)


class Neighbours(NamedTuple):
    """The nearest sample of each query and its squared distance, the same by NumPy, and the share of right labels."""

    indices: Indices
    distances: Indices
    expected_indices: Indices
    expected_distances: Indices
    accuracy: float

    @property
    def equal(self) -> bool:
        same_distances = np.array_equal(self.distances, self.expected_distances)
        return same_distances and np.array_equal(self.indices, self.expected_indices)


def run() -> Neighbours:
    """Runs the kernel on the current board."""
    images, labels = sklearn.datasets.load_digits(return_X_y=True)  # 8 x 8 pixels, 0 to 16
    samples, queries = images[:-QUERIES].astype(np.uint8), images[-QUERIES:].astype(np.uint8)
    index, distance = np.zeros(QUERIES, np.int32), np.zeros(QUERIES, np.int32)
    nearest(samples, queries, index, distance)
    squares = ((queries[:, None, :].astype(np.int32) - samples[None, :, :]) ** 2).sum(axis=2, dtype=np.int32)
    accuracy = float(np.mean(labels[:-QUERIES][index] == labels[-QUERIES:]))
    return Neighbours(index, distance, squares.argmin(axis=1).astype(np.int32), squares.min(axis=1), accuracy)


def main() -> Neighbours:
    result = run()
    print(f"{QUERIES} digits looked up: {nearest.last.instructions:,} instructions, {result.accuracy:.1%} read right.")
    if not result.equal:
        raise SystemExit("MISMATCH: the neighbours differ from NumPy's")
    print("Indices and distances are equal to NumPy's.")
    return result


if __name__ == "__main__":
    main()
