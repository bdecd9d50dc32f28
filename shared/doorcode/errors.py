"""Everything that Doorcode refuses or fails with, as one tree.

An error says what happened and what to do about it, and carries a machine-readable ``reason``. It knows nothing of
HTTP, chats or terminals, and never holds a code, a secret or the text of a message.
"""

from __future__ import annotations


class DoorcodeError(Exception):
    """The root of every error that Doorcode raises on purpose."""

    reason: str = "error"


class InputError(DoorcodeError):
    """What was given cannot be used as it is; nothing was changed and nothing was counted."""

    reason = "invalid_input"


class UnknownPlatformError(InputError):
    """There is no platform of that name."""

    reason = "unknown_platform"


class InvalidUserIdError(InputError):
    """An id is empty, too long, a wildcard, or holds what no platform's id holds."""

    reason = "invalid_user_id"


class InvalidLabelError(InputError):
    """A label is too long or holds what cannot be shown."""

    reason = "invalid_label"


class InvalidTokenNameError(InputError):
    """A token's name is too long or holds what cannot be shown."""

    reason = "invalid_token_name"


class InvalidTimeError(InputError):
    """An end lies in the past or absurdly far ahead."""

    reason = "invalid_time"


class InvalidCursorError(InputError):
    """A page's cursor is not one that the list gave out."""

    reason = "invalid_cursor"


class MalformedCodeError(InputError):
    """A text cannot be a pairing code, whatever codes exist; never counted as a guess."""

    reason = "malformed_code"


class UnknownNameError(DoorcodeError):
    """Nobody known, or more than one, goes by that name. Nothing was changed and nothing was counted."""

    reason = "unknown_name"


class CallbackError(DoorcodeError):
    """A button's data is not ours, was changed, or was signed for something else."""

    reason = "bad_callback"


class BadReplyAddressError(InputError):
    """A sealed reply address is changed, another stack's, too old, or was never one. Says the same for all of them."""

    reason = "bad_reply_address"

    def __init__(self) -> None:
        """Say nothing of what is wrong with it."""
        super().__init__("That reply address is none of this stack's, or older than 24 hours.")


class UnknownButtonError(DoorcodeError):
    """A button that a program reports is none of ours, or not any more. Nothing was decided."""

    reason = "unknown_button"


class SettingsError(DoorcodeError):
    """Settings that cannot be used: one line for each in ``problems``."""

    reason = "bad_settings"

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep the lines, each of which names the setting and, where it can, the corrected value."""
        self.problems = problems
        super().__init__("; ".join(problems))


class SecretError(DoorcodeError):
    """A secret is missing, empty or unreadable: whatever needs it is refused, never let through."""

    reason = "secret_unavailable"


class UnreadableSecretError(SecretError):
    """The secrets could not be read now: they may be there, and the same call may succeed later."""


class UnavailableError(DoorcodeError):
    """A service that Doorcode stands on did not answer in time, or refused. The same call may succeed later."""

    reason = "unavailable"

    def __init__(self, doing: str, detail: str, *, in_doubt: bool = False) -> None:
        """Say what was being done, and the service's own word for what went wrong; ``in_doubt``: it may be done."""
        self.doing = doing
        self.detail = detail
        self.in_doubt = in_doubt
        super().__init__(f"Could not {doing}: {detail}. Nothing is lost; try again in a moment.")


class BotError(UnavailableError):
    """The bot that an admitted person's request was passed on to did not answer it."""

    reason = "bot_failed"

    def __init__(self, detail: str) -> None:
        """Keep what happened, in words that stand behind "the bot"."""
        super().__init__("pass it on", detail, in_doubt=True)
        self.args = (f"The bot {detail}.",)


class UnreadableItemError(UnavailableError):
    """An item of the table is not ours, or of a version to come. It is never guessed at."""

    reason = "unreadable_item"


class ForbiddenError(DoorcodeError):
    """Whoever asks may not do that."""

    reason = "forbidden"


class SignInError(DoorcodeError):
    """Nobody is signed in with that. Says the same for what never was, is over, used, or taken back."""

    reason = "not_signed_in"

    def __init__(self) -> None:
        """Say what to do, and nothing of why."""
        super().__init__("You are not signed in, or not any more. Get a new link with: doorcode web")


class UnknownTokenError(DoorcodeError):
    """There is no token with that id, or not any more."""

    reason = "unknown_token"


class UnknownCodeError(DoorcodeError):
    """No request goes by that code. Says the same for codes that never were, are over, or belong elsewhere."""

    reason = "unknown_code"


class SpentTicketError(DoorcodeError):
    """A claim or an invite does not work: others were quicker, its time is up, or it was taken back."""

    reason = "spent_ticket"

    def __init__(self) -> None:
        """Say the one thing."""
        super().__init__("That does not work any more.")


class UnknownInviteError(DoorcodeError):
    """There is no invite with that id, or not any more."""

    reason = "unknown_invite"


class NotTheirsError(DoorcodeError):
    """A code that works, given with the id of somebody else than whose it is. Tells no more of whose."""

    reason = "not_theirs"

    def __init__(self) -> None:
        """Say the one thing."""
        super().__init__("That code is not theirs.")


class LockedOutError(DoorcodeError):
    """Too many wrong codes from one caller: even a right one is refused until ``until`` (seconds since 1970)."""

    reason = "locked_out"

    def __init__(self, until: int) -> None:
        """Keep when the lock ends."""
        self.until = until
        super().__init__("Too many wrong codes. Wait until the lock ends, or run: doorcode pairing unlock")


class RefusedError(DoorcodeError):
    """The state of a contact does not allow the operation. Carries the state that really holds, for whoever lost.

    ``reason`` is one of the words in ``pairing.transitions.Refusal``; times are whole seconds since 1970, 0 for none.
    """

    reason = "refused"

    def __init__(  # noqa: PLR0913 (each is one fact of the state that holds)
        self,
        message: str,
        *,
        reason: str,
        platform: str,
        user_id: str,
        state: str,
        decided_by: str = "",
        decided_by_name: str = "",
        decided_via: str = "",
        decided_at: int = 0,
        expired_at: int = 0,
    ) -> None:
        """Keep the facts beside the sentence, so that each surface can say them its own way."""
        self.reason = reason
        self.platform = platform
        self.user_id = user_id
        self.state = state
        self.decided_by = decided_by
        self.decided_by_name = decided_by_name
        self.decided_via = decided_via
        self.decided_at = decided_at
        self.expired_at = expired_at
        super().__init__(message)
