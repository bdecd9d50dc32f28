"""What goes wrong when an agent is invoked through AWS, by any service: whether another try may do, without people's text."""

from __future__ import annotations

import re
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError

from doorcode.agent.answers import AGAIN, retry_after
from doorcode.agent.responder import AgentRefusedError, AgentUnavailableError
from doorcode.errors import DoorcodeError

# What an error calls itself; what else it says may hold what somebody wrote.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
# It is not ready yet, or what runs in it has failed.
PASSING = AGAIN | {HTTPStatus.CONFLICT, HTTPStatus.FAILED_DEPENDENCY}


def failure(error: BotoCoreError | ClientError, what: str, now: int) -> DoorcodeError:
    """Return what it means that ``what``, a function or a runtime, could not be asked."""
    if not isinstance(error, ClientError):
        # No answer in time, or no connection. It may be at work, and is asked again only when the queue says so.
        return AgentUnavailableError(f"The {what} did not answer: {type(error).__name__}.")
    facts = error.response.get("ResponseMetadata", {})
    status = facts.get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code")
    # Where the service sent no name, it is the status once more.
    why = f"The {what} was not run: {f'HTTP {code}' if str(code).isdecimal() else named(code)}."
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return AgentUnavailableError(why, retry_after(facts.get("HTTPHeaders", {}), now))
    return AgentRefusedError(why)


def named(value: object) -> str:
    """Return the name of an error, if it is one."""
    return value if isinstance(value, str) and NAME.fullmatch(value) else "an error"
