"""What can go wrong on the way to a platform, by what it calls for."""

from __future__ import annotations

from doorcode.errors import SecretError, UnavailableError, UnreadableSecretError
from doorcode.platforms.send_errors import (
    AddressError,
    BadTokenError,
    PassingError,
    PermanentRefusalError,
    RateLimitedError,
)

# What may succeed later, and what never will.
PASSING = (RateLimitedError, PassingError, UnavailableError, UnreadableSecretError)
HOPELESS = (PermanentRefusalError, BadTokenError, SecretError, AddressError)
# What will never succeed, whatever is mended here: they left, or it leads nowhere.
UNDELIVERABLE = (PermanentRefusalError, AddressError)
