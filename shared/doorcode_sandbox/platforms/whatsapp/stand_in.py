"""A stand-in for WhatsApp's Cloud API, as far as a gate for one number calls it.

An answer of 200 means that a message was accepted, no more: what became of it comes as a webhook, a status.
https://developers.facebook.com/documentation/business-messaging/whatsapp
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from doorcode_sandbox.platforms.forms import FormError, checked
from doorcode_sandbox.platforms.server import Answer, Message, Request, Routed, StandIn, json_answer
from doorcode_sandbox.platforms.whatsapp import forms
from doorcode_sandbox.platforms.whatsapp.postman import Postman, shakes_hands, written

VERSION = "v27.0"
PATH = re.compile(rf"/{re.escape(VERSION)}/([A-Za-z0-9_]+)(?:/([a-z_]+))?")
FORM = "application/x-www-form-urlencoded"
WABA_OBJECT = "whatsapp_business_account"

WINDOW_SECONDS = 24 * 3600
# One message in so many seconds to one person, of which so many may come at once.
PAIR_SECONDS, PAIR_BURST = 6, 45
FREE_A_MONTH = 1000
READ_SECONDS = 30 * 24 * 3600
SCOPES = ("whatsapp_business_management", "whatsapp_business_messaging")
VARIABLE = re.compile(r"\{\{[0-9]+\}\}")
# What a template's variable cannot hold.
NOT_IN_VARIABLES = re.compile(r"[\n\t]| {5}")

# Codes, and what stands with them: the answer's status and a title.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
CODES: Mapping[int, tuple[int, str]] = {
    3: (500, "API Method"),
    4: (400, "Application request limit reached"),
    10: (403, "Permission Denied"),
    100: (400, "Invalid parameter"),
    190: (401, "Invalid OAuth access token - Cannot parse access token"),
    368: (403, "Temporarily blocked for policies violations"),
    2200: (400, "Callback verification failed with the following errors"),
    2500: (400, "Unknown path components"),
    80007: (400, "Rate limit issues"),
    130429: (400, "Rate limit hit"),
    130497: (400, "Business account is restricted from messaging users in this country."),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Business Account locked"),
    131042: (400, "Business eligibility payment issue"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement."),
    131050: (400, "User has stopped marketing messages"),
    131051: (400, "Unsupported message type"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Business Account is in maintenance mode"),
    132000: (400, "Template param count mismatch"),
    132001: (404, "Template does not exist"),
    132015: (400, "Template is paused"),
    132018: (400, "Template parameters validation failed"),
    133010: (400, "Phone number not registered"),
    139100: (400, "Failed to block/unblock users"),
}


class User(Struct, kw_only=True):
    """Somebody on WhatsApp: ``id`` is what this business knows them by, a business-scoped id, or of old their number.

    ``phone`` is their number; ``hides_phone`` keeps it from the business, which needs a ``username``.
    """

    id: str
    phone: str
    username: str = ""
    name: str = "Somebody"
    hides_phone: bool = False
    # They have blocked the business; the business has blocked them.
    blocks: bool = False
    blocked: bool = False
    # When they last wrote, and what may still be sent to them at once.
    heard_at: float = 0
    credit: float = PAIR_BURST
    credited_at: float = 0

    @property
    def identity(self) -> dict[str, str]:
        """What a webhook's contact says of who they are."""
        known = {} if self.hides_phone else {"wa_id": self.phone}
        return known | ({"user_id": self.id} if "." in self.id else {})

    @property
    def contact(self) -> dict[str, Any]:
        """Who they are, as a webhook's ``contacts`` has it."""
        profile = {"name": self.name} | ({"username": self.username} if self.username else {})
        return {"profile": profile, **self.identity}


class Heard(Struct):
    """A message of somebody's, and whether it was marked as read."""

    user: str
    at: float
    read: bool = False


class Template(Struct, kw_only=True):
    """A template, as it was reviewed."""

    id: str
    name: str
    language: str
    category: str
    status: str
    components: list[dict[str, Any]]

    @property
    def body(self) -> str:
        """Its text."""
        return next((str(one["text"]) for one in self.components if one["type"] == "BODY"), "")

    @property
    def labels(self) -> list[str]:
        """Its buttons' labels."""
        rows = [one["buttons"] for one in self.components if one["type"] == "BUTTONS"]
        return [str(button["text"]) for row in rows for button in row]


class _RefusedError(Exception):
    def __init__(self, code: int, details: str = "") -> None:
        self.code = code
        super().__init__(details or CODES[code][1])


class WhatsAppStandIn(StandIn):
    """WhatsApp, for one app with one account that has one number."""

    NAME = "whatsapp"
    APP, WABA, PORTFOLIO, PHONE_NUMBER_ID = (
        "1200000000000001",
        "1300000000000001",
        "1400000000000001",
        "1500000000000001",
    )
    DISPLAY_PHONE_NUMBER = "15550783881"
    MADE_UP: ClassVar[str] = f"EAA{'sandbox':A<60}"
    # As every sandbox's: in a real app it is nobody else's.
    APP_SECRET: ClassVar[str] = "5a0db0c0de5a0db0c0de5a0db0c0de5a"  # noqa: S105 (made up)

    def __init__(self, token: str = "EAAstandin", **options: Any) -> None:  # noqa: S107 (made up)
        """Take that token and no other."""
        super().__init__(token, **options)
        self.app_secret = self.APP_SECRET
        self.users: dict[str, User] = {}
        self.heard: dict[str, Heard] = {}
        self.templates: dict[tuple[str, str], Template] = {}
        # What becomes of a template that is handed in.
        self.review = "APPROVED"
        # Where the app's webhooks go, and the account's own, if they go elsewhere.
        self.callback, self.verify_token = "", ""
        self.fields: tuple[str, ...] = ("messages",)
        self.subscribed = False
        self.override = ""
        self.scopes: tuple[str, ...] = SCOPES
        self.expires_at = 0
        self.health = "AVAILABLE"
        # Whether there is a payment method, and how many answers of this month are still free without one.
        self.funded = True
        self.free = FREE_A_MONTH
        # Whether what cannot be delivered is refused in the answer, instead of by a status.
        self.refuses_at_once = False
        # Codes that sends to somebody end with, by their id.
        self.troubles: dict[str, int] = {}
        self.statuses: list[dict[str, Any]] = []
        # Has an address prove itself by the word that is set with it; returns why it did not.
        self.handshake: Callable[[str, str], str] = shakes_hands
        self.postman = Postman()
        self._calls: dict[str, tuple[type[Any] | None, Callable[[Routed, Any], Any]]] = {
            "messages": (forms.Send, self._send),
            "read": (forms.MarkRead, self._read),
            "block_users": (forms.BlockUsers, self._block),
            "unblock_users": (forms.BlockUsers, self._unblock),
            "get_phone": (None, self._get_phone),
            "get_account": (None, self._get_account),
            "get_phone_numbers": (None, self._get_phone_numbers),
            "debug_token": (None, self._debug),
            "get_subscriptions": (None, self._get_subscriptions),
            "subscriptions": (forms.Subscription, self._subscribe),
            "get_subscribed_apps": (None, self._get_subscribed),
            "subscribed_apps": (forms.Override, self._subscribe_account),
            "get_message_templates": (None, self._get_templates),
            "message_templates": (forms.NewTemplate, self._make_template),
        }
        # What is called by which verb on what.
        self._paths: dict[tuple[str, str, str], str] = {
            ("POST", self.PHONE_NUMBER_ID, "messages"): "messages",
            ("POST", self.PHONE_NUMBER_ID, "block_users"): "block_users",
            ("DELETE", self.PHONE_NUMBER_ID, "block_users"): "unblock_users",
            ("GET", self.PHONE_NUMBER_ID, ""): "get_phone",
            ("GET", self.WABA, ""): "get_account",
            ("GET", self.WABA, "phone_numbers"): "get_phone_numbers",
            ("GET", "debug_token", ""): "debug_token",
            ("GET", self.APP, "subscriptions"): "get_subscriptions",
            ("POST", self.APP, "subscriptions"): "subscriptions",
            ("GET", self.WABA, "subscribed_apps"): "get_subscribed_apps",
            ("POST", self.WABA, "subscribed_apps"): "subscribed_apps",
            ("GET", self.WABA, "message_templates"): "get_message_templates",
            ("POST", self.WABA, "message_templates"): "message_templates",
        }

    # Being part of a sandbox

    @property
    def api_url(self) -> str:
        """Where the API is, with its version."""
        return f"{self.url}/{VERSION}"

    @property
    def app_token(self) -> str:
        """The token of the app itself, by which its webhooks are set."""
        return f"{self.APP}|{self.app_secret}"

    def credentials(self) -> dict[str, str]:
        """Return what the app signs with, and which number it is; the stack makes the handshake's word itself."""
        return {
            "whatsapp/app-secret": self.app_secret,
            "whatsapp/bot": f"{self.PHONE_NUMBER_ID}:{self.DISPLAY_PHONE_NUMBER}",
        }

    def register(self, url: str, secret: str) -> None:
        """Have the webhooks sent there, as after the handshake."""
        self.callback, self.subscribed = url, True
        self.postman.goes_to(url, (secret or self.app_secret).encode())

    def start(self) -> Self:
        """Listen, and carry webhooks."""
        self.postman.start()
        return super().start()

    def stop(self) -> None:
        """Stop both."""
        self.postman.stop()
        super().stop()

    # What people do

    def add_user(self, user_id: str, *, phone: str = "", username: str = "", name: str = "", hides_phone: bool = False) -> User:  # fmt: skip
        """Have somebody on WhatsApp who has just written to the business, or whom it knows already."""
        user = User(
            id=user_id,
            phone=phone or number_of(user_id),
            username=username,
            name=name or "Somebody",
            hides_phone=hides_phone,
            heard_at=self.clock(),
        )
        self.users[user_id] = user
        return user

    def write(self, user_id: str) -> str:
        """Have somebody write, which opens the window in which they may be answered; return the message's id."""
        with self._changed:
            message_id = new_id()
            user = self.users[user_id]
            user.heard_at = self.clock()
            self.heard[message_id] = Heard(user_id, user.heard_at)
            return message_id

    def close_window(self, user_id: str) -> None:
        """Let a day pass in which somebody writes nothing."""
        self.users[user_id].heard_at = self.clock() - WINDOW_SECONDS

    def block(self, user_id: str, *, blocked: bool = True) -> None:
        """Have somebody block the business, which is not told: or let it write again."""
        self.users[user_id].blocks = blocked

    def value(self, **what: Any) -> dict[str, Any]:
        """Return a webhook of the number, holding that."""
        metadata = {"display_phone_number": self.DISPLAY_PHONE_NUMBER, "phone_number_id": self.PHONE_NUMBER_ID}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **what}
        return {"object": WABA_OBJECT, "entry": [{"id": self.WABA, "changes": [{"value": value, "field": "messages"}]}]}

    def past(self) -> list[list[Any] | dict[Any, Any]]:
        """Return everything that grows with what happens, oldest first."""
        return [*super().past(), self.heard, self.statuses]

    # The API

    def route(self, request: Request) -> Routed | Answer:
        """Check the token, then the path; read JSON, a form or a query."""
        try:
            fields = _fields(request)
        except (ValueError, RecursionError):
            return _failure(100, "The request cannot be read")
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or str(fields.pop("access_token", ""))
        try:
            name = self._called(request, token)
            if name == "messages" and fields.get("status") == "read":
                name = "read"
            if name == "subscriptions":
                self._shake_hands(fields)
        except _RefusedError as error:
            return _failure(error.code, str(error))
        return Routed(name, self._addressee(fields) if name == "messages" else "", fields)

    def _called(self, request: Request, token: str) -> str:
        """Return what is called. Raises _RefusedError where there is no such thing, or not for that token."""
        if token not in {self.token, self.app_token}:
            raise _RefusedError(190)
        found = PATH.fullmatch(request.path)
        if found is None:
            raise _RefusedError(2500)
        name = self._paths.get((request.verb, found[1], found[2] or ""))
        if name is None:
            raise _RefusedError(
                100, "Unsupported request: the object does not exist, or does not support this operation"
            )
        if name.endswith("subscriptions") and token != self.app_token:
            raise _RefusedError(100, "This method must be called with an app access_token")
        if token == self.app_token and not name.endswith(("subscriptions", "debug_token")):
            raise _RefusedError(10)
        return name

    def _shake_hands(self, fields: dict[str, Any]) -> None:
        """Have an address prove itself, before anything is set: it may call here meanwhile. Raises _RefusedError."""
        try:
            form = checked(fields, forms.Subscription, strict=self.strict)
        except FormError as error:
            raise _RefusedError(100, f"{error} ({error.field})") from None
        if problem := self.handshake(form.callback_url, form.verify_token):
            raise _RefusedError(2200, problem)

    def perform(self, call: Routed) -> Answer:
        """Do what is called."""
        form, method = self._calls[call.name]
        try:
            given = checked(call.fields, form, strict=self.strict) if form else call.fields
            return json_answer(method(call, given))
        except FormError as error:
            return _failure(100, f"{error} ({error.field})")
        except _RefusedError as error:
            return _failure(error.code, str(error))

    def limited(self, delay: float) -> Answer:  # noqa: ARG002 (it does not say for how long)
        """Ask to wait: the pair of number and person is written to too fast."""
        return _failure(131056)

    # Sending

    def _addressee(self, fields: Mapping[str, Any]) -> str:
        """Return whom a message is for, by their id; empty where nobody is known by that."""
        to, recipient = fields.get("to"), fields.get("recipient")
        if not to:
            return recipient if isinstance(recipient, str) and recipient in self.users else ""
        digits = str(to).removeprefix("+")
        return next((user.id for user in self.users.values() if user.phone == digits), "") or (
            str(to) if fields.get("recipient_type") == "group" else ""
        )

    def _send(self, call: Routed, form: forms.Send) -> dict[str, Any]:
        if not form.to and not form.recipient:
            raise _RefusedError(131008, "Either to or recipient is required")
        shown = self._shown(form)
        user = self.users.get(call.chat)
        if user:
            self._charge(user)
        elif form.to and not re.fullmatch(r"\+?[0-9]{5,15}", form.to) and form.recipient_type == "individual":
            # An id in the place of a number is accepted, and nothing is ever heard of it.
            return _accepted(form, new_id(), None)
        refusal = self._refusal(user, form)
        if refusal and (self.refuses_at_once or (user and user.blocked)):
            raise _RefusedError(refusal)
        message_id = new_id()
        to_group = form.recipient_type == "group"
        if not refusal and (to_group or (user and not user.blocks)):
            message = Message(chat=call.chat, id=message_id, shown=shown, at=self.clock(), call="messages")
            self.messages[call.chat, message_id] = message
        self._report(message_id, form, user, refusal)
        return _accepted(form, message_id, user)

    def _charge(self, user: User) -> None:
        """Count a message to somebody."""
        now = self.clock()
        user.credit = min(PAIR_BURST, user.credit + max(0, now - user.credited_at) / PAIR_SECONDS)
        user.credited_at = now
        if user.credit < 1:
            raise _RefusedError(131056)
        user.credit -= 1

    def _refusal(self, user: User | None, form: forms.Send) -> int:
        """Return the code for which a message is not delivered; 0 where it is."""
        if form.recipient_type == "group":
            return 0
        if user is None or user.blocked:
            return 131026
        if user.id in self.troubles:
            return self.troubles[user.id]
        if form.type != "template" and self.clock() >= user.heard_at + WINDOW_SECONDS:
            return 131047
        if not self.funded and (form.type == "template" or self.free <= 0):
            return 131042
        self.free -= form.type != "template"
        return 0

    def _shown(self, form: forms.Send) -> dict[str, Any]:
        content = {"text": form.text, "interactive": form.interactive, "template": form.template}[form.type]
        if content is None:
            raise _RefusedError(131008, f"The parameter {form.type} is required")
        if isinstance(content, forms.Text) and not content.body.strip():
            raise _RefusedError(100, "text.body is blank")
        if isinstance(content, forms.ReplyButtons):
            forms.check_buttons(content)
        shown = {"type": form.type, form.type: forms.without_blanks(msgspec.to_builtins(content))}
        if isinstance(content, forms.TemplateUse):
            shown["drawn"] = self._filled(content)
        return shown | ({"context": {"message_id": form.context.message_id}} if form.context else {})

    def _filled(self, use: forms.TemplateUse) -> dict[str, Any]:
        """Return a template as it is read: its text with the variables in their places, and its buttons."""
        template = self.templates.get((use.name, use.language.code))
        if template is None or template.status not in {"APPROVED", "PAUSED"}:
            raise _RefusedError(132001, f"template name ({use.name}) does not exist in {use.language.code}")
        if template.status == "PAUSED":
            raise _RefusedError(132015)
        values = [
            parameter.text
            for component in use.components
            if isinstance(component, forms.BodyComponent)
            for parameter in component.parameters
        ]
        if len(values) != len(set(VARIABLE.findall(template.body))):
            raise _RefusedError(132000)
        if any(NOT_IN_VARIABLES.search(value) for value in values):
            raise _RefusedError(
                132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
            )
        payloads = {
            str(component.index): component.parameters[0].payload
            for component in use.components
            if isinstance(component, forms.ButtonComponent)
        }
        if set(payloads) - {str(index) for index in range(len(template.labels))}:
            raise _RefusedError(132018, "There is no button of that index")
        text = VARIABLE.sub(lambda found: values[int(found.group()[2:-2]) - 1], template.body)
        buttons = [{"id": payloads.get(str(at), label), "title": label} for at, label in enumerate(template.labels)]
        return {"text": text, "buttons": buttons}

    def _report(self, message_id: str, form: forms.Send, user: User | None, refusal: int) -> None:
        """Tell the app what became of a message: each step in a webhook of its own."""
        states = ["failed"] if refusal else ["sent"] if user and user.blocks else ["sent", "delivered"]
        for state in states:
            known = {"recipient_id": user.phone} if user and not user.hides_phone else {}
            status: dict[str, Any] = {"id": message_id, "status": state, "timestamp": str(int(self.clock())), **known}
            if form.biz_opaque_callback_data:
                status["biz_opaque_callback_data"] = form.biz_opaque_callback_data
            more: dict[str, Any] = {}
            if refusal:
                _, title = CODES[refusal]
                data = {"details": title}
                status["errors"] = [{"code": refusal, "title": title, "message": title, "error_data": data}]
                if form.recipient:
                    status["recipient_user_id"] = form.recipient
            else:
                category = "utility" if form.type == "template" else "service"
                kind = "regular" if self.funded else "free_customer_service"
                status["pricing"] = {
                    "billable": self.funded,
                    "pricing_model": "PMP",
                    "category": category,
                    "type": kind,
                }
                if user and "." in user.id:
                    status["recipient_user_id"] = user.id
                more = {"contacts": [user.contact]} if user else {}
            self.statuses.append(status)
            self.postman.post(self.value(**more, statuses=[status]))

    def _read(self, _: Routed, form: forms.MarkRead) -> dict[str, Any]:
        heard = self.heard.get(form.message_id)
        if heard is None or self.clock() > heard.at + READ_SECONDS:
            raise _RefusedError(131009, "The message id is not known, or too old")
        for one in self.heard.values():
            # It marks earlier ones, too.
            one.read |= one.user == heard.user and one.at <= heard.at
        return {"success": True}

    # Blocking

    def _block(self, _: Routed, form: forms.BlockUsers) -> dict[str, Any]:
        return self._set_blocked(form, blocked=True)

    def _unblock(self, _: Routed, form: forms.BlockUsers) -> dict[str, Any]:
        return self._set_blocked(form, blocked=False)

    def _set_blocked(self, form: forms.BlockUsers, *, blocked: bool) -> dict[str, Any]:
        done = []
        for one in form.block_users:
            user = self.users.get(one.user_id or self._addressee({"to": one.user}))
            if user is None:
                raise _RefusedError(139100)
            if blocked and self.clock() >= user.heard_at + WINDOW_SECONDS:
                raise _RefusedError(139100, "User has not messaged in the last 24 hours")
            user.blocked = blocked
            done.append({"input": one.user or one.user_id, **user.identity})
        return {"messaging_product": "whatsapp", "block_users": {"added_users" if blocked else "removed_users": done}}

    # Looking after it

    def _debug(self, _: Routed, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("input_token") != self.token:
            said = {"code": 190, "message": CODES[190][1]}
            return {"data": {"error": said, "is_valid": False, "scopes": []}}
        granular = [{"scope": scope, "target_ids": [self.WABA]} for scope in self.scopes]
        expired = 0 < self.expires_at <= self.clock()
        return {
            "data": {
                "app_id": self.APP,
                "type": "SYSTEM_USER",
                "application": "Doorcode",
                "data_access_expires_at": 0,
                "expires_at": self.expires_at,
                "is_valid": not expired,
                "scopes": list(self.scopes),
                "granular_scopes": granular,
                "user_id": "122000000000000001",
            }
        }

    def _get_phone(self, _: Routed, fields: dict[str, Any]) -> dict[str, Any]:
        return self._picked(self._phone, fields)

    def _get_phone_numbers(self, _: Routed, fields: dict[str, Any]) -> dict[str, Any]:
        return {"data": [self._picked(self._phone, fields)]}

    @property
    def _phone(self) -> dict[str, Any]:
        parts = {"PHONE_NUMBER": self.PHONE_NUMBER_ID, "WABA": self.WABA, "BUSINESS": self.PORTFOLIO, "APP": self.APP}
        entities: list[dict[str, Any]] = [
            {"entity_type": kind, "id": part, "can_send_message": self.health if kind == "WABA" else "AVAILABLE"}
            for kind, part in parts.items()
        ]
        if self.health == "BLOCKED":
            said = {"error_code": 141006, "error_description": "There is an error with the payment method.", "possible_solution": "Add a new payment method."}  # fmt: skip
            entities[1]["errors"] = [said]
        elif self.health == "LIMITED":
            entities[1]["additional_info"] = ["Your business has not been verified."]
        return {
            "id": self.PHONE_NUMBER_ID,
            "verified_name": "Doorcode",
            "display_phone_number": "+1 555-078-3881",
            "quality_rating": "GREEN",
            "status": "CONNECTED",
            "health_status": {"can_send_message": self.health, "entities": entities},
        }

    def _get_account(self, _: Routed, fields: dict[str, Any]) -> dict[str, Any]:
        known = {"id": self.WABA, "name": "Doorcode"} | (
            {"primary_funding_id": "1600000000000001"} if self.funded else {}
        )
        return self._picked(known, fields)

    def _picked(self, known: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
        named = str(fields.get("fields", "")).split(",")
        return {"id": known["id"]} | {name: known[name] for name in named if name in known}

    # Webhooks

    def _get_subscriptions(self, _: Routed, __: object) -> dict[str, Any]:
        if not self.callback:
            return {"data": []}
        fields = [{"name": name, "version": VERSION} for name in self.fields]
        return {"data": [{"object": WABA_OBJECT, "callback_url": self.callback, "active": True, "fields": fields}]}

    def _subscribe(self, _: Routed, form: forms.Subscription) -> dict[str, Any]:
        # The address has proven itself before.
        self.callback, self.verify_token = form.callback_url, form.verify_token
        self.fields = tuple(form.fields.split(",") if isinstance(form.fields, str) else form.fields)
        self.postman.goes_to(self.callback, self.app_secret.encode())
        return {"success": True}

    def _get_subscribed(self, _: Routed, __: object) -> dict[str, Any]:
        app = {"id": self.APP, "name": "Doorcode", "link": f"https://www.facebook.com/games/?app_id={self.APP}"}
        own = {"override_callback_uri": self.override} if self.override else {}
        return {"data": [{"whatsapp_business_api_data": app, **own}] if self.subscribed else []}

    def _subscribe_account(self, _: Routed, form: forms.Override) -> dict[str, Any]:
        if form.override_callback_uri and not self.callback:
            raise _RefusedError(
                100, "Before override the current callback uri, your app must be subscribed to receive messages"
            )
        self.subscribed, self.override = True, form.override_callback_uri
        return {"success": True}

    # Templates

    def _make_template(self, _: Routed, form: forms.NewTemplate) -> dict[str, Any]:
        if (form.name, form.language) in self.templates:
            raise _RefusedError(100, "There is already content of this name in this language")
        bodies = [one for one in form.components if isinstance(one, forms.TemplateBody)]
        if len(bodies) != 1:
            raise _RefusedError(100, "A template has one body")
        _check_variables(bodies[0])
        made = Template(
            id=str(10**15 + secrets.randbelow(10**15)),
            name=form.name,
            language=form.language,
            category=form.category,
            status="PENDING",
            components=[msgspec.to_builtins(one) for one in form.components],
        )
        self.templates[form.name, form.language] = made
        # Reviewed while the answer is on its way: in the world it takes up to a day.
        answer = {"id": made.id, "status": made.status, "category": made.category}
        made.status = self.review
        return answer

    def _get_templates(self, _: Routed, fields: dict[str, Any]) -> dict[str, Any]:
        wanted = fields.get("name")
        found = [msgspec.to_builtins(one) for one in self.templates.values() if wanted in {None, one.name}]
        return {"data": found}


def number_of(user_id: str) -> str:
    """Return the phone number of somebody who has none of their own here: always the same one."""
    digits = int.from_bytes(hashlib.sha256(user_id.encode()).digest()[:4], "big") % 10**7
    return user_id if user_id.isdigit() else f"1555{digits:07}"


def new_id() -> str:
    """Make up a message's id."""
    return f"wamid.{base64.b64encode(secrets.token_bytes(30)).decode()}"


def _check_variables(body: forms.TemplateBody) -> None:
    """Raise _RefusedError for variables where there may be none, or without a sample."""
    variables = VARIABLE.findall(body.text)
    if VARIABLE.match(body.text) or re.search(r"\{\{[0-9]+\}\}\Z", body.text.rstrip()):
        raise _RefusedError(100, "Variables can't be at the start or end of the template.")
    if re.search(r"\}\}\s*\{\{", body.text):
        raise _RefusedError(100, "Variables can't stand next to each other.")
    samples = body.example.body_text if body.example else []
    if variables and (len(samples) != 1 or len(samples[0]) != len(variables)):
        raise _RefusedError(100, "Template variables need samples.")


def _accepted(form: forms.Send, message_id: str, user: User | None) -> dict[str, Any]:
    known = user.identity if user else {}
    contacts = [{"input": form.to or form.recipient, **known}]
    return {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": message_id}]}


def _fields(request: Request) -> dict[str, Any]:
    query: dict[str, Any] = dict(parse_qsl(request.query, keep_blank_values=True))
    if not request.body:
        return query
    if request.headers.get("content-type", "").startswith(FORM):
        return query | dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))
    return query | msgspec.json.decode(request.body, type=dict[str, Any])


def _failure(code: int, details: str = "") -> Answer:
    status, title = CODES[code]
    error: dict[str, Any] = {
        "message": f"(#{code}) {title}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details or title},
        "fbtrace_id": secrets.token_urlsafe(16),
    }
    return Answer(status, written({"error": error}), {"Content-Type": "application/json"})
