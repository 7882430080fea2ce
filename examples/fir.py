"""A band-pass over an electrocardiogram: a FIR filter in float32, next to SciPy's in float64.

Run it: ``python examples/fir.py``. No board is needed.

The band holds the steep part of a heart beat, the QRS complex, and neither breathing nor mains hum; so the beats are
the peaks of what passes.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pywt.data
import scipy.signal

import p4kernel as p4

Signal = npt.NDArray[np.float32]
TAPS = 101
BAND = (0.028, 0.083)  # in half sample rates: 5 to 15 Hz, if the recording has 360 samples a second


@p4.kernel
def fir(
    x: p4.In[np.float32],
    taps: p4.In[np.float32],
    y: p4.Out[np.float32],
    n: p4.i32 = p4.size("x", "y"),
    m: p4.i32 = p4.size("taps"),
) -> None:
    """y[i] = sum of taps[k] * x[i - k]; before its first sample x is 0."""
    p4.c(r"""
        for (int i = 0; i < n; ++i) {
            int reach = i + 1 < m ? i + 1 : m;
            float sum = 0.0f;
            for (int k = 0; k < reach; ++k)
                sum += taps[k] * x[i - k];
            y[i] = sum;
        }
    """)


class Filtered(NamedTuple):
    """A recording, the band that passed, SciPy's result, and how far float32 may be from it at each sample."""

    recording: Signal
    passed: Signal
    expected: npt.NDArray[np.float64]
    tolerance: npt.NDArray[np.float64]

    @property
    def error(self) -> npt.NDArray[np.float64]:
        return np.abs(self.passed - self.expected)

    @property
    def equal(self) -> bool:
        return bool(np.all(self.error <= self.tolerance))

    @property
    def beats(self) -> npt.NDArray[np.intp]:
        """Samples at which a beat peaks; the filter's delay is taken off."""
        peaks, _ = scipy.signal.find_peaks(self.passed, height=0.5 * self.passed.max(), distance=100)
        return np.asarray(peaks - TAPS // 2)


def run() -> Filtered:
    """Runs the kernel on the current board."""
    recording = pywt.data.ecg().astype(np.float32)
    taps = np.asarray(scipy.signal.firwin(TAPS, BAND, pass_zero=False), np.float32)
    passed = np.zeros_like(recording)
    fir(recording, taps, passed)
    expected = np.asarray(scipy.signal.lfilter(taps.astype(np.float64), 1.0, recording.astype(np.float64)))
    # Each of the m products and m sums is rounded once, by at most 2**-24 of what it holds.
    magnitude = np.asarray(scipy.signal.lfilter(np.abs(taps.astype(np.float64)), 1.0, np.abs(recording)))
    return Filtered(recording, passed, expected, (TAPS + 1) * 2.0**-24 * magnitude)


def main() -> Filtered:
    result = run()
    products = TAPS * result.recording.size
    print(f"{TAPS} taps over {result.recording.size} samples of an electrocardiogram: ", end="")
    print(f"{fir.last.instructions / products:.2f} instructions for each product.")
    print(f"Beats at samples {', '.join(map(str, result.beats))}.")
    if not result.equal:
        raise SystemExit(f"MISMATCH: {result.error.max():g} away from SciPy's result")
    print(f"Within {result.error.max():.2g} of scipy.signal.lfilter; float32 may be {result.tolerance.max():.2g} away.")
    return result


if __name__ == "__main__":
    main()
