"""WhatsApp's webhook."""

from doorcode.wiring.edge import edge_handler

handler = edge_handler("whatsapp")
