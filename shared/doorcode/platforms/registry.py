"""Finds a platform's rooms by its name, and imports one when it is first needed: an edge its own ``inbound`` alone."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from doorcode.pairing.platform import Platform
from doorcode.platforms.inbound import Inbound

if TYPE_CHECKING:
    from doorcode.platforms.asking import Asking
    from doorcode.platforms.deeds import Deeds
    from doorcode.platforms.handshakes import Handshakes
    from doorcode.platforms.sender import MakeSender


def inbound(platform: Platform) -> Inbound:
    """Return the module that reads the platform's webhooks and draws what is shown there."""
    return cast("Inbound", import_module(f"doorcode.platforms.{platform}.inbound"))


def deeds(platform: Platform) -> Deeds:
    """Return the module that tells whose the platform's requests are, where they are passed on to a bot."""
    return cast("Deeds", import_module(f"doorcode.platforms.{platform}.deeds"))


def asking(platform: Platform) -> Asking:
    """Return the module that draws what owners are asked by others than strangers."""
    return cast("Asking", import_module(f"doorcode.platforms.{platform}.asking"))


def handshake(platform: Platform) -> Handshakes:
    """Return the module that answers the platform's handshake, where its row names a secret for that."""
    return cast("Handshakes", import_module(f"doorcode.platforms.{platform}.handshake"))


def sender_maker(platform: Platform) -> MakeSender:
    """Return what makes the platform's sender. Imports its client library."""
    return cast("MakeSender", import_module(f"doorcode.platforms.{platform}.sender").make_sender)
