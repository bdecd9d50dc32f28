"""Why something was not sent, in the four kinds that call for four different things.

None of them holds a token, a text or a name: only the platform, what was tried, and a word or number of the platform's.
"""

from __future__ import annotations

from enum import StrEnum

from doorcode.errors import DoorcodeError, InputError
from doorcode.pairing.contact import Platform


class SendRefusal(StrEnum):
    """What a permanent refusal is about."""

    # The person blocked the bot, never wrote to it, shares no server with it, or is no longer there.
    UNREACHABLE = "unreachable"
    # The message, thread or chat is no longer there, or can no longer be changed.
    GONE = "gone"
    # The platform will not take what was sent, however often.
    REFUSED = "refused"


class AddressError(InputError):
    """A reply address or a location is not one of that platform's: nobody can be told where it leads."""

    reason = "unreadable_address"


class SendError(DoorcodeError):
    """Something was not sent, or it is not known whether it was. ``done`` parts of a text had been sent before."""

    reason = "not_sent"
    done = 0


class RateLimitedError(SendError):
    """Too much at once: nothing was sent, and the same call may succeed after ``delay`` whole seconds."""

    reason = "platform_rate_limited"

    def __init__(self, platform: Platform, delay: int) -> None:
        """Keep the delay that the platform asks for."""
        self.platform = platform
        self.delay = delay
        super().__init__(f"{platform.brand} asks to wait {delay} s.")


class PassingError(SendError):
    """No answer, or one that says that the platform has trouble: it may have been sent, and may succeed later.

    ``delay`` is how many whole seconds are known to be enough, 0 where that is not known.
    """

    reason = "platform_trouble"

    def __init__(self, platform: Platform, doing: str, detail: str, *, delay: int = 0) -> None:
        """Say what was being done, and the platform's or the library's own word for what went wrong."""
        self.platform = platform
        self.delay = delay
        super().__init__(f"{platform.brand} did not {doing}: {detail}.")


class PermanentRefusalError(SendError):
    """The platform refused, and will refuse the same call again."""

    reason = "platform_refused"

    def __init__(self, platform: Platform, doing: str, refusal: SendRefusal, detail: str) -> None:
        """Say what was being done, what the refusal is about, and the platform's own word for it."""
        self.platform = platform
        self.refusal = refusal
        self.detail = detail
        super().__init__(f"{platform.brand} refused to {doing}: {refusal} ({detail}).")


class BadTokenError(SendError):
    """The platform does not take the bot's token. Everything stops at once, for it counts such calls."""

    reason = "bad_token"

    def __init__(self, platform: Platform) -> None:
        """Say which token, and how to set it."""
        self.platform = platform
        super().__init__(
            f"{platform.brand} does not accept the bot token. Set it with: doorcode secrets set {platform}/bot-token"
        )
