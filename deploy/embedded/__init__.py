"""Kafka, S3 and ClickHouse on one machine from Python wheels: real servers without containers or root."""
