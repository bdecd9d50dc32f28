"""What is deployed once per worker, for the tests that can share it."""

import os
from collections.abc import Iterator

import pytest

from tests import webhooks
from tests.backends.emulators import EmulatorError
from tests.integration import stack as stacks
from tests.integration.stack import Cloud, Stack


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """Give a ministack onto which stacks can be deployed."""
    running = stacks.start()
    try:
        found = running.__enter__()
    except EmulatorError as error:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(str(error))
    yield found
    running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def stack(cloud: Cloud) -> Stack:
    """Give a stack with the template's defaults. Whoever redeploys it puts back what it changed."""
    return cloud.deploy()


@pytest.fixture(scope="session")
def pairing_stack(cloud: Cloud) -> Stack:
    """Give a stack that pairs, without an owner, at which nothing follows the edge. Whoever uses it clears it first."""
    stack = cloud.deploy("pairing", UnknownUserPolicy="pair", SecretsMaxAgeSeconds=0)
    stack.set_secret("telegram/webhook-secret", webhooks.WEBHOOK_SECRET)
    stack.rest()
    return stack
