"""What the embedded stack raises."""


class EmbeddedError(Exception):
    """The embedded stack cannot start or has stopped; the message says what to do."""
