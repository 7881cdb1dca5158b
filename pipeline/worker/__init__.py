"""What ingest workers and alert workers have in common: the Faust app, the life of the process, its health."""
