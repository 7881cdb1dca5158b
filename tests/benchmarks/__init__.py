"""Benchmarks: the same records, topic and table for everyone. Run `python -m tests.benchmarks --help`."""
