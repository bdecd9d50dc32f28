"""Many cases in one test, for those that take less time than pytest takes for a test of its own."""

import functools
import inspect
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import Any

import pytest

# Of a case that has no name of its own, as much as tells which it is.
LONGEST_NAME = 100


def each(
    names: str | tuple[str, ...], values: Iterable[Any], ids: Iterable[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with each of the values, like ``pytest.mark.parametrize``, as one test that names every case that fails.

    Not for tests with fixtures that hold what a case changes: all cases get the same.
    """
    called = names if isinstance(names, tuple) else (names,)
    cases = [
        (shown or ascii(value)[:LONGEST_NAME], dict(zip(called, value if len(called) > 1 else (value,), strict=True)))
        for value, shown in zip_longest(values, ids)
    ]
    assert cases

    def of_each(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **fixtures: Any) -> None:
            failed: list[BaseException] = []
            for shown, case in cases:
                try:
                    test(*args, **fixtures, **case)
                except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 (told below)
                    error.add_note(f"The case: {shown}")
                    failed.append(error)
            if failed:
                raise failed[0] if len(failed) == 1 else BaseExceptionGroup(f"{len(failed)} of {len(cases)}", failed)

        signature = inspect.signature(test)
        asked = [parameter for name, parameter in signature.parameters.items() if name not in called]
        run.__signature__ = signature.replace(parameters=asked)  # type: ignore[attr-defined] # as inspect documents
        return run

    return of_each
