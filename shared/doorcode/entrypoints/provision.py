"""CloudFormation's custom resource: creates the secrets that are missing when the stack is deployed.

CloudFormation hears back whatever happens, or it would wait until it gives up. Deleting the resource deletes nothing.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from doorcode.aws.provisioning import PutParameterClient, create_missing_secrets
from doorcode.entrypoints import log
from doorcode.errors import DoorcodeError

# Fixed: another id would make CloudFormation delete the resource as it was.
RESOURCE_ID = "doorcode-secrets"
ANSWER_TRIES = 3
ANSWER_SECONDS = 10
# A new role's rights take some seconds to be known everywhere.
RIGHTS_SECONDS = 35
RIGHTS_PAUSE = 5


def provision(
    event: Mapping[str, Any],
    connect: Callable[[], tuple[PutParameterClient, str]],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Carry out one of CloudFormation's requests, and answer it. Raises OSError where the answer cannot be given.

    ``connect`` gives a client of Parameter Store and the prefix of the stack's parameters: what fails there is answered, too.
    """
    failure = ""
    try:
        if event["RequestType"] != "Delete":
            client, prefix = connect()
            made = create_missing_secrets(client, prefix, wait=_for_rights(pause))
            log.info(f"Secrets made: {', '.join(made) or 'none, all are there'}")
    except DoorcodeError as error:
        failure = str(error)
    except Exception as error:  # noqa: BLE001
        # Its own words could repeat anything.
        failure = f"Making the secrets failed ({type(error).__name__})."
    if failure:
        log.error(failure)
    _answer(event, failure, pause)


def _for_rights(pause: Callable[[float], None]) -> Callable[[], bool]:
    began = time.monotonic()

    def wait() -> bool:
        if time.monotonic() - began > RIGHTS_SECONDS - RIGHTS_PAUSE:
            return False
        log.info("The role's rights are not known everywhere yet: trying again")
        pause(RIGHTS_PAUSE)
        return True

    return wait


def _answer(event: Mapping[str, Any], failure: str, pause: Callable[[float], None]) -> None:
    answer = {
        "Status": "FAILED" if failure else "SUCCESS",
        "PhysicalResourceId": RESOURCE_ID,
        **{field: event[field] for field in ("StackId", "RequestId", "LogicalResourceId")},
    }
    if failure:
        answer["Reason"] = failure
    request = urllib.request.Request(  # noqa: S310 (CloudFormation names the address, and signs it)
        event["ResponseURL"],
        data=json.dumps(answer).encode(),
        headers={"Content-Type": ""},  # any other would break the address's signature
        method="PUT",
    )
    for left in reversed(range(ANSWER_TRIES)):
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310
                return
        except OSError:
            if not left:
                raise
            pause(1)
