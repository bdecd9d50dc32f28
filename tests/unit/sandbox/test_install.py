"""What the sandbox's stack is deployed with."""

from pathlib import Path

from doorcode.pairing.contact import Platform
from doorcode_cli.checkout import Checkout
from doorcode_sandbox.install import parameters
from doorcode_sandbox.plan import Plan
from doorcode_sandbox.platforms.registry import OWNERS
from doorcode_sandbox.stand_ins import StandIns
from tests.unit.sandbox.playground_fixtures import SEED


def test_what_is_no_longer_set_is_no_longer_so() -> None:
    """Every setting is given with every deployment, for an update leaves what it does not name; what is set wins."""
    template, near = Checkout().template.read_text(), StandIns(dict.fromkeys(Platform, 0), lambda _: SEED)

    def deployed(settings: dict[str, str]) -> dict[str, object]:
        plan = Plan(store=Path("store"), owners=OWNERS, settings=settings)
        return parameters(plan, {}, near, frozenset(), template)

    usual, groups = deployed({}), deployed({"GROUP_POLICY": "mention_only", "SECRETS_MAX_AGE_SECONDS": "60"})
    policy = "pair,whatsapp=pair"  # in the sandbox strangers ask, on every platform
    assert (usual["GroupPolicy"], usual["CodeTtlSeconds"], usual["UnknownUserPolicy"]) == ("off", "3600", policy)
    assert {name: value for name, value in groups.items() if usual[name] != value} == {
        "GroupPolicy": "mention_only", "SecretsMaxAgeSeconds": "60"
    }  # fmt: skip
