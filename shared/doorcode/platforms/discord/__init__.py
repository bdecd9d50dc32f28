"""Discord: its webhook and its sender."""
