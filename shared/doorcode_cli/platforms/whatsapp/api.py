"""The Graph API as far as setting up a WhatsApp number calls it.

https://developers.facebook.com/documentation/business-messaging/whatsapp
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode.pairing.platform import TRAITS
from doorcode_cli.deployment import Deployment
from doorcode_cli.exit_codes import CommandError
from doorcode_cli.platform_api import (
    SERVER_ERROR,
    SUCCESS,
    TEST_TEXT,
    TOO_MANY_REQUESTS,
    PlatformApi,
    PlatformError,
    Trouble,
)
from doorcode_cli.platforms.whatsapp.secrets import ACCOUNT, APP_SECRET, TOKEN
from doorcode_cli.shown import shown

MANAGEMENT, MESSAGING = "whatsapp_business_management", "whatsapp_business_messaging"
SCOPES = (MANAGEMENT, MESSAGING)
OBJECT, FIELD = "whatsapp_business_account", "messages"
# Which number the bot is, ``{phone number id}:{digits}``. No secret.
BOT = TRAITS[Platform.WHATSAPP].bot_parameter
BAD_TOKEN = 190
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
PASSING = frozenset({1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057})


class TokenFacts(Struct, frozen=True, kw_only=True):
    """What a token is. ``expires_at`` is 0 for one that does not; ``accounts`` are the WhatsApp accounts that it names."""

    app_id: str
    app: str
    valid: bool
    expires_at: int
    scopes: frozenset[str]
    accounts: tuple[str, ...]


class PhoneNumber(Struct, frozen=True):
    """A number: its id, itself as people read it, and the name that stands over its chats."""

    id: str
    number: str
    name: str

    @property
    def digits(self) -> str:
        """The number as it stands in addresses."""
        return "".join(sign for sign in self.number if sign.isdigit())

    @property
    def bot(self) -> str:
        """The line as the stack keeps it."""
        return f"{self.id}:{self.digits}"

    def __str__(self) -> str:
        """Write it for people."""
        return f"{shown(self.number, 24)} ({shown(self.name, 40)})"


class Subscriptions(Struct, frozen=True):
    """Where an app's webhooks go, with which fields; and where the account has them go instead, if it does."""

    url: str
    fields: frozenset[str]
    subscribed: bool
    override: str

    @property
    def effective(self) -> str:
        """Where what people write goes."""
        return self.override or self.url


class WhatsAppApi(PlatformApi):
    """The Graph API, called with a system user's token, and with the app's own where only that may."""

    platform = Platform.WHATSAPP
    token = TOKEN
    owner_remedy = "have them write to the bot's number, and look whether {user_id} is right"
    # Which number is meant; empty: the token's only one.
    phone_number_id = ""

    @classmethod
    def of(cls, deployment: Deployment, token: str | None = None) -> Self:
        """Return the API for a stack, with its token and the number that it is known to have."""
        api = super().of(deployment, token)
        kept = deployment.parameter_store.read([BOT]).get(BOT)
        api.phone_number_id = kept.value.partition(":")[0].strip() if kept else ""
        return api

    def call(
        self,
        verb: str,
        path: str,
        fields: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        token: str = "",
    ) -> dict[str, Any]:
        """Return what a call answers. Raises PlatformError."""
        headers = {"Authorization": f"Bearer {token or self._token}"}
        answer = self._request(verb, path, headers=headers, json=fields, params=query)
        if answer.status_code == TOO_MANY_REQUESTS:
            raise self._strange(answer)
        try:
            said = self._decoded(answer)
        except CommandError:
            raise self._strange(answer) from None
        error = said.get("error")
        if not isinstance(error, dict) and answer.status_code in SUCCESS:
            return said
        if not isinstance(error, dict):
            raise self._strange(answer)
        code = error.get("code")
        if code == BAD_TOKEN:
            raise self._bad_token()
        if answer.status_code >= SERVER_ERROR or code in PASSING:
            raise self._strange(answer)
        data = error.get("error_data")
        details = data.get("details") if isinstance(data, dict) else error.get("error_user_msg")
        raise self._refused(" ".join(filter(None, [str(error.get("message", "no reason given")), details])))

    def facts(self) -> TokenFacts:
        """Ask what the token is: https://developers.facebook.com/docs/graph-api/reference/debug_token."""
        data = self._object(self.call("GET", "/debug_token", query={"input_token": self._token}).get("data"))
        if data.get("error") or not data.get("app_id"):
            raise self._bad_token()
        granular = [one for one in data.get("granular_scopes") or () if isinstance(one, dict)]
        accounts = [
            str(target)
            for one in granular
            if one.get("scope") in SCOPES
            for target in one.get("target_ids") or ()
        ]  # fmt: skip
        return TokenFacts(
            app_id=str(data["app_id"]),
            app=str(data.get("application", "")),
            valid=data.get("is_valid") is True,
            expires_at=int(data.get("expires_at") or 0),
            scopes=frozenset(map(str, data.get("scopes") or ())),
            accounts=tuple(dict.fromkeys(accounts)),
        )

    def identity(self) -> str:
        """Ask which app's token it is."""
        facts = self.facts()
        if not facts.valid:
            raise self._bad_token()
        return f"the app {shown(facts.app, 40)} ({shown(facts.app_id, 20)})"

    def account(self, facts: TokenFacts, wanted: str = "") -> str:
        """Return the WhatsApp account that is meant. Raises CommandError where it has to be said."""
        if wanted or len(facts.accounts) == 1:
            return wanted or facts.accounts[0]
        which = (
            f"reaches several accounts ({', '.join(facts.accounts)})" if facts.accounts else "does not tell its account"
        )
        raise CommandError(
            f"The token {which}. Name one with --account: {ACCOUNT.found.partition(': ')[2]}, {ACCOUNT.found}."
        )

    def line(self, account: str, wanted: str = "") -> PhoneNumber:
        """Return the number that is meant, of those that an account has. Raises CommandError."""
        fields = {"fields": "id,display_phone_number,verified_name"}
        found = self.call("GET", f"/{account}/phone_numbers", query=fields).get("data")
        lines = [
            PhoneNumber(str(one.get("id")), str(one.get("display_phone_number", "")), str(one.get("verified_name", "")))
            for one in found or ()
            if isinstance(one, dict)
        ]
        wanted = wanted or (self.phone_number_id if any(one.id == self.phone_number_id for one in lines) else "")
        meant = [one for one in lines if wanted in {"", one.id, one.digits}]
        if len(meant) == 1 and meant[0].digits:
            return meant[0]
        if not lines:
            raise CommandError(
                f"The WhatsApp account {shown(account, 20)} has no number yet: add one in WhatsApp Manager."
            )
        listed = "; ".join(f"{shown(one.id, 20)}: {one}" for one in lines)
        raise CommandError(f"Name the bot's number with --number. The account has {listed}.")

    def health(self, phone_number_id: str) -> dict[str, Any]:
        """Return what is said of a number."""
        fields = "health_status,status,quality_rating,display_phone_number,verified_name"
        return self.call("GET", f"/{phone_number_id}", query={"fields": fields})

    def is_funded(self, account: str) -> bool:
        """Tell whether there is a payment method."""
        return bool(
            self.call("GET", f"/{account}", query={"fields": "name,primary_funding_id"}).get("primary_funding_id")
        )

    def callback(self, facts: TokenFacts, app_secret: str) -> dict[str, Any]:
        """Return the address to which the app has WhatsApp's webhooks sent, with its fields; empty where there is none."""
        try:
            app = self.call("GET", f"/{facts.app_id}/subscriptions", token=f"{facts.app_id}|{app_secret}")
        except PlatformError as error:
            if error.trouble is not Trouble.BAD_TOKEN:
                raise
            # It was the app's own token, of which the secret is a part.
            said = f"Meta does not accept {APP_SECRET.name}. Set it with: {APP_SECRET.sets}"
            raise PlatformError(said, Trouble.BAD_TOKEN) from None
        return next((one for one in app.get("data") or () if one.get("object") == OBJECT), {})

    def subscriptions(self, facts: TokenFacts, account: str, app_secret: str) -> Subscriptions:
        """Return where webhooks go."""
        ours = self.callback(facts, app_secret)
        apps = self.call("GET", f"/{account}/subscribed_apps").get("data") or ()
        mine = [one for one in apps if str(one.get("whatsapp_business_api_data", {}).get("id")) == facts.app_id]
        return Subscriptions(
            str(ours.get("callback_url", "")),
            frozenset(str(one.get("name")) for one in ours.get("fields") or ()),
            bool(mine),
            str(mine[0].get("override_callback_uri", "")) if mine else "",
        )

    def subscribe(self, facts: TokenFacts, app_secret: str, url: str, verify_token: str) -> None:
        """Have the app's webhooks sent there; the address has to prove itself during the call."""
        fields = {"object": OBJECT, "callback_url": url, "verify_token": verify_token, "fields": FIELD}
        self.call("POST", f"/{facts.app_id}/subscriptions", fields, token=f"{facts.app_id}|{app_secret}")

    def subscribe_account(self, account: str) -> None:
        """Have what people write to an account's numbers go to the app, and where the app's webhooks go."""
        self.call("POST", f"/{account}/subscribed_apps", {})

    def templates(self, account: str, name: str) -> list[dict[str, Any]]:
        """Return the templates of that name, one for each language."""
        fields = {"name": name, "fields": "name,language,status,category,rejected_reason"}
        found = self.call("GET", f"/{account}/message_templates", query=fields).get("data")
        # The name is looked for, not matched.
        return [one for one in found or () if isinstance(one, dict) and one.get("name") == name]

    def make_template(self, account: str, template: Mapping[str, Any]) -> dict[str, Any]:
        """Hand a template in for review."""
        return self.call("POST", f"/{account}/message_templates", dict(template))

    def reach(self, user_id: str, *, send: bool) -> str:
        """Send a test to a person, without which nothing is told; and that it arrived is told to the stack alone."""
        if not send:
            return "was not tried: only sending tells"
        phone_number_id = self.phone_number_id or self.line(self.account(self.facts())).id
        to = {"to": f"+{user_id}"} if user_id.isdigit() else {"recipient": user_id}
        fields = {"messaging_product": "whatsapp", "recipient_type": "individual", **to, "type": "text"}
        self.call("POST", f"/{phone_number_id}/messages", fields | {"text": {"body": TEST_TEXT}})
        return "was sent a test, which arrives if they wrote within the last 24 hours"

    def _object(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._refused("an answer of another form")
        return value
