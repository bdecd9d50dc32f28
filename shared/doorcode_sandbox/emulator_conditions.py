"""Conditions of a CloudFormation template whose texts are put together, which ministack compares as they are written.

CloudFormation takes ``Fn::Join``, ``Fn::Split`` and ``Fn::Sub`` within ``Fn::Equals``; ministack knows ``Ref`` and ``Fn::Select``
there. This runs on its interpreter, in its process: the standard library alone.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Evaluate = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, bool]]

NAME = re.compile(r"\$\{(!?)([A-Za-z0-9:]+)\}")


def knowing_texts(evaluate: Evaluate) -> Evaluate:
    """Return a way to evaluate a template's conditions, given its parameters, that puts their texts together first."""

    def evaluated(template: Mapping[str, Any], params: Mapping[str, Any]) -> Mapping[str, bool]:
        return evaluate({**template, "Conditions": put_together(template.get("Conditions") or {}, params)}, params)

    return evaluated


def put_together(value: Any, params: Mapping[str, Any]) -> Any:
    """Return conditions in which every text that is joined, split or filled in is the text that it makes."""
    if isinstance(value, list):
        return [put_together(part, params) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((form, about),) = value.items()
        if form == "Fn::Join":
            separator, parts = about
            return separator.join(str(_text(part, params)) for part in put_together(parts, params))
        if form == "Fn::Split":
            separator, text = about
            return str(_text(put_together(text, params), params)).split(separator)
        if form == "Fn::Sub" and isinstance(about, str):
            return NAME.sub(lambda found: f"${{{found[2]}}}" if found[1] else str(_known(found[2], params)), about)
    return {key: put_together(part, params) for key, part in value.items()}


def _text(value: Any, params: Mapping[str, Any]) -> Any:
    return _known(value["Ref"], params) if isinstance(value, dict) and set(value) == {"Ref"} else value


def _known(name: str, params: Mapping[str, Any]) -> Any:
    return params[name]["Value"] if name in params else name
