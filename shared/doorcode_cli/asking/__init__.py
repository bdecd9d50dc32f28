"""Asking the owner: what an agent's machine runs, which asks and cannot decide, and what an owner runs, who can."""
