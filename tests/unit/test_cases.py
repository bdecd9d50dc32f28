"""A test of many cases is as good as many tests: each case is run, and whichever fails is named."""

import inspect

import pytest

from tests.cases import each


def test_each_case_runs() -> None:
    """All values of all grids come, with the fixtures, which are all that is asked for from outside."""
    seen = []

    @each("left", [1, 2], ids=["one", "two"])
    @each(("right", "more"), [(3, 4), (5, 6)])
    def test(fixture: str, left: int, right: int, *, more: int) -> None:
        seen.append((fixture, left, right, more))

    assert list(inspect.signature(test).parameters) == ["fixture"]
    test(fixture="f")
    assert seen == [("f", 1, 3, 4), ("f", 1, 5, 6), ("f", 2, 3, 4), ("f", 2, 5, 6)]


def test_what_fails_is_named() -> None:
    """A failure keeps the others from nothing: each is told, whether it was refused, raised, or not raised."""

    @each("number", range(4), ids=["none", "one", "two", "three"])
    @each("other", ["x"])
    def test(number: int, other: str) -> None:
        assert number != 2, other
        with pytest.raises(ZeroDivisionError):
            assert 1 / number

    with pytest.raises(BaseExceptionGroup, match="3 of 4") as caught:
        test()
    assert [error.__notes__ for error in caught.value.exceptions] == [
        ["The case: 'x'", f"The case: {number}"] for number in ("one", "two", "three")
    ]
    raised, failed = AssertionError, pytest.fail.Exception
    assert [type(error) for error in caught.value.exceptions] == [failed, raised, failed]


def test_one_that_fails_is_raised_as_it_is() -> None:
    """With its case noted."""

    @each("word", ["a", "b"])
    def test(word: str) -> None:
        assert word == "a"

    with pytest.raises(AssertionError) as caught:
        test()
    assert caught.value.__notes__ == ["The case: 'b'"]


def test_a_grid_of_nothing_is_none() -> None:
    """A list that has become empty tests nothing, and is a mistake."""
    with pytest.raises(AssertionError):
        each("word", [])
