"""Outbound: what Doorcode says to people, on each platform's own client library.

One module for each platform, all with the methods of ``outbound.port.Sender``. No AWS, no environment, no clock.
"""
