"""Inbound: what the platforms deliver, verified and read, and the answers that go back in the same HTTP response.

One module for each platform, all with the functions of ``platforms.inbound.Inbound``. No SDK, no I/O, no clock.
"""
