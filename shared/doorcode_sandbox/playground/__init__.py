"""The playground: people who write and press, the webhooks that come of it, and what they see of the answers."""
