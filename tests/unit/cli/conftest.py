"""Fixtures for the commands' tests."""

from tests.unit.cli.setup_fixtures import harness

__all__ = ["harness"]
