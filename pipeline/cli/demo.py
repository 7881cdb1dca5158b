"""`vision-events demo`: the simulated factories alone, against any running system."""
