"""Sentiment models in the schema, for the operators of the server."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from domain import models
from graph.access import signed_in
from graph.context import Info
from graph.errors import Forbidden, InvalidInput
from graph.fields import rows


@strawberry.type(description="A sentiment model that this server can use.")
@rows(models.Listed)
class SentimentModel:
    name: str = strawberry.field(
        description="`default` for the one of the server's settings, otherwise its directory among the models."
    )
    model: str | None = strawberry.field(
        description="What it calls itself, as in `Sentiment.model`; null where it cannot be used."
    )
    problem: str | None = strawberry.field(description="Why it cannot be used.")
    is_active: bool = strawberry.field(description="Whether it is the one in use.")


@strawberry.input(description="Which model to use.")
class ActivateSentimentModelInput:
    name: str = strawberry.field(
        description="A directory among the server's models, or `default` for the one of its settings."
    )


@strawberry.type(
    description="New texts are scored by this model now, within seconds by all processes."
)
class ActivateSentimentModelSuccess:
    models: list[SentimentModel] = strawberry.field(
        description="All models. What others have scored stays so until `rescoreFeedback`."
    )


ActivateSentimentModelResult = Annotated[
    ActivateSentimentModelSuccess | InvalidInput | Forbidden,
    strawberry.union("ActivateSentimentModelResult"),
]


async def _listed(info: Info) -> Sequence[models.Listed]:
    services = info.context.services
    async with info.context.reader() as reader:
        is_operator = await info.context.is_operator(reader)
    return await models.listed(services.database, services.models, is_operator=is_operator)


@strawberry.type
class ModelsQuery:
    @strawberry.field(
        extensions=[signed_in],
        graphql_type=list[SentimentModel],
        description="The sentiment models of this server, for its operators; empty for others.",
    )
    async def sentiment_models(self, info: Info) -> Sequence[models.Listed]:
        return await _listed(info)


@strawberry.type
class ModelsMutation:
    @strawberry.mutation(
        extensions=[signed_in],
        description="Let all processes of this server score with another model, without a restart. One that cannot be "
        "loaded is refused with the reason, and nothing changes. For the operators of this server.",
    )
    async def activate_sentiment_model(
        self, info: Info, input: ActivateSentimentModelInput
    ) -> ActivateSentimentModelResult:
        context = info.context
        async with context.reader() as reader:
            is_operator = await context.is_operator(reader)
        await models.activate(
            context.services.database,
            context.viewer,
            context.services.models,
            input.name,
            is_operator=is_operator,
        )
        return ActivateSentimentModelSuccess(models=await _listed(info))  # type: ignore[arg-type]
