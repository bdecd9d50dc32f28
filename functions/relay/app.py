"""The relay: the table's stream → the effects queue."""

from doorcode.wiring.relay import relay_handler

handler = relay_handler()
