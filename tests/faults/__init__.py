"""The fault suite: load that keeps coming, one fault after the other, and what must hold after each.

`make faults` runs all of it (docs/reliability.md has the promise and the last table); tests/faults/test_faults.py
runs a short form within `make test`.
"""
