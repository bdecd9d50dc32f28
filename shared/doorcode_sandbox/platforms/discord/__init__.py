"""Discord in the sandbox: a stand-in for its API, and its people."""
