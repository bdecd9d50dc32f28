"""Conditions whose texts are put together, as CloudFormation understands them."""

from collections.abc import Mapping
from typing import Any

from doorcode_sandbox.emulator_conditions import knowing_texts
from tests.infra.template import template


def plainly(given: Mapping[str, Any], params: Mapping[str, Any]) -> Mapping[str, bool]:
    """Evaluate what is left, as ministack does: equal texts, and what is not so."""

    def holds(condition: Any) -> bool:
        ((form, about),) = condition.items()
        if form == "Condition":
            return holds(given["Conditions"][about])
        if form == "Fn::Not":
            return not holds(about[0])
        if form in {"Fn::Or", "Fn::And"}:
            return (any if form == "Fn::Or" else all)(holds(one) for one in about)
        left, right = (params[one["Ref"]]["Value"] if isinstance(one, dict) else one for one in about)
        return bool(left == right)

    return {name: holds(condition) for name, condition in given["Conditions"].items()}


def test_a_kind_of_agent_is_found_in_the_text_that_names_it() -> None:
    """The template's own conditions hold for the kinds that are set, for all platforms or for one."""
    defaults = {name: {"Value": one["Default"]} for name, one in template()["Parameters"].items()}

    def held(agent: str) -> set[str]:
        evaluated = knowing_texts(plainly)(template(), defaults | {"Agent": {"Value": agent}})
        return {name for name in ("AsksBedrock", "LeavesQueue") if evaluated[name]}

    assert held("python") == set()
    assert held("bedrock") == {"AsksBedrock"}
    assert held("telegram=queue, slack=bot") == {"LeavesQueue"}
    assert held("python,slack=bedrock") == {"AsksBedrock"}
