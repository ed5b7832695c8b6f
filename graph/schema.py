"""The one schema, and the only list of features."""

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDirective,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
    Undefined,
)
from graphql.type.directives import GraphQLDeferDirective
from strawberry.schema.config import StrawberryConfig

from graph import cost, resolutions
from graph.account import AccountMutation, IdentityQuery, Session
from graph.alert import AlertMutation, AlertSubscription
from graph.api_key import ApiKeyMutation
from graph.contact import ContactMutation
from graph.context import Info
from graph.errors import HANDLERS
from graph.events import EventsSubscription
from graph.export import ExportMutation
from graph.export_schedule import ExportScheduleMutation
from graph.feedback import FeedbackMutation
from graph.feedback_batch import FeedbackBatchMutation
from graph.file import FileMutation
from graph.imports import ImportMutation
from graph.invitation import InvitationMutation
from graph.job import JobMutation, JobQuery, JobSubscription
from graph.models import ModelsMutation, ModelsQuery
from graph.note import NoteMutation
from graph.original import OriginalMutation
from graph.privacy import PrivacyMutation
from graph.rate_limit import RateLimitQuery
from graph.rescoring import RescoringMutation
from graph.saved_view import SavedViewMutation
from graph.scalars import SCALARS
from graph.schedule import ScheduleQuery
from graph.sentiment import SentimentQuery
from graph.source_changing import SourceMutation
from graph.stats import StatsSubscription
from graph.tag import TagMutation
from graph.triage import TriageMutation
from graph.viewer import ViewerQuery
from graph.webhook import WebhookDeliveryMutation, WebhookMutation
from graph.workspace import WorkspaceMutation, WorkspaceQuery


@strawberry.type(description="What can be read.")
class Query(
    ViewerQuery,
    IdentityQuery,
    WorkspaceQuery,
    JobQuery,
    ScheduleQuery,
    RateLimitQuery,
    SentimentQuery,
    ModelsQuery,
):
    pass


@strawberry.type(description="What can be changed. Refusals are data: select `... on Problem`.")
class Mutation(
    AccountMutation,
    WorkspaceMutation,
    InvitationMutation,
    ApiKeyMutation,
    SourceMutation,
    FeedbackMutation,
    FeedbackBatchMutation,
    TagMutation,
    TriageMutation,
    NoteMutation,
    SavedViewMutation,
    FileMutation,
    ImportMutation,
    ExportMutation,
    ExportScheduleMutation,
    ContactMutation,
    PrivacyMutation,
    OriginalMutation,
    RescoringMutation,
    ModelsMutation,
    JobMutation,
    AlertMutation,
    WebhookMutation,
    WebhookDeliveryMutation,
):
    pass


@strawberry.type(
    description="What can be followed live, over graphql-transport-ws or as an event stream (SSE)."
)
class Subscription(EventsSubscription, StatsSubscription, JobSubscription, AlertSubscription):
    pass


def _without_null_defaults(built: strawberry.Schema) -> strawberry.Schema:
    """An optional input that Python defaults to None has no default in GraphQL, rather than `= null`."""
    for kind in built._schema.type_map.values():  # noqa: SLF001
        if isinstance(kind, GraphQLInputObjectType):
            inputs: list[GraphQLInputField | GraphQLArgument] = [*kind.fields.values()]
        elif isinstance(kind, GraphQLObjectType):
            inputs = [arg for field in kind.fields.values() for arg in field.args.values()]
        else:
            continue
        for optional in inputs:
            if optional.default_value is None:
                optional.default_value = Undefined
    return built


def _with_defer(built: strawberry.Schema) -> strawberry.Schema:
    """Adds @defer alone: Strawberry's own switch would add @stream too, which is not there."""
    core = built._schema  # noqa: SLF001
    defer = GraphQLDirective(
        GraphQLDeferDirective.name,
        GraphQLDeferDirective.locations,
        args={
            "if": GraphQLArgument(
                GraphQLNonNull(GraphQLBoolean),
                default_value=True,
                description="False: the fragment comes with the rest, as if @defer were not there.",
            ),
            "label": GraphQLArgument(
                GraphQLString,
                description="Comes back with what is pending; unique in the document.",
            ),
        },
        description="The fragment may come after the rest, in a part of its own: over HTTP, to clients that "
        "send `Accept: multipart/mixed`. Others are refused.",
    )
    core.directives = (*core.directives, defer)
    return built


schema = resolutions.declare(
    cost.declare(
        _with_defer(
            _without_null_defaults(
                strawberry.Schema(
                    query=Query,
                    mutation=Mutation,
                    subscription=Subscription,
                    types=[Session],
                    exception_handlers=HANDLERS,
                    config=StrawberryConfig(scalar_map=SCALARS, info_class=Info),
                )
            )
        )
    )
)
