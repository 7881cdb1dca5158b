"""What happens to a record: pure functions from values to values, without I/O."""
