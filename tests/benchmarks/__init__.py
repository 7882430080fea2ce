"""Speed, as medians and as ratios of two sides measured in turn in one run: ``python -m tests.benchmarks``."""
