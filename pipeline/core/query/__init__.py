"""Questions about stored events: the query document of the HTTP API, as SQL with bound parameters.

document    what may be asked (pydantic models, camelCase on the wire)
conditions  each filter as an SQL condition
statements  the statements that a reader runs for a page or a count
spans       which spans of time a page is looked for in, newest first
cursor      where the next page begins, signed
replaced    which of several rows of one event id is in force
"""
