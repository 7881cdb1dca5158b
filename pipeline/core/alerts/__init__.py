"""Alert rules as pure functions: conditions over one event, windows, and the state of a group over time."""
