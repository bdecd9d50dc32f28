"""moto's expressions, read once: the same parts of moto see to the same parts of an expression, each a single time.

moto reads a condition anew with every item that it is put to, goes through an update's whole tree ten times, and through a
new item's twice. Here what depends on an expression alone is worked out once for each expression, and what depends on the
item or the values once for each request. What is refused takes moto's whole way, which says so as AWS does.
"""

import copy
import functools
import importlib
from typing import Any

from moto.dynamodb import comparisons

_parts: Any = importlib.import_module("moto.dynamodb.parsing.ast_nodes")  # without types
_checks: Any = importlib.import_module("moto.dynamodb.parsing.validators")
_Whole: Any = _checks.UpdateExpressionValidator
_ACTIONS = [getattr(_parts, f"UpdateExpression{kind}Action") for kind in ("Set", "Remove", "Add", "Delete")]
_SET = _ACTIONS[0]


class _Refused(Exception):  # noqa: N818 (it is none, but the way to moto's own)
    """Something is wrong with the update."""


class Update:
    """An update, instead of moto's own validator of it."""

    def __init__(self, expression: Any, **circumstances: Any) -> None:
        self.expression = expression
        self.circumstances = circumstances
        self.names = circumstances["expression_attribute_names"] or {}
        self.values = circumstances["expression_attribute_values"] or {}
        self.item, self.table = circumstances["item"], circumstances["table"]

    def validate(self) -> Any:
        """Return the tree as it is carried out: actions, each with its path and a value."""
        try:
            actions = _actions(self.expression, frozenset(self.names.items()), tuple(self.table.table_key_attrs))
            return _parts.UpdateExpression([self._worked_out(action) for action in actions])
        except Exception:  # noqa: BLE001 (whatever it is, moto says it)
            return _Whole(self.expression, **self.circumstances).validate()

    def _worked_out(self, action: Any) -> Any:
        path, *values = action.children
        there = self._at(path)
        if isinstance(there, _parts.NoneExistingPath) and not there.is_creatable():
            raise _Refused
        made = type(action)([copy.copy(path), *map(self._value, values)])
        if any(isinstance(value, _parts.NoneExistingPath) for value in made.children):
            raise _Refused
        if isinstance(made, _SET):
            _checks.TypeMismatchValidator(self.table.attr).check_for_type_mismatch(made)
            _checks.EmptyStringKeyValueValidator(self.table.attribute_keys).check_for_empty_string_key_value(made)
        return made

    def _at(self, path: Any) -> Any:
        return _checks.ExpressionPathResolver(self.names).resolve_expression_path(self.item, path)

    def _value(self, node: Any) -> Any:
        kind = type(node)
        if kind is _parts.ExpressionAttributeValue:
            processor = _checks.ExpressionAttributeValueProcessor(self.values)
            return processor.replace_expression_attribute_value_with_value(node)
        if kind is _parts.UpdateExpressionPath:
            return self._at(node)
        if kind is _parts.UpdateExpressionFunction:
            name, *arguments = node.children
            return _checks.UpdateExpressionFunctionEvaluator().process_function(
                kind([name, *map(self._value, arguments)])
            )
        if kind is _parts.UpdateExpressionValue:
            return _checks.ExecuteOperations().process_update_expression_value(kind([*map(self._value, node.children)]))
        if kind is _parts.ExpressionValueOperator:
            return node
        raise _Refused


@functools.cache
def _actions(expression: Any, names: frozenset[tuple[str, str]], keys: tuple[str, ...]) -> list[Any]:
    """Return an expression's actions, where it is one that a table with these keys could be asked."""
    tree = copy.deepcopy(expression)
    for check in (
        _checks.ActionCountValidator(),
        _checks.OverlappingPathsValidator(dict(names)),
        _checks.UpdateHashRangeKeyValidator([*keys], dict(names)),
    ):
        check.traverse(tree)
    return list(tree.find_clauses(_ACTIONS))


class Condition(comparisons.ConditionExpressionParser):
    """A condition, instead of moto's own reader of it."""

    def parse(self) -> Any:
        """Return what decides about an item."""
        if not self.condition_expression:
            return super().parse()
        names, values = self.expression_attribute_names, self.expression_attribute_values
        read = _read(
            self.condition_expression,
            None if names is None else frozenset(names.items()),
            None if values is None else frozenset(values),
        )
        self.expr_attr_names_found += read.expr_attr_names_found
        self.expr_attr_values_found += read.expr_attr_values_found
        return self._make_op_condition(read.tree)

    def _make_operand(self, node: Any) -> Any:
        if node.kind == self.Kind.EXPRESSION_ATTRIBUTE_VALUE:
            return comparisons.AttributeValue(self._lookup_expression_attribute_value(node.text))
        return super()._make_operand(node)


class _Reader(comparisons.ConditionExpressionParser):
    tree: Any

    def _make_op_condition(self, node: Any) -> Any:
        self.tree = node


@functools.cache
def _read(condition: str, names: frozenset[tuple[str, str]] | None, values: frozenset[str] | None) -> _Reader:
    """Read a condition, whatever the values are."""
    reader = _Reader(
        condition,
        None if names is None else dict(names),
        None if values is None else {name: {"S": name} for name in values},
    )
    reader.parse()
    return reader
