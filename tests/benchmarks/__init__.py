"""How fast and how small dlq is, beside its peers and beside the bare loops that bound it.

Run by hand, `python -m tests.benchmarks --help`; nothing here is a test, and nothing of it is timed
in the test suite.
"""
