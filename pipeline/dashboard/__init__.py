"""The web page of the system: plain ES modules that the gateway serves as they are (docs/dashboard.md).

Not a package of Python code: this file only makes the folder part of the wheel and findable in it.
"""
