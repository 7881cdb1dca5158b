"""The thin edges: Kafka, S3 and ClickHouse."""
