"""WhatsApp's secrets: what Meta signs with, the word of its handshake, and the system user's token."""

from __future__ import annotations

from doorcode_cli.secret_forms import SHORTEST_OWN, Form

SET_WEBHOOK = "doorcode whatsapp webhook set"

APP_SECRET = Form(
    "whatsapp/app-secret",
    "from the app's App settings, Basic, at https://developers.facebook.com/apps",
    r"[!-~]{8,128}",
    "8 to 128 visible characters without spaces",
    looks=r"[0-9a-f]{32}",
    looks_text="32 hex digits",
    ring=True,
    mistaken=(
        (r"EAA[A-Za-z0-9]{20,}", "That is an access token. The app secret stands in App settings, Basic."),
        (r"[0-9]{12,20}", "That is the app's id. The app secret stands under it."),
    ),
)
VERIFY_TOKEN = Form(
    "whatsapp/verify-token",
    "",
    rf"[A-Za-z0-9_-]{{{SHORTEST_OWN},256}}",
    f"{SHORTEST_OWN} to 256 of the characters A-Z, a-z, 0-9, _ and -",
    ring=True,
    next=SET_WEBHOOK,
)
TOKEN = Form(
    "whatsapp/bot-token",
    "from the system user's Generate token, at https://business.facebook.com/settings/system-users",
    r"EAA[A-Za-z0-9]+",
    "EAA and more letters and digits",
    looks=r"EAA[A-Za-z0-9]{60,}",
    looks_text="EAA and some hundred letters and digits",
    prefix="EAA",
    sample="EAA(J.*|[.]{3})?",
    mistaken=(
        (r"[0-9a-f]{32}", "That looks like the app secret, which is called whatsapp/app-secret."),
        (r"[0-9]+\|.+", "That is the app's own token. What is needed is a system user's, which begins with EAA."),
        (r"(?i)bearer\s.*", "Leave out the word Bearer before the token."),
    ),
    next=SET_WEBHOOK,
)
# Asked for where the token reaches more than one, and kept nowhere: they tell which number is meant.
ACCOUNT = Form(
    "whatsapp/account-id",
    "from the app's WhatsApp, API setup: the WhatsApp Business Account ID",
    r"[0-9]{6,20}",
    "digits",
)
NUMBER = Form(
    "whatsapp/phone-number-id",
    "from the app's WhatsApp, API setup: the Phone number ID",
    r"[0-9]{6,20}",
    "digits; it is not the number itself",
)
