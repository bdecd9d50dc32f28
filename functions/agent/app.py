"""The reference agent: admitted messages → replies."""

from doorcode.entrypoints.own import loaded

handler = loaded("doorcode.wiring.behind", "agent_handler")
