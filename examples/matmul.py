"""An integer matrix product, int8 by int8 into int32, doing something: it reads handwritten digits.

Run it: ``python examples/matmul.py``. No board is needed.

A linear classifier is one matrix product. Its weights come from least squares in NumPy and are rounded to int8; the
scores of all digits are then one call, equal to NumPy's product to the last bit.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sklearn.datasets

import p4kernel as p4

Scores = npt.NDArray[np.int32]


@p4.kernel(require="a.shape[1] == b.shape[0]")
def matmul(
    a: p4.In[np.int8],
    b: p4.In[np.int8],
    c: p4.Out[np.int32],
    n: p4.i32 = p4.dim("a", 0, "c"),
    k: p4.i32 = p4.dim("a", 1),
    m: p4.i32 = p4.dim("b", 1, "c"),
) -> None:
    """c = a @ b, with a of n x k, b of k x m and c of n x m. The inner loop walks along rows of b and c."""
    p4.c(r"""
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < k; ++j) {
                int32_t factor = a[i * k + j];
                for (int l = 0; l < m; ++l)
                    c[i * m + l] += factor * b[j * m + l];
            }
    """)


class Product(NamedTuple):
    """Scores of each digit for each class, NumPy's product, and the share of digits that are read right."""

    scores: Scores
    expected: Scores
    accuracy: float

    @property
    def equal(self) -> bool:
        return np.array_equal(self.scores, self.expected)


def run() -> Product:
    """Runs the kernel on the current board."""
    images, labels = sklearn.datasets.load_digits(return_X_y=True)  # 8 x 8 pixels, 0 to 16
    half = len(images) // 2
    weights, *_ = np.linalg.lstsq(images[:half], np.eye(10)[labels[:half]], rcond=None)
    b = np.round(weights * (127 / np.abs(weights).max())).astype(np.int8)
    a = images[half:].astype(np.int8)
    scores = np.zeros((len(a), 10), np.int32)
    matmul(a, b, scores)
    expected = a.astype(np.int32) @ b.astype(np.int32)
    return Product(scores, expected, float(np.mean(scores.argmax(axis=1) == labels[half:])))


def main() -> Product:
    result = run()
    n, m = result.scores.shape
    print(f"({n} x 64) @ (64 x {m}): {matmul.last.instructions / (n * 64 * m):.2f} instructions for each product.")
    print(f"{result.accuracy:.1%} of {n} digits that the classifier never saw are read right.")
    if not result.equal:
        raise SystemExit("MISMATCH: the product differs from NumPy's")
    print("Equal to NumPy's product.")
    return result


if __name__ == "__main__":
    main()
