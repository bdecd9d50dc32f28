"""The sandbox's tokens and secrets: the stand-ins' own, until somebody sets real ones. Those are never overwritten."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from doorcode.pairing.contact import Platform
from doorcode.platforms.registry import inbound
from doorcode_sandbox.platforms.registry import PLATFORMS
from doorcode_sandbox.stand_ins import TOKENS

MADE_UP = {platform: parts.stand_in.MADE_UP for platform, parts in PLATFORMS.items()}
# Who the bot is, and where: no secrets.
OPEN = frozenset(bot.name for platform in Platform if (bot := inbound(platform).BOT))
# What the stack verifies webhooks by.
VERIFYING = {platform: inbound(platform).SECRET for platform in Platform}


def real(ssm: Any, prefix: str) -> frozenset[Platform]:
    """Return the platforms whose token is somebody's own."""
    found = read(ssm, prefix, TOKENS.values())
    return frozenset(
        platform for platform, name in TOKENS.items() if found.get(name, MADE_UP[platform]).strip() != MADE_UP[platform]
    )


def read(ssm: Any, prefix: str, names: Collection[str]) -> dict[str, str]:
    """Return the secrets that are there, by name."""
    answer = ssm.get_parameters(Names=[f"{prefix}/{name}" for name in names], WithDecryption=True)
    return {found["Name"].removeprefix(f"{prefix}/"): found["Value"] for found in answer["Parameters"]}


def verifying(ssm: Any, prefix: str) -> dict[Platform, str]:
    """Return the newest of the secrets that webhooks are verified by, for each platform that has one."""
    found = read(ssm, prefix, VERIFYING.values())
    return {
        platform: found[name].strip().partition("\n")[0].strip()
        for platform, name in VERIFYING.items()
        if name in found
    }


def put(ssm: Any, prefix: str, secrets: Mapping[str, str]) -> None:
    """Set what somebody gives."""
    for name, value in secrets.items():
        ssm.put_parameter(Name=f"{prefix}/{name}", Value=value, Type="SecureString", Overwrite=True)


def fill(ssm: Any, prefix: str, wanted: Mapping[str, str]) -> None:
    """Set what is missing, and nothing else."""
    for name, value in wanted.items():
        kind = "String" if name in OPEN else "SecureString"
        try:
            ssm.put_parameter(Name=f"{prefix}/{name}", Value=value, Type=kind, Overwrite=False)
        except ssm.exceptions.ParameterAlreadyExists:
            continue
