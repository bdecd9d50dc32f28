"""The operator's commands, invoked through IAM only."""

from doorcode.entrypoints.admin_wiring import admin_handler

handler = admin_handler()
