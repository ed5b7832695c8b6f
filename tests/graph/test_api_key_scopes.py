"""What API keys may ask for: each field by its scopes, and what says nothing not at all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    Undefined,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

from app.main import Application
from domain import scopes
from domain.ids import Kind
from domain.roles import Action
from domain.scopes import Scope
from graph.access import Access, Scoped, Undeclared
from graph.schema import schema
from graph.viewer import _ACCESS, _FIND
from tests.callers import JSON
from tests.factories import Factory, Partner, Tenant
from tests.graph.watching import connected

SCHEMA = schema._schema
PAGE = Path(__file__).parents[2] / "docs" / "api-keys.md"
GUARDED = ("Query", "Mutation", "Subscription", "Viewer", "Workspace")
FREE = {
    "Query.rateLimit",
    "Query.viewer",
    "Query.workspace",
    "Viewer.user",
    "Viewer.apiKey",
    "Viewer.workspaces",
    "Viewer.sessions",
    "Workspace.id",
    "Workspace.name",
    "Workspace.slug",
    "Workspace.viewerRole",
    "Workspace.createdAt",
    "Mutation.submitContact",
}
"""What any key may ask for."""
BY_KIND = {"Query.node", "Query.nodes"}
"""What goes by the kind of the id."""
FIELDS = {
    f"{type_}.{name}": field
    for type_ in GUARDED
    for name, field in SCHEMA.type_map[type_].fields.items()  # type: ignore[attr-defined]  # all are objects
}
SCOPED = {
    coordinate: rule.scopes
    for coordinate, field in FIELDS.items()
    for rule in field.extensions["strawberry-definition"].extensions
    if isinstance(rule, Scoped)
}
CLOSED = sorted(FIELDS.keys() - SCOPED.keys() - FREE - BY_KIND)


def test_every_field_says_who_may_use_it() -> None:
    silent = [
        coordinate
        for coordinate, field in FIELDS.items()
        for rule in field.extensions["strawberry-definition"].extensions
        if isinstance(rule, Undeclared)
    ]
    bare = {coordinate for coordinate, field in FIELDS.items() if not _rules(field)}

    assert silent == []
    assert bare == {each for each in FREE if each.startswith(("Viewer.", "Workspace."))}


def _rules(field: GraphQLField) -> list[Access]:
    extensions = field.extensions["strawberry-definition"].extensions
    return [extension for extension in extensions if isinstance(extension, Access)]


# Operations that get as far as the access rules


_LITERALS = {"Int": "1", "Float": "1", "Boolean": "true", "DateTime": '"2026-06-15T12:00:00Z"'}


def literal(type_: Any) -> str:
    """A value that fits, and means nothing."""
    if is_non_null_type(type_):
        return literal(type_.of_type)
    if is_list_type(type_):
        return "[]"
    if isinstance(type_, GraphQLEnumType):
        return str(next(iter(type_.values)))
    if isinstance(type_, GraphQLInputObjectType):
        return f"{{{', '.join(required(type_.fields))}}}"
    return _LITERALS.get(type_.name, '"x"')


def required(inputs: Mapping[str, Any]) -> Iterator[str]:
    """The arguments, or fields of an input, that have to be given."""
    for name, given in inputs.items():
        if is_non_null_type(given.type) and given.default_value is Undefined:
            yield f"{name}: {literal(given.type)}"


_AROUND = {
    "Query": "query {{ {} }}",
    "Mutation": "mutation {{ {} }}",
    "Subscription": "subscription {{ {} }}",
    "Viewer": "query {{ viewer {{ {} }} }}",
    "Workspace": "query($slug: String!) {{ workspace(slug: $slug) {{ {} }} }}",
}
_INSIDE = {"Mutation": " { __typename ... on Problem { message } }"}


def operation(coordinate: str) -> str:
    """An operation that gets as far as the field's rule."""
    type_, _, name = coordinate.partition(".")
    field = FIELDS[coordinate]
    given = ", ".join(required(field.args))
    inside = _INSIDE.get(type_, " { __typename }")
    is_leaf = not is_composite_type(get_named_type(field.type))
    asked = f"it: {name}{f'({given})' if given else ''}{'' if is_leaf else inside}"
    return _AROUND[type_].format(asked)


@dataclass(frozen=True, slots=True)
class Door:
    """Where keys knock."""

    application: Application
    http: httpx.AsyncClient

    async def refusals(self, partner: Partner, coordinate: str, tenant: Tenant) -> list[str]:
        """Why a key is told that it may not have the field."""
        ask = self._follow if coordinate.startswith("Subscription.") else self._ask
        return await ask(partner, operation(coordinate), tenant)

    async def _follow(self, partner: Partner, query: str, _: Tenant) -> list[str]:
        async with connected(self.application, None, token=partner.token) as socket:
            await socket.subscribe(query)
            payload = (await socket.hear())["payload"]
        return _forbidden(payload if isinstance(payload, list) else [])

    async def _ask(self, partner: Partner, query: str, tenant: Tenant) -> list[str]:
        response = await partner.on(self.http).post(query, slug=tenant.slug)
        body = response.json()
        assert response.status_code == 200, body
        it = (body["data"] or {}).get("it")
        problems = [it] if isinstance(it, dict) and it["__typename"] == "Forbidden" else []
        return _forbidden(body.get("errors", [])) + [problem["message"] for problem in problems]


def _forbidden(errors: list[JSON]) -> list[str]:
    return [each["message"] for each in errors if each["extensions"]["code"] == "FORBIDDEN"]


@pytest.fixture
def door(application: Application, http: httpx.AsyncClient) -> Door:
    return Door(application, http)


@pytest.mark.parametrize("coordinate", CLOSED)
async def test_what_is_for_people_is_closed_to_a_key_with_all_scopes(
    coordinate: str, factory: Factory, door: Door
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, *Scope)

    told = await door.refusals(partner, coordinate, tenant)

    assert told == ["API keys may not do this."]


@pytest.mark.parametrize("coordinate", SCOPED)
async def test_what_needs_a_scope_is_closed_without_it(
    coordinate: str, factory: Factory, door: Door
) -> None:
    tenant = await factory.tenant()
    partners = [
        await factory.api_key(tenant),
        await factory.api_key(tenant, *set(Scope).difference(SCOPED[coordinate])),
    ]

    told = [await door.refusals(partner, coordinate, tenant) for partner in partners]

    needed = " or ".join(sorted(SCOPED[coordinate]))
    assert told == [[f"This API key needs the scope {needed} to do this."]] * 2


@pytest.mark.parametrize(
    ("coordinate", "scope"),
    [(coordinate, scope) for coordinate, needed in SCOPED.items() for scope in sorted(needed)],
)
async def test_a_scope_opens_what_names_it(
    coordinate: str, scope: Scope, factory: Factory, door: Door
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant, scope)

    assert await door.refusals(partner, coordinate, tenant) == []


@pytest.mark.parametrize("coordinate", sorted(FREE))
async def test_any_key_may_ask_for_what_is_free(
    coordinate: str, factory: Factory, door: Door
) -> None:
    tenant = await factory.tenant()
    partner = await factory.api_key(tenant)

    assert await door.refusals(partner, coordinate, tenant) == []


# By id


NODES = {kind: getattr(_ACCESS.get(kind), "scopes", frozenset[Scope]()) for kind in _FIND}
OPEN_NODES = {Kind.WORKSPACE}
NODE = "query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }"


async def node_errors(http: httpx.AsyncClient, token: str, kind: Kind) -> list[str]:
    response = await http.post(
        "/graphql",
        json={"query": NODE, "variables": {"id": f"{kind}_{'0' * 32}"}},
        headers={"authorization": f"Bearer {token}"},
    )
    return [error["extensions"]["code"] for error in response.json().get("errors", ())]


@pytest.mark.parametrize("kind", NODES)
async def test_a_thing_is_found_by_its_id_with_the_scope_of_its_kind(
    kind: Kind, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    with_it = await factory.api_key(tenant, *NODES[kind])
    without = await factory.api_key(tenant, *set(Scope).difference(NODES[kind]))

    # The second field is not null, and takes the first with it.
    told = [await node_errors(http, partner.token, kind) for partner in (with_it, without)]

    refused = ["FORBIDDEN", "FORBIDDEN"]
    closed = not NODES[kind] and kind not in OPEN_NODES
    assert told == [refused if closed else [], [] if kind in OPEN_NODES else refused]


# The page


def table() -> list[str]:
    """The table of docs/api-keys.md, from the data that the rules go by."""
    lines = ["| scope | opens | allows to |", "|---|---|---|"]
    for scope in Scope:
        fields = [f"`{each}`" for each, needed in SCOPED.items() if scope in needed]
        kinds = [f"`{_FIND[kind][0]}`" for kind, needed in NODES.items() if scope in needed]
        nodes = f"; by id {', '.join(sorted(kinds))}" if kinds else ""
        actions = ", ".join(Action[name] for name in scopes.ACTIONS[scope])
        lines.append(f"| `{scope}` | {', '.join(sorted(fields))}{nodes} | {actions} |")
    return lines


def test_the_page_has_the_table_that_the_rules_go_by() -> None:
    written = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]

    assert written == table()
