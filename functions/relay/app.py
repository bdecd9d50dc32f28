"""The relay: the table's stream → the effects queue."""

from doorcode.entrypoints.relay import relay_handler

handler = relay_handler()
