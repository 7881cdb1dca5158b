"""The calls of the HTTP API, a module a resource. `pipeline/gateway/app.py` says how to add one."""
