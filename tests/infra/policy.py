"""IAM's evaluation of a policy, as far as the template uses it. What is not known here raises: nothing is guessed."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Statement = Mapping[str, Any]

PARTS = {"Sid", "Effect", "Action", "Resource", "Condition"}
# The condition keys that some service really sends. ``ForAllValues`` holds where a key is absent, so that a misspelt
# one would allow everything.
KEYS = {"dynamodb:LeadingKeys", "events:source", "ssm:Overwrite", "bedrock:InferenceProfileArn"}
QUANTIFIERS = {"ForAllValues": all, "ForAnyValue": any}
COMPARISONS = ("StringEquals", "StringLike")
NEGATED = "StringNotEquals"


class UnknownPolicyError(Exception):
    """A policy says something that this evaluation does not know."""


class Call(NamedTuple):
    """What IAM is asked: an action on a resource, and what the service says about the request."""

    action: str
    resource: str
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __str__(self) -> str:
        """Return it as one line."""
        about = "".join(f", {key} {', '.join(values)}" for key, values in self.context)
        return f"{self.action} on {self.resource}{about}"


class Grant(NamedTuple):
    """The smallest thing that a statement allows: one action on one resource, with one value of each condition."""

    sid: str
    action: str
    resource: str
    conditions: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        """Return it as one line."""
        about = "".join(f", {key} {value}" for _, key, value in self.conditions)
        return f"{self.sid}: {self.action} on {self.resource}{about}"


def allowed(statements: Sequence[Statement], call: Call) -> bool:
    """Tell whether a policy, which only allows, allows a call."""
    # Every statement is checked, also those after one that matches.
    return any(_matches(statement, call) for statement in [checked(one) for one in statements])


def grants(statement: Statement) -> Iterator[Grant]:
    """Take a statement apart into all that it allows."""
    checked(statement)
    combined: list[tuple[tuple[str, str, str], ...]] = [()]
    for operator, key, values in _conditions(statement):
        combined = [(*some, (operator, key, value)) for some in combined for value in values]
    for action in listed(statement["Action"]):
        for resource in listed(statement["Resource"]):
            for conditions in combined:
                yield Grant(statement["Sid"], action, resource, conditions)


def unneeded(statements: Sequence[Statement], calls: Sequence[Call]) -> list[Grant]:
    """Return what the statements allow and no call needs."""
    return [grant for statement in statements for grant in grants(statement) if not _needed(grant, calls)]


def _needed(grant: Grant, calls: Sequence[Call]) -> bool:
    return any(
        _alike(grant.action.lower(), call.action.lower())
        and _alike(grant.resource, call.resource)
        and all(
            any(_compared(operator, value, found) for found in dict(call.context).get(key, ()))
            for operator, key, value in grant.conditions
        )
        for call in calls
    )


def checked(statement: Statement) -> Statement:
    """Return a statement that is understood to its last word. Raises UnknownPolicyError for any other."""
    unknown = statement.keys() - PARTS
    if unknown or statement["Effect"] != "Allow":
        raise UnknownPolicyError(f"{statement.get('Sid')}: {sorted(unknown) or statement['Effect']}")
    for operator, key, values in _conditions(statement):
        quantifier, _, comparison = operator.rpartition(":")
        known = operator == NEGATED or (comparison in COMPARISONS and quantifier in {"", *QUANTIFIERS})
        if not known or key not in KEYS:
            raise UnknownPolicyError(f"{statement.get('Sid')}: {operator} of {key}")
        _texts(statement, values)
    _texts(statement, listed(statement["Action"]) + listed(statement["Resource"]))
    return statement


def listed(value: Any) -> list[Any]:
    """Return a value that may stand alone as a list."""
    return value if isinstance(value, list) else [value]


def _texts(statement: Statement, values: Sequence[Any]) -> None:
    for value in values:
        if not isinstance(value, str) or "${" in value or not value:
            raise UnknownPolicyError(f"{statement.get('Sid')}: {value!r}")


def _conditions(statement: Statement) -> Iterator[tuple[str, str, list[Any]]]:
    for operator, tests in statement.get("Condition", {}).items():
        for key, values in tests.items():
            yield operator, key, listed(values)


def _matches(statement: Statement, call: Call) -> bool:
    return (
        any(_alike(action.lower(), call.action.lower()) for action in listed(statement["Action"]))
        and any(_alike(resource, call.resource) for resource in listed(statement["Resource"]))
        and all(
            _holds(operator, values, dict(call.context).get(key)) for operator, key, values in _conditions(statement)
        )
    )


def _holds(operator: str, wanted: Sequence[str], found: Sequence[str] | None) -> bool:
    quantifier = operator.rpartition(":")[0]
    if found is None:
        # As IAM has it: nothing that is absent contradicts "for all", or equals anything.
        return quantifier == "ForAllValues" or operator == NEGATED
    if not quantifier and len(found) != 1:
        raise UnknownPolicyError(f"{operator} of several values")
    if operator == NEGATED:
        return all(_compared(operator, value, found[0]) for value in wanted)
    quantified = QUANTIFIERS.get(quantifier, all)
    return quantified(any(_compared(operator, value, one) for value in wanted) for one in found)


def _compared(operator: str, wanted: str, found: str) -> bool:
    if operator == NEGATED:
        return wanted != found
    return _alike(wanted, found) if operator.endswith("StringLike") else wanted == found


def _alike(pattern: str, text: str) -> bool:
    """Compare as IAM does: ``*`` stands for any characters, ``?`` for one."""
    return _expression(pattern).fullmatch(text) is not None


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in pattern), re.DOTALL)
