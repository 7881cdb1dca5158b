"""The edge spool: events are kept on a device's disk until Kafka or the central gateway has them."""
