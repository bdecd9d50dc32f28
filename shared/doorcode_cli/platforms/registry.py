"""The platforms of the command: one row for each, and a folder with everything that is its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from doorcode.pairing.contact import Platform
from doorcode_cli.platforms.discord import DISCORD
from doorcode_cli.platforms.port import OperatorPlatform
from doorcode_cli.platforms.slack import SLACK
from doorcode_cli.platforms.telegram import TELEGRAM
from doorcode_cli.platforms.whatsapp import WHATSAPP

PLATFORMS: Mapping[Platform, OperatorPlatform] = MappingProxyType(
    {
        Platform.TELEGRAM: TELEGRAM,
        Platform.SLACK: SLACK,
        Platform.DISCORD: DISCORD,
        Platform.WHATSAPP: WHATSAPP,
    }
)
