"""Wiring: the one place that reads the environment and builds clients, for each function in a module of its own."""
