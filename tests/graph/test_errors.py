"""What is answered of an error is no longer than it helps."""

import pytest

from tests.callers import Caller


async def test_a_long_name_is_not_repeated_in_full(nobody: Caller) -> None:
    (error,) = await nobody.errors("{ " + "a" * 45_000 + " }")

    assert error["message"] == "Cannot query field '" + "a" * 980


@pytest.mark.parametrize(("count", "told"), [(2, 2), (300, 10)])
async def test_of_many_places_the_first_are_told(nobody: Caller, count: int, told: int) -> None:
    (error,) = await nobody.errors("{ node(" + 'id: "x" ' * count + ") { id } }")

    assert error["message"] == "There can be only one argument named 'id'."
    assert len(error["locations"]) == told
