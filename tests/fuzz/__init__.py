"""Fuzzing of the firmware core: ``python -m tests.fuzz``. The fuzzer itself is C, in csrc."""
