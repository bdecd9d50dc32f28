"""The reference agent: admitted messages → replies."""

from doorcode.entrypoints.behind import agent_handler

handler = agent_handler()
