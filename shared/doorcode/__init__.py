"""Doorcode: lets the right people into a chat bot, and nobody else, without a server."""
