"""The reference agent: admitted messages → replies."""

from doorcode.wiring.own import loaded

handler = loaded("doorcode.wiring.agent", "agent_handler")
