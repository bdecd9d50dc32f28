"""Slack: its webhook and its sender."""
