"""The operator's commands, invoked through IAM only."""

from doorcode.wiring.admin import admin_handler

handler = admin_handler()
