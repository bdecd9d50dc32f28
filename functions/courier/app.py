"""The courier: the effects queue → prompts, notices, events; on a schedule, the sweep of overdue requests."""

from doorcode.wiring.courier import courier_handler

handler = courier_handler()
