"""Sentiment in the schema, and scoring without storing."""

from enum import StrEnum

import strawberry

from domain import sentiment
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Info
from graph.cost import Cost, ListSize


@strawberry.enum(description="What a text says about how its writer feels.")
class SentimentLabel(StrEnum):
    NEGATIVE = "NEGATIVE"
    NEUTRAL = "NEUTRAL"
    POSITIVE = "POSITIVE"


@strawberry.type(description="A model's judgement of a text.")
class Sentiment:
    label: SentimentLabel = strawberry.field(description="The likeliest label.")
    score: float = strawberry.field(description="From -1 (negative) to 1 (positive).")
    confidence: float = strawberry.field(description="The label's probability, from 0 to 1.")
    model: str = strawberry.field(description="The model and version that scored it.")


@strawberry.type
class SentimentQuery:
    @strawberry.field(
        extensions=[scoped(Scope.SENTIMENT_ANALYZE)],
        directives=[Cost(weight="5"), ListSize(slicing_arguments=["texts"])],
        description="Score up to 100 texts without storing them; null where the language is one "
        "the model does not know.",
    )
    async def analyze_sentiment(self, info: Info, texts: list[str]) -> list[Sentiment | None]:
        sentiment.check(texts)
        scorer = info.context.services.scorer
        scores = await scorer.score(texts)
        return [
            None
            if score is None
            else Sentiment(
                label=SentimentLabel(score.label),
                score=score.score,
                confidence=score.confidence,
                model=scorer.model_name,
            )
            for score in scores
        ]
