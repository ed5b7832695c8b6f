"""Secrets of API keys, from where and until when they are good, and what their scopes allow."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

import pytest

from domain import api_key, roles, scopes, tokens
from domain.api_key import Known
from domain.errors import ForbiddenError, UnauthenticatedError
from domain.roles import Action
from domain.scopes import Scope
from domain.viewer import Key, Viewer

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ID = UUID(int=1)


def viewer(*of: Scope) -> Viewer:
    key = Key(UUID(int=2), frozenset(of), scopes.role(of), b"hash")
    return Viewer(ID, ID, NOW + timedelta(hours=1), key)


# Secrets


def test_a_secret_is_a_prefix_to_know_it_by_and_190_random_bits() -> None:
    prefix, secret = api_key._new_secret()

    assert api_key.is_secret(secret)
    assert secret.startswith(f"{prefix}_")
    assert (len(prefix), len(secret)) == (15, 48)


def test_no_two_secrets_are_equal() -> None:
    assert len({api_key._new_secret() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "token",
    [
        "",
        "earful_",
        "earful_12345678_" + "a" * 31,
        "earful_12345678_" + "a" * 33,
        "earful_1234567_" + "a" * 32,
        "earful_1234567ä_" + "a" * 32,
        "Earful_12345678_" + "a" * 32,
        "earful_12345678_" + "a" * 32 + "\n",
        pytest.param(tokens.new_refresh_token(), id="a refresh token"),
    ],
)
def test_what_is_written_otherwise_is_no_secret(token: str) -> None:
    assert not api_key.is_secret(token)


def test_the_hash_is_not_in_what_is_printed_of_a_viewer() -> None:
    assert "hash" not in repr(viewer())


# Until when and from where


def test_a_key_is_good_until_it_expires() -> None:
    known = Known(viewer(), [])

    assert known.require(NOW + timedelta(minutes=59), "192.0.2.1") == viewer()
    with pytest.raises(UnauthenticatedError, match=r"^The API key has expired\.$"):
        known.require(NOW + timedelta(hours=1), "192.0.2.1")


@pytest.mark.parametrize(
    ("network", "ip"),
    [
        ("192.0.2.0/24", "192.0.2.255"),
        ("192.0.2.1/32", "192.0.2.1"),
        ("192.0.2.0/24", "::ffff:192.0.2.7"),
        ("2001:db8::/32", "2001:db8::1"),
    ],
)
def test_a_key_is_good_within_its_networks(network: str, ip: str) -> None:
    known = Known(viewer(), [ip_network("198.51.100.0/24"), ip_network(network)])

    assert known.require(NOW, ip) == viewer()


@pytest.mark.parametrize("ip", ["192.0.3.0", "unknown", "", "::1", "::ffff:192.0.3.0"])
def test_a_key_is_not_good_elsewhere(ip: str) -> None:
    known = Known(viewer(), [ip_network("192.0.2.0/24")])

    with pytest.raises(UnauthenticatedError, match=r"may not be used from this address\.$"):
        known.require(NOW, ip)


# What the scopes allow


def test_a_person_has_an_id_where_one_is_needed_and_a_key_is_refused() -> None:
    person = Viewer(ID, UUID(int=3), NOW)

    assert person.user_id == ID
    with pytest.raises(ForbiddenError, match=r"^API keys may not do this\.$"):
        _ = viewer().user_id


def test_every_scope_says_which_actions_it_allows() -> None:
    assert set(Scope) == scopes.ACTIONS.keys()


@pytest.mark.parametrize("of", [(), (Scope.FEEDBACK_WRITE,), tuple(Scope)])
def test_a_role_says_the_scopes(of: tuple[Scope, ...]) -> None:
    assert scopes.of_role(scopes.role(of)) == frozenset(map(str, of))


@pytest.mark.parametrize("role", list(roles.Role))
def test_no_role_of_a_person_is_taken_for_a_keys(role: roles.Role) -> None:
    assert scopes.of_role(role.name) is None


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("action", Action)
def test_a_key_may_do_what_one_of_its_scopes_names(scope: Scope, action: Action) -> None:
    others = [other for other in Scope if action.name not in scopes.ACTIONS[other]]
    names = action.name in scopes.ACTIONS[scope]

    assert (
        refusal((scope,), action) == refusal((*others, scope), action) == told(action, names=names)
    )
    assert refusal(tuple(others), action) == told(action, names=False)
    assert roles.sufficient(viewer(scope), action) == [scopes.role((scope,))] * names
    assert roles.sufficient(viewer(*others), action) == []


def told(action: Action, *, names: bool) -> str | None:
    return {True: None, False: f"This API key has no scope to {action}."}[names]


def refusal(of: tuple[Scope, ...], action: Action) -> str | None:
    """Why a key with these scopes may not do it."""
    try:
        roles.require(scopes.role(of), action)
    except ForbiddenError as refused:
        return str(refused)
    return None


@pytest.mark.parametrize("action", Action)
def test_for_statements_people_have_the_roles_that_may(action: Action) -> None:
    assert roles.sufficient(Viewer(ID, ID, NOW), action) == roles.holders(action)


@pytest.mark.parametrize("scope", Scope)
def test_no_scope_allows_what_only_owners_may(scope: Scope) -> None:
    least = [roles.LEAST[Action[name]] for name in scopes.ACTIONS[scope]]

    assert max(least, default=roles.Role.VIEWER) < roles.Role.OWNER


@pytest.mark.parametrize(
    ("of", "role"),
    [
        ((), "VIEWER"),
        ((Scope.STATS_READ,), "VIEWER"),
        ((Scope.FEEDBACK_READ, Scope.FEEDBACK_WRITE), "ANALYST"),
        ((Scope.SOURCES_MANAGE,), "ADMIN"),
    ],
)
def test_a_keys_role_for_people_is_the_least_that_may_as_much(
    of: tuple[Scope, ...], role: str
) -> None:
    assert roles.of_person(scopes.role(of)) == role
