"""Stand-ins for the platforms' APIs, behaving as their documentation says, with a state that can be looked at.

They know what Doorcode calls, and refuse everything else. They have no clients' apps: who writes and who presses is up
to whoever holds the stand-in.
"""
