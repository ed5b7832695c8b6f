"""A way to every field of the schema: a document for each, in a world that may be small or large."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_introspection_type,
)

from domain import account, ids
from domain.account import Client
from domain.ids import Kind
from graph.context import Services
from graph.schema import schema
from tests.callers import Caller
from tests.factories import PASSWORD, POSITIVE, Factory, Person, Tenant

SCHEMA = schema._schema
PROBLEMS = {
    "Conflict",
    "FieldProblem",
    "Forbidden",
    "InvalidCredentials",
    "InvalidInput",
    "NotFound",
    "RateLimited",
}
NOT_YET = {
    "ApiKey",
    "CompleteUploadSuccess",
    "CreateApiKeySuccess",
    "CreateUploadSuccess",
    "File",
    "Header",
    "StartExportSuccess",
    "StartImportSuccess",
    "SubmitContactSuccess",
    "UploadTarget",
}
"""Types of which there are no objects yet."""
LIVE = {"FeedbackEvent", "StreamGap", "Subscription"}
"""Types whose objects come over a socket: the events' resolvers have read before they are answered."""

PERIOD = '(from: "2026-06-15T00:00:00Z", to: "2026-06-16T00:00:00Z")'
ARGUMENTS = {
    "Mutation.changeMemberRole": "(input: {memberId: $newcomer, role: ANALYST})",
    "Mutation.completeUpload": '(input: {fileId: "file"})',
    "Mutation.createApiKey": '(input: {workspaceId: $workspace, name: "key", scopes: []})',
    "Mutation.createSource": '(input: {workspaceId: $workspace, name: "Shop"})',
    "Mutation.createTag": "(input: {workspaceId: $workspace, name: $new})",
    "Mutation.createUpload": '(input: {workspaceId: $workspace, name: "f", contentType: "text/csv",'
    " size: 1, purpose: IMPORT})",
    "Mutation.createWorkspace": "(input: {name: $new, slug: $new})",
    "Mutation.login": "(input: {email: $email, password: $password})",
    "Mutation.refreshSession": "(input: {refreshToken: $refresh})",
    "Mutation.register": "(input: {email: $address, password: $password, name: $new})",
    "Mutation.removeMember": "(input: {memberId: $newcomer})",
    "Mutation.setFeedbackTags": "(input: {feedbackId: $first, tagIds: $tags})",
    "Mutation.startExport": "(input: {workspaceId: $workspace, format: CSV})",
    "Mutation.startImport": '(input: {fileId: "file"})',
    "Mutation.submitContact": '(input: {workspaceSlug: "slug", name: "n", email: "e", message: "m"})',
    "Mutation.submitFeedback": '(input: {workspaceId: $workspace, body: "Late again."})',
    "Query.analyzeSentiment": "(texts: $texts)",
    "Query.node": "(id: $first)",
    "Query.nodes": "(ids: $feedback)",
    "Query.workspace": "(slug: $slug)",
    "Workspace.feedback": "(first: 100)",
    "Workspace.jobs": "(first: 100)",
    "Workspace.stats": PERIOD,
}
_VARIABLES = {
    "address": "String!",
    "email": "String!",
    "feedback": "[ID!]!",
    "first": "ID!",
    "jobs": "[ID!]!",
    "members": "[ID!]!",
    "new": "String!",
    "newcomer": "ID!",
    "password": "String!",
    "refresh": "String!",
    "sessions": "[ID!]!",
    "slug": "String!",
    "sources": "[ID!]!",
    "tags": "[ID!]!",
    "texts": "[String!]!",
    "users": "[ID!]!",
    "workspace": "ID!",
    "workspaces": "[ID!]!",
}
STATEMENTS = {
    "Query.node": 1,
    "Query.nodes": 1,
    "Query.workspace": 1,
    "Viewer.sessions": 1,
    "Viewer.user": 1,
    "Viewer.workspaces": 1,
    "Workspace.feedback": 1,
    "Workspace.jobs": 1,
    "Workspace.members": 1,
    "Workspace.sources": 1,
    "Workspace.stats": 1,
    "Workspace.tags": 1,
    "Feedback.source": 1,
    "Feedback.tags": 1,
    "FeedbackConnection.totalCount": 1,
    "Member.user": 1,
    "Source.lastReceivedAt": 1,
    "Mutation.changeMemberRole": 7,
    "Mutation.createSource": 4,
    "Mutation.createTag": 4,
    "Mutation.createWorkspace": 7,
    "Mutation.login": 5,
    "Mutation.logout": 4,
    "Mutation.refreshSession": 6,
    "Mutation.register": 5,
    "Mutation.removeMember": 7,
    "Mutation.setFeedbackTags": 7,
    "Mutation.submitFeedback": 1,
}
"""What a field takes for all of its parents together, BEGIN and COMMIT included; nothing where it is not named."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to objects of a type: what is around the selection of them, and the fields that this takes."""

    around: str
    fields: tuple[str, ...]
    is_alone: bool = False
    """Whether there is one object, however large the world is."""

    def to(self, selection: str) -> str:
        """The operation that selects this of the objects."""
        body = self.around % selection
        names = sorted(set(re.findall(r"\$(\w+)", body)))
        variables = ", ".join(f"${name}: {_VARIABLES[name]}" for name in names)
        kind = self.fields[0].partition(".")[0].lower()
        return f"{kind}{f'({variables})' if variables else ''} {{ {body} }}"


def _node(type_: str, ids: str, inside: str = "%s") -> Way:
    return Way(f"nodes(ids: ${ids}) {{ ... on {type_} {{ {inside} }} }}", ("Query.nodes",))


def _within(field: str, inside: str) -> Way:
    """One object in each of the workspaces."""
    around = f"nodes(ids: $workspaces) {{ ... on Workspace {{ {field}{inside} }} }}"
    return Way(around, ("Query.nodes", f"Workspace.{field}"))


def _made(mutation: str, inside: str = "%s") -> Way:
    success = f"{mutation[0].upper()}{mutation[1:]}Success"
    field = f"Mutation.{mutation}"
    around = f"{mutation}{ARGUMENTS.get(field, '')} {{ ... on {success} {{ {inside} }} }}"
    return Way(around, (field,), is_alone=True)


WAYS = {
    "Query": Way("%s", ("Query",), is_alone=True),
    "Mutation": Way("%s", ("Mutation",), is_alone=True),
    "Viewer": Way("viewer { %s }", ("Query.viewer",), is_alone=True),
    "Feedback": _node("Feedback", "feedback"),
    "Job": _node("Job", "jobs"),
    "Member": _node("Member", "members"),
    "Session": _node("Session", "sessions"),
    "Source": _node("Source", "sources"),
    "Tag": _node("Tag", "tags"),
    "User": _node("User", "users"),
    "Workspace": _node("Workspace", "workspaces"),
    "Author": _node("Feedback", "feedback", "author { %s }"),
    "Sentiment": _node("Feedback", "feedback", "sentiment { %s }"),
    "FeedbackConnection": _within("feedback", " { %s }"),
    "FeedbackEdge": _within("feedback", "(first: 1) { edges { %s } }"),
    "PageInfo": _within("feedback", " { pageInfo { %s } }"),
    "JobConnection": _within("jobs", " { %s }"),
    "JobEdge": _within("jobs", "(first: 1) { edges { %s } }"),
    "FeedbackStats": _within("stats", PERIOD + " { %s }"),
    "SentimentCounts": _within("stats", PERIOD + " { totals { %s } }"),
    "StatsBucket": _within("stats", PERIOD + " { buckets { %s } }"),
    "AuthTokens": _made("login", "tokens { %s }"),
    "ChangeMemberRoleSuccess": _made("changeMemberRole"),
    "CreateSourceSuccess": _made("createSource"),
    "CreateTagSuccess": _made("createTag"),
    "CreateWorkspaceSuccess": _made("createWorkspace"),
    "LoginSuccess": _made("login"),
    "LogoutSuccess": _made("logout"),
    "RefreshSessionSuccess": _made("refreshSession"),
    "RegisterSuccess": _made("register"),
    "RemoveMemberSuccess": _made("removeMember"),
    "SetFeedbackTagsSuccess": _made("setFeedbackTags"),
    "SubmitFeedbackSuccess": _made("submitFeedback"),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """An operation that selects one field of all objects that the way to its type leads to."""

    coordinate: str
    operation: str
    statements: int
    is_alone: bool


def visits() -> Iterator[Visit]:
    """One of each field."""
    for type_, name, field in fields():
        way = WAYS.get(type_)
        if way is not None:
            coordinate = f"{type_}.{name}"
            inside = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
            yield Visit(
                coordinate,
                way.to(f"it: {name}{ARGUMENTS.get(coordinate, '')}{inside}"),
                sum(STATEMENTS.get(field, 0) for field in (*way.fields, coordinate)),
                way.is_alone,
            )


def fields() -> Iterator[tuple[str, str, GraphQLField]]:
    """The type, the name and the definition of each field of our object types."""
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_):
            for name, field in type_.fields.items():
                yield type_.name, name, field


@dataclass(frozen=True, slots=True)
class World:
    """One user with so many of everything: workspaces, and in each of them a feedback and a job."""

    services: Services
    factory: Factory
    first: Tenant
    owner: Person
    variables: dict[str, Any]

    async def visitor(self, http: httpx.AsyncClient) -> tuple[Caller, dict[str, Any]]:
        """The owner in a session of its own, and what an operation may ask with, some of it new."""
        client = Client("127.0.0.1", "tests")
        async with self.services.database.transaction() as uow:
            tokens = await account._open_session(uow, self.services.policy, client, self.owner.id)
        newcomer = await self.factory.member(self.first, "VIEWER")
        new = tokens.refresh.text[-20:].lower().translate(_PLAIN)
        return Caller(http, tokens.access.text), self.variables | {
            "new": f"n{new}n",
            "newcomer": await self.factory.membership(self.first, newcomer),
            "address": f"{new}@example.com",
            "refresh": tokens.refresh.text,
        }


_PLAIN = str.maketrans("-_", "00")


async def world(factory: Factory, services: Services, size: int) -> World:
    owner = await factory.person()
    tenants = [await factory.tenant(owner=owner) for _ in range(size)]
    first = tenants[0]
    feedback = [
        await factory.feedback(tenant, author_name="Ada", score=POSITIVE) for tenant in tenants
    ]
    people = [owner, *[await factory.member(first, "VIEWER") for _ in range(size - 1)]]
    await factory.change(_SESSIONS, user=owner.id, size=size - 1)
    members = await factory.rows(_MEMBERS, workspace=first.id)
    sessions = await factory.rows(_OF_USER, user=owner.id)
    variables = {
        "email": owner.email,
        "password": PASSWORD,
        "feedback": feedback,
        "first": feedback[0],
        "jobs": [await factory.job(tenant) for tenant in tenants],
        "members": [ids.write(Kind.MEMBER, id_) for (id_,) in members],
        "sessions": [ids.write(Kind.SESSION, id_) for (id_,) in sessions],
        "slug": first.slug,
        "sources": [tenant.source_gid for tenant in tenants],
        "tags": [await factory.tag(first, f"tag {i}", feedback[0]) for i in range(size)],
        "texts": ["Late again."] * size,
        "users": [person.gid for person in people],
        "workspace": first.gid,
        "workspaces": [tenant.gid for tenant in tenants],
    }
    return World(services, factory, first, owner, variables)


_MEMBERS = "SELECT id FROM member WHERE workspace_id = :workspace"
_OF_USER = "SELECT id FROM session WHERE user_id = :user"
_SESSIONS = """
    INSERT INTO session (id, user_id, created_at, last_seen_at, expires_at)
    SELECT gen_random_uuid(), :user, now(), now(), now() + interval '1 day'
    FROM generate_series(1, :size)
"""
