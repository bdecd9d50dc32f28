"""template.yaml, read as CloudFormation reads it: short forms spelled out, and references resolved to made-up names."""

import contextlib
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
STACK = "doorcode"
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}


class _Loader(yaml.CSafeLoader):  # type: ignore[misc] # PyYAML ships no types
    """Spells out CloudFormation's short forms."""


def _spelled_out(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _spelled_out)


@functools.cache
def template() -> dict[str, Any]:
    """Return the template, unresolved."""
    loaded: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), _Loader)  # noqa: S506 (a SafeLoader)
    return loaded


_given: dict[str, Any] = {}


@contextlib.contextmanager
def given(**parameters: Any) -> Iterator[None]:
    """Resolve references under these parameters instead of their defaults."""
    _given.update(parameters)
    try:
        yield
    finally:
        _given.clear()


def resources(kind: str, *, present: bool = False) -> dict[str, dict[str, Any]]:
    """Return the resources of a type by logical id, with references resolved and what Globals add.

    With ``present``, only those whose condition holds. What is returned is shared: nobody changes it.
    """
    return _resources(kind, present, tuple(_given.items()))


@functools.cache
def _resources(kind: str, present: bool, _: tuple[tuple[str, Any], ...]) -> dict[str, dict[str, Any]]:
    return {
        name: resolved(resource, template()["Globals"].get("Function", {}) if kind.endswith("Function") else {})
        for name, resource in template()["Resources"].items()
        if resource["Type"] == kind
        and not (present and "Condition" in resource and not _holds(template()["Conditions"][resource["Condition"]]))
    }


def functions() -> dict[str, dict[str, Any]]:
    """Return the functions' properties by the name of their folder."""
    return {
        properties["CodeUri"].split("/")[1]: properties
        for properties in (one["Properties"] for one in resources("AWS::Serverless::Function").values())
    }


def group_of(function: str) -> str:
    """Return the last part of the name of the log group that a function writes into."""
    group: str = functions()[function]["LoggingConfig"]["LogGroup"]
    return group.removeprefix(f"{STACK}-").removesuffix("Logs").lower()


def policies_of(role: str) -> dict[str, list[dict[str, Any]]]:
    """Return the statements of a role by the logical id of what says them: those copied into several roles, and its own."""
    found = {
        name: policy["Properties"]["PolicyDocument"]["Statement"]
        for name, policy in resources("AWS::IAM::Policy").items()
        if f"{STACK}-{role}" in policy["Properties"]["Roles"]
    }
    own = resources("AWS::IAM::Role")[role]["Properties"]["Policies"]
    return {**found, role: [one for policy in own for one in policy["PolicyDocument"]["Statement"]]}


def statements(role: str) -> list[dict[str, Any]]:
    """Return all statements of a role's policies."""
    return [one for said in policies_of(role).values() for one in said]


def walk(value: Any) -> Iterator[Any]:
    """Go through a value and everything in it."""
    yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from walk(part)


def resolved(resource: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource with its references resolved, and with what SAM's Globals add: to lists and mappings too."""
    properties = dict(resource.get("Properties", {}))
    for name, default in defaults.items():
        own = properties.get(name)
        if own is None:
            properties[name] = default
        elif isinstance(default, list):
            properties[name] = [*default, *own]
        elif isinstance(default, dict):
            properties[name] = _merged(default, own)
    whole = {**resource, "Properties": properties}
    result: dict[str, Any] = _resolve(whole)
    return result


def _merged(default: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merged(default[key], own[key]) for key in default.keys() & own.keys() if isinstance(own[key], dict)}
    return {**default, **own, **both}


def _resolve(value: Any) -> Any:  # noqa: PLR0911 (one for each form)
    if isinstance(value, list):
        return [found for part in value if (found := _resolve(part)) is not None]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key == "Ref":
            return _ref(argument)
        if key == "Fn::GetAtt":
            return _attribute(*argument)
        if key == "Fn::Sub":
            return _sub(argument)
        if key == "Fn::Join":
            return argument[0].join(_resolve(argument[1]))
        if key == "Fn::Split":
            return _resolve(argument[1]).split(argument[0])
        if key == "Fn::If":
            condition, yes, no = argument
            return _resolve(yes if _holds(template()["Conditions"][condition]) else no)
    return {key: found for key, part in value.items() if (found := _resolve(part)) is not None}


def _ref(name: str) -> Any:
    if name in PSEUDO:
        return PSEUDO[name]
    parameters = template()["Parameters"]
    return _given.get(name, parameters[name]["Default"]) if name in parameters else f"{STACK}-{name}"


def _attribute(name: str, attribute: str) -> str:
    resource = template()["Resources"][name]
    middle = f"{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}"
    if attribute == "StreamArn":
        return f"arn:aws:dynamodb:{middle}:table/{STACK}-{name}/stream/2026-04-22T11:45:22.000"
    if attribute != "Arn":
        return f"{STACK}-{name}"
    return {
        "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{middle}:table/{STACK}-{name}",
        "AWS::IAM::Role": f"arn:aws:iam::{PSEUDO['AWS::AccountId']}:role/{STACK}-{name}",
        "AWS::Logs::LogGroup": f"arn:aws:logs:{middle}:log-group:{_resolve(resource['Properties'].get('LogGroupName'))}:*",
        "AWS::Serverless::Function": f"arn:aws:lambda:{middle}:function:{STACK}-{name}",
        "AWS::SQS::Queue": f"arn:aws:sqs:{middle}:{STACK}-{name}",
        "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{middle}:alarm:{STACK}-{name}",
    }[resource["Type"]]


def _sub(argument: Any) -> str:
    text, names = argument if isinstance(argument, list) else (argument, {})

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in names:
            return str(_resolve(names[name]))
        return _attribute(*name.split(".", 1)) if "." in name else str(_ref(name))

    return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", value, text)


def _holds(condition: Any) -> bool:
    ((key, argument),) = condition.items()
    if key == "Fn::Not":
        return not _holds(argument[0])
    if key == "Fn::Or":
        return any(_holds(one) for one in argument)
    if key == "Condition":
        return _holds(template()["Conditions"][argument])
    left, right = (_resolve(part) for part in argument)
    return bool(left == right)
