"""The check of ``doorcode doctor`` whether owners can be reached, on whatever platform they are."""

from __future__ import annotations

from collections.abc import Iterator

from doorcode_cli.examination import Examination, Finding, ok, warn, wrong
from doorcode_cli.platform_api import PlatformError, Trouble
from doorcode_cli.platforms.registry import PLATFORMS

SEND_TEST = "doorcode doctor --send-test"


def owners(examined: Examination) -> Iterator[Finding]:
    """Look whether every owner can be asked. Without --send-test, only as far as that shows nothing to them but "typing…"."""
    for platform, user_id in examined.owners:
        who, kind = f"{platform}:{user_id}", PLATFORMS[platform].api
        try:
            api = examined.api(kind)
            if api is None:
                yield wrong("owners", f"{who} cannot be asked: {kind.token.name} is missing", kind.token.sets)
                continue
            told = api.reach(user_id, send=examined.send_test)
        except PlatformError as error:
            if error.trouble is Trouble.REFUSED:
                yield wrong("owners", f"{who} is not reached: {error}", kind.owner_remedy.format(user_id=user_id))
            else:
                yield warn("owners", f"{who}: {error}", "")
        else:
            yield ok("owners", f"{who} {told}", SEND_TEST if "only sending" in told else "")
