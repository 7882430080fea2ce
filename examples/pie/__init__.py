"""PIE, the SIMD unit: six tasks, each in scalar C, with C intrinsics, and in assembly.

Run them: ``python -m examples.pie``, or one of them: ``python -m examples.pie dot``. No board is needed.
"""
