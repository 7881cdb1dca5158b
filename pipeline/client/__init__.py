"""The client library for producers: events to Kafka or to the gateway, with one and the same call."""
