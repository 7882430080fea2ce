"""Example programs: one kernel each, on real data, compared with NumPy, SciPy or zlib."""
