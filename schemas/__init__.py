"""What the data looks like: models, topics, use cases and tables. Nothing here does I/O."""
