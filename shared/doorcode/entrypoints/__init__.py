"""What the functions run, and the one place that wires things up.

Nothing here reads the environment or builds a client at import.
"""
