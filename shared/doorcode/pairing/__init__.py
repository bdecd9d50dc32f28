"""The domain: who may talk to the bot, and how that changes.

Pure: no I/O, no clock, no environment. ``now`` is always an argument, in whole seconds since 1970 (UTC).
"""
