"""What each role may do, and the page that says so."""

from pathlib import Path

import pytest

from domain import roles
from domain.errors import ForbiddenError
from domain.roles import Action, Role

PAGE = Path(__file__).parents[2] / "docs" / "roles.md"


def table() -> list[str]:
    """The table of docs/roles.md, from the data that use cases go by."""
    lines = [
        f"| {action[0].upper()}{action[1:]} | "
        + " | ".join("yes" if role.name in roles.holders(action) else "" for role in Role)
        + " |"
        for action in Action
    ]
    names = " | ".join(role.name for role in Role)
    return [f"| | {names} |", "|---" * (len(Role) + 1) + "|", *lines]


def test_the_page_has_the_table_that_use_cases_go_by() -> None:
    written = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]

    assert written == table()


def test_every_action_has_a_least_role() -> None:
    assert set(Action) == roles.LEAST.keys()


@pytest.mark.parametrize("action", Action)
def test_a_role_may_what_the_roles_before_it_may(action: Action) -> None:
    names = [role.name for role in Role]

    assert roles.holders(action) == names[-len(roles.holders(action)) :]


def test_a_refusal_says_what_is_needed() -> None:
    with pytest.raises(ForbiddenError) as refused:
        roles.require("ADMIN", Action.MANAGE_OWNERS)

    assert str(refused.value) == "You need the role OWNER to make or unmake owners; yours is ADMIN."


@pytest.mark.parametrize("concerned", [("OWNER",), ("OWNER", "VIEWER"), ("VIEWER", "OWNER")])
def test_only_owners_manage_owners(concerned: tuple[str, ...]) -> None:
    assert roles.to_manage(*concerned) is Action.MANAGE_OWNERS


@pytest.mark.parametrize("concerned", [("ADMIN",), ("ADMIN", "VIEWER"), ("VIEWER", "ADMIN")])
def test_admins_manage_up_to_admins(concerned: tuple[str, ...]) -> None:
    assert roles.to_manage(*concerned) is Action.MANAGE_MEMBERS
