"""Telegram: its webhook and its sender."""
