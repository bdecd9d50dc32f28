"""Bytes are verified before anything reads them."""

import base64
import json
from collections.abc import Callable

import pytest

from doorcode.errors import SecretError
from doorcode.pairing.keyring import Keyring
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.inbound import Webhook
from tests.cases import each
from tests.unit.platforms.deliveries import (
    EVENTS,
    KEYRINGS,
    MODULES,
    NOW,
    OTHER_SECRETS,
    SIGNING_KEY,
    event,
    raw,
    signed,
)

PLATFORMS = list(MODULES)
SIGNATURE_HEADERS = {
    "telegram": "x-telegram-bot-api-secret-token",
    "slack": "x-slack-signature",
    "discord": "x-signature-ed25519",
    "whatsapp": "x-hub-signature-256",
}
TIMESTAMP_HEADERS = {"slack": "x-slack-request-timestamp", "discord": "x-signature-timestamp"}
TEXT_EVENTS = {"telegram": "private_text", "slack": "message_im", "discord": "chat_bot_dm", "whatsapp": "text"}
BODIES = {platform: raw(event(f"{platform}/{name}")["body"]) for platform, name in TEXT_EVENTS.items()}


def _verified(platform: str, webhook: Webhook, now: int = NOW) -> bool:
    verified: bool = MODULES[platform].verify(webhook, KEYRINGS[platform], now)
    return verified


def _with(webhook: Webhook, **headers: str | None) -> Webhook:
    changed = {**webhook.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Webhook({name: value for name, value in changed.items() if value is not None}, webhook.body)


SIGNATURES: dict[str, Callable[[str], str | None]] = {
    "missing": lambda _: None,
    "empty": lambda _: "",
    "blank": lambda _: " ",
    "wrong": lambda right: right[:-2] + ("00" if right[-2:] != "00" else "11"),
    "truncated": lambda right: right[:-1],
    "prefix of it": lambda right: right[:8],
    "longer": lambda right: right + "0",
    "with a space": lambda right: f" {right}",
    "with a line break": lambda right: f"{right}\n",
    "with a NUL": lambda right: f"{right}\0",
    "twice": lambda right: f"{right},{right}",
    "twice with a space": lambda right: f"{right}, {right}",
    "not hex": lambda right: "zz" * (len(right) // 2),
    "not ASCII": lambda right: f"{right[:-1]}é",
    "full width": lambda right: "".join(chr(ord(character) + 0xFEE0) for character in right),
    "lone surrogate": lambda right: f"{right[:-1]}\ud800",
    "huge": lambda right: right * 10_000,
    "base64": lambda right: base64.b64encode(right.encode()).decode(),
    "zeros": lambda right: "0" * len(right),
    "star": lambda _: "*",
}


@each("change", SIGNATURES.values(), ids=SIGNATURES)
@each("platform", PLATFORMS)
def test_signature(platform: str, change: Callable[[str], str | None]) -> None:
    """A signature that is not exactly the right one is refused, whatever it is made of. Security 1, 2."""
    webhook = signed(platform, BODIES[platform])
    header = SIGNATURE_HEADERS[platform]
    assert _verified(platform, webhook)
    assert not _verified(platform, _with(webhook, **{header: change(webhook.headers[header])}))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_headers(platform: str) -> None:
    """A request without any header is refused. Security 1."""
    assert not _verified(platform, Webhook({}, BODIES[platform]))


TIMESTAMPS = {
    "missing": None,
    "empty": "",
    "plus": f"+{NOW}",
    "minus": f"-{NOW}",
    "space before": f" {NOW}",
    "space after": f"{NOW} ",
    "line break": f"{NOW}\n",
    "fraction": f"{NOW}.0",
    "exponent": "1e9",
    "underscore": f"{str(NOW)[:4]}_{str(NOW)[4:]}",
    "hexadecimal": hex(NOW),
    "other digits": "".join(chr(0x0660 + int(digit)) for digit in str(NOW)),
    "superscript": "²",
    "huge": "1" * 10_000,
    "many zeros": f"{NOW:020}",
    "NaN": "NaN",
    "twice": f"{NOW},{NOW}",
    "lone surrogate": "\ud800",
}


@each("timestamp", TIMESTAMPS.values(), ids=TIMESTAMPS)
def test_slack_timestamp(timestamp: str | None) -> None:
    """On Slack a timestamp that is not plain digits is refused, even where the signature is made over it."""
    given = timestamp or ""
    webhook = signed("slack", BODIES["slack"])
    prefix = b"v0:" + given.encode(errors="surrogatepass") + b":"
    mac = MODULES["slack"]._signature(KEYRINGS["slack"].newest, prefix + BODIES["slack"])
    changed = _with(webhook, x_slack_request_timestamp=timestamp, x_slack_signature=mac.decode())
    assert not _verified("slack", changed)


@each("timestamp", TIMESTAMPS.values(), ids=TIMESTAMPS)
def test_discord_timestamp(timestamp: str | None) -> None:
    """On Discord a timestamp is part of what is signed, so another one is refused."""
    assert not _verified("discord", _with(signed("discord", BODIES["discord"]), x_signature_timestamp=timestamp))


@pytest.mark.parametrize("timestamp", ["é", "", "1" * 65], ids=["not ASCII", "empty", "longer than 64"])
def test_discord_timestamp_signed(timestamp: str) -> None:
    """On Discord a timestamp that none would send is refused, even where the signature is made over it."""
    signature = SIGNING_KEY.sign(timestamp.encode() + BODIES["discord"]).signature.hex()
    webhook = Webhook({"x-signature-timestamp": timestamp, "x-signature-ed25519": signature}, BODIES["discord"])
    assert not _verified("discord", webhook)


@each(
    ("age", "accepted"),
    [(300, True), (301, False), (-300, True), (-301, False), (0, True), (10**9, False)],
    ids=["300 s", "stale by 301 s", "ahead by 300 s", "ahead by 301 s", "now", "decades"],
)
def test_slack_age(age: int, accepted: bool) -> None:
    """Slack's signature holds for 300 seconds, before and after. Security 4."""
    assert _verified("slack", signed("slack", BODIES["slack"], now=NOW - age)) is accepted


@each(
    ("age", "accepted"),
    [(900, True), (901, False), (-900, True), (-901, False), (0, True), (10**9, False)],
    ids=["900 s", "stale by 901 s", "ahead by 900 s", "ahead by 901 s", "now", "decades"],
)
def test_discord_age(age: int, accepted: bool) -> None:
    """Discord's signature holds for as long as the interaction's token does, 900 seconds. Security 4."""
    assert _verified("discord", signed("discord", BODIES["discord"], now=NOW - age)) is accepted


@pytest.mark.parametrize("platform", ["slack", "discord", "whatsapp"])
def test_other_body(platform: str) -> None:
    """The signature of one body does not fit another one. Security 3."""
    webhook = signed(platform, BODIES[platform])
    assert not _verified(platform, Webhook(webhook.headers, BODIES[platform] + b" "))
    assert not _verified(platform, Webhook(webhook.headers, b""))
    reencoded = json.dumps(json.loads(BODIES[platform]), indent=1).encode()
    assert not _verified(platform, Webhook(webhook.headers, reencoded))
    assert not _verified(platform, Webhook(webhook.headers, base64.b64encode(BODIES[platform])))


@pytest.mark.parametrize("platform", ["slack", "discord"])
def test_other_timestamp(platform: str) -> None:
    """A timestamp cannot be made younger without breaking the signature. Security 4."""
    webhook = signed(platform, BODIES[platform], now=NOW - 301)
    assert not _verified(platform, _with(webhook, **{TIMESTAMP_HEADERS[platform]: str(NOW)}))


@pytest.mark.parametrize("scheme", ["v1=", "V0=", "", "sha256="])
def test_slack_scheme(scheme: str) -> None:
    """A signature of another scheme is refused, even with the right digits."""
    webhook = signed("slack", BODIES["slack"])
    digits = webhook.headers["x-slack-signature"].removeprefix("v0=")
    assert not _verified("slack", _with(webhook, x_slack_signature=scheme + digits))


@pytest.mark.parametrize(
    ("body", "digits"),
    [
        (b'{"object":"whatsapp_business_account","entry":[]}', "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"),
        (b'{"object": "whatsapp_business_account", "entry": []}', "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"),
    ],
    ids=["compact", "spaced"],
)  # fmt: skip
def test_whatsapp_vectors(body: bytes, digits: str) -> None:
    """Signatures that others have published fit, over the very bytes, and none of another scheme does."""
    keyring = Keyring((b"test_app_secret",))
    for header, fits in (
        (f"sha256={digits}", True),
        (digits, False),
        (f"sha1={digits}", False),
        (f"SHA256={digits}", False),
    ):
        assert MODULES["whatsapp"].verify(Webhook({"x-hub-signature-256": header}, body), keyring, NOW) is fits


@pytest.mark.parametrize("platform", PLATFORMS)
def test_rotation(platform: str) -> None:
    """Every secret of the keyring verifies, wherever it stands, and no other one does. Security 30."""
    webhook = signed(platform, BODIES[platform])
    right, other = KEYRINGS[platform].newest, OTHER_SECRETS[platform]
    verify = MODULES[platform].verify
    assert verify(webhook, Keyring((other, right)), NOW)
    assert verify(webhook, Keyring((right, other)), NOW)
    assert not verify(webhook, Keyring((other,)), NOW)


@each(
    "line",
    [b"0" * 63, b"0" * 65, b"g" * 64, b"zz", b"\xc3\xa9" * 32, b" " * 64, b"0x" + b"0" * 62, b"00 " * 21 + b"0"],
    ids=["63", "65", "not hex", "short", "not ASCII", "blank", "0x", "spaced"],
)
@each("headers", [{}, None], ids=["unsigned", "signed"])
def test_discord_public_key(line: bytes, headers: dict[str, str] | None) -> None:
    """A public key that is none is a missing secret, not a bad signature, whoever asks. Security 1."""
    webhook = signed("discord", BODIES["discord"])
    webhook = webhook if headers is None else Webhook(headers, webhook.body)
    with pytest.raises(SecretError) as caught:
        discord.verify(webhook, Keyring((KEYRINGS["discord"].newest, line)), NOW)
    assert line.decode(errors="replace") not in str(caught.value)


def test_discord_weak_key() -> None:
    """A public key that is no point of the curve, or one of small order, verifies nothing."""
    webhook = signed("discord", BODIES["discord"])
    for line in (b"00" * 32, b"ff" * 32, b"01" + b"00" * 31):
        forged = _with(webhook, x_signature_ed25519="01" + "00" * 63)
        assert not discord.verify(webhook, Keyring((line,)), NOW)
        assert not discord.verify(forged, Keyring((line,)), NOW)


def test_discord_malleable() -> None:
    """The same signature with the group's order added to its second half is refused: each has one form. Security 4."""
    order = 2**252 + 27742317777372353535851937790883648493
    webhook = signed("discord", BODIES["discord"])
    signature = bytes.fromhex(webhook.headers["x-signature-ed25519"])
    second = int.from_bytes(signature[32:], "little") + order
    other = signature[:32] + second.to_bytes(32, "little")
    assert not _verified("discord", _with(webhook, x_signature_ed25519=other.hex()))


def test_discord_upper_case() -> None:
    """Hex digits have no case."""
    webhook = signed("discord", BODIES["discord"])
    assert _verified("discord", _with(webhook, x_signature_ed25519=webhook.headers["x-signature-ed25519"].upper()))
    assert discord.verify(webhook, Keyring((KEYRINGS["discord"].newest.upper(),)), NOW)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_body_unread(platform: str) -> None:
    """Verifying reads the body as bytes only: what is no JSON verifies just as well. Security 3."""
    for body in (b"", b"\xff\xfe\x00", b"{" * 100_000, b"not JSON"):
        assert _verified(platform, signed(platform, body))


def test_secret_names() -> None:
    """Each platform names the secret that verifies it."""
    assert {name: module.SECRET for name, module in MODULES.items()} == {
        "telegram": "telegram/webhook-secret",
        "slack": "slack/signing-secret",
        "discord": "discord/public-key",
        "whatsapp": "whatsapp/app-secret",
    }
    assert {path.name for path in EVENTS.iterdir() if path.is_dir()} == {m.PLATFORM for m in MODULES.values()}
