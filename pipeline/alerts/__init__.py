"""The alert worker: candidates in; alerts out, once each."""
