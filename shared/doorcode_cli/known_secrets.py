"""The secrets of a stack, by name: our own, and each platform's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from doorcode.pairing.contact import Platform
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.secret_forms import AGENT, OWN, Form

FORMS: Mapping[str, Form] = MappingProxyType(
    {form.name: form for form in (*OWN, *(form for parts in PLATFORMS.values() for form in parts.forms), *AGENT)}
)
# Whose token each is.
TOKENS: Mapping[str, Platform] = MappingProxyType(
    {parts.api.token.name: platform for platform, parts in PLATFORMS.items()}
)
# Which platform sends each of those that are made here.
HELD: Mapping[str, Platform] = MappingProxyType(
    {parts.holder.secret.name: platform for platform, parts in PLATFORMS.items() if parts.holder}
)
