"""The Grafana dashboard: rows of panels in `panels.py`, written as Grafana's JSON by `python -m deploy.grafana`."""
