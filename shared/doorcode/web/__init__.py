"""The HTTP API and the owner's page: routes, the guard before them, and the document that describes them.

Every route stands in the one table of ``surface``, and every request passes the one guard. What is decided goes through
the desk, as it does from everywhere else.
"""
