"""The ``doorcode`` command.

Pairing commands invoke the stack's admin function and need nothing else; set-up commands use the operator's own AWS
credentials. Every command ends with 0 (done), 1 (refused), 2 (usage) or 3 (the stack cannot be reached), and with one
line on standard error that says what happened and what to do.
"""
