"""The ingest worker: raw records in; images, rows, published events and rejects out; then the offsets."""
