"""The template by which an owner is asked who has not written for a day, for nothing else may be sent to them then.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
"""

from __future__ import annotations

from typing import Any

# Which template is used, ``{name}:{language}``. No secret.
TEMPLATE = "whatsapp/template"
NAME, LANGUAGE = "doorcode_request", "en"
# Variables stand neither at the body's ends nor beside each other.
BODY = "Somebody wants to chat with your bot: {{1}} ({{2}}). Approve access?"
SAMPLES = ("@stranger", "whatsapp US.13491208655302741918")
# In this order the sender tells what each carries. No emoji: a template's buttons may hold none.
LABELS = ("Approve", "Deny")


def drawn(name: str, language: str) -> dict[str, Any]:
    """Return the template as it is handed in."""
    return {
        "name": name,
        "language": language,
        "category": "UTILITY",
        "components": [
            {"type": "BODY", "text": BODY, "example": {"body_text": [list(SAMPLES)]}},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": label} for label in LABELS]},
        ],
    }
