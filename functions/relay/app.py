"""The relay: the table's stream → the effects queue."""

from doorcode.entrypoints.behind import relay_handler

handler = relay_handler()
