"""WhatsApp in the sandbox: a stand-in for its API, what its servers send, and its people."""
