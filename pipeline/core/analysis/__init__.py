"""Figures over the events that a query finds: the statements behind the charts, and how people are shown them."""
