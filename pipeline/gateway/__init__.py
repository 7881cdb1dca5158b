"""The HTTP side of the system."""
