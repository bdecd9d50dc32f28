"""What an owner is asked, and what stands there once it is decided; each platform draws it in its own way."""

from __future__ import annotations

from msgspec import Struct

from doorcode.pairing import texts
from doorcode.pairing.callbacks import Action, Callback, id_in_button, sign
from doorcode.pairing.contact import Contact, State
from doorcode.pairing.keyring import Keyring


class Button(Struct, frozen=True):
    """A button: what it says, and the signed callback that it carries."""

    text: str
    data: str


class Prompt(Struct, frozen=True, kw_only=True):
    """An owner's prompt, without any platform's markup: whoever draws it escapes ``who``.

    ``address`` (the platform and the immutable id) always stands under the question: names prove nothing.
    ``outcome`` is empty while the request waits.
    """

    who: str
    address: str
    # What they wrote first, made safe and short, where owners are to see that.
    said: str = ""
    outcome: str = ""
    buttons: tuple[Button, ...] = ()


def open_prompt(contact: Contact, code: str, callback_keys: Keyring, said: str = "") -> Prompt:
    """Ask about a pending request; the buttons act on that request and no other. ``said`` is how its writer began."""
    return Prompt(
        who=_who(contact),
        address=_address(contact),
        said=said,
        buttons=(
            _button(texts.APPROVE_BUTTON, Action.APPROVE, contact, code, callback_keys),
            _button(texts.DENY_BUTTON, Action.DENY, contact, code, callback_keys),
        ),
    )


def closed_prompt(contact: Contact, code: str, callback_keys: Keyring) -> Prompt:
    """Say what became of a request. Only a denial leaves a button: to block. Without a code there is none."""
    buttons: tuple[Button, ...] = ()
    if contact.state is State.DENIED and code:
        buttons = (_button(texts.BLOCK_BUTTON, Action.BLOCK, contact, code, callback_keys),)
    return Prompt(who=_who(contact), address=_address(contact), outcome=texts.outcome(contact), buttons=buttons)


def _button(text: str, action: Action, contact: Contact, code: str, callback_keys: Keyring) -> Button:
    user_id = id_in_button(contact.platform, contact.user_id)
    return Button(text, sign(Callback(action, contact.platform, user_id, code), callback_keys))


def _who(contact: Contact) -> str:
    return contact.called or contact.user_id


def _address(contact: Contact) -> str:
    return f"{contact.platform} {contact.user_id}"
