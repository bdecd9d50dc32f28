"""Fixtures for the commands' tests."""

from tests.unit.cli.setup_fixtures import house

__all__ = ["house"]
