"""Generated functions: the same C on the virtual board and on the host, called with the same random values.

``python -m tests.conformance`` compares thousands of signatures; the suite compares a few hundred.
"""
