"""Sentiment in the schema, and scoring without storing."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

import strawberry

from domain import feedback, sentiment
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Info
from graph.cost import Cost, ListSize
from graph.fields import batch, column


@strawberry.enum(description="What a text says about how its writer feels.")
class SentimentLabel(StrEnum):
    NEGATIVE = "NEGATIVE"
    NEUTRAL = "NEUTRAL"
    POSITIVE = "POSITIVE"


@strawberry.enum(
    description="Why a feedback has no sentiment. PENDING: no model has looked at it yet. BLANK: there is nothing to "
    "read in it. UNKNOWN_LANGUAGE: it is in a language that the model does not know. NO_KNOWN_WORDS: the model knows "
    "nothing of it, such as a row of signs."
)
class UnscoredReason(StrEnum):
    PENDING = "PENDING"
    BLANK = "BLANK"
    UNKNOWN_LANGUAGE = "UNKNOWN_LANGUAGE"
    NO_KNOWN_WORDS = "NO_KNOWN_WORDS"


def unscored_reason(root: strawberry.Parent[feedback.Feedback]) -> UnscoredReason | None:
    """Of a feedback with sentiment there is none."""
    if root.sentiment_label is not None:
        return None
    if root.sentiment_model is None:
        return UnscoredReason.PENDING
    # Before reasons were kept it was hardly ever another one.
    return UnscoredReason(root.unscored_reason or UnscoredReason.UNKNOWN_LANGUAGE)


@strawberry.type(description="A sentence, and what the model makes of it by itself.")
class SentimentSpan:
    start: int = strawberry.field(
        description="Where it begins in the text, in Unicode code points."
    )
    end: int = strawberry.field(description="Where it ends: the first code point behind it.")
    label: SentimentLabel = column(
        "label", SentimentLabel, graphql_type=SentimentLabel, description="The likeliest label."
    )
    score: float = strawberry.field(description="From -1 (negative) to 1 (positive).")
    confidence: float = strawberry.field(description="The label's probability, from 0 to 1.")


async def _spans(parents: Sequence["Sentiment"], info: Info) -> Sequence[Sequence[sentiment.Span]]:
    """Those of stored texts are read for all of them at once, and only where they are selected."""
    stored = [parent.feedback_id for parent in parents if parent.feedback_id is not None]
    found: Mapping[UUID, Sequence[sentiment.Span]] = {}
    if stored:
        async with info.context.reader() as reader:
            found = await feedback.spans(reader, info.context.viewer, stored)
    return [
        parent.found if parent.feedback_id is None else found.get(parent.feedback_id, ())
        for parent in parents
    ]


@strawberry.type(description="A model's judgement of a text.")
class Sentiment:
    label: SentimentLabel = strawberry.field(description="The likeliest label.")
    score: float = strawberry.field(description="From -1 (negative) to 1 (positive).")
    confidence: float = strawberry.field(description="The label's probability, from 0 to 1.")
    model: str = strawberry.field(description="The model and version that scored it.")
    spans: list[SentimentSpan] = batch(
        _spans,
        reads=(),
        directives=[ListSize(assumed_size=3)],
        graphql_type=list[SentimentSpan],
        description="What it makes of each sentence, in their order, for colouring the text. Empty where the text has "
        "been made nobody's, and where it was scored before there were spans.",
    )
    feedback_id: strawberry.Private[UUID | None] = None
    found: strawberry.Private[Sequence[sentiment.Span]] = ()


@strawberry.type
class SentimentQuery:
    @strawberry.field(
        extensions=[scoped(Scope.SENTIMENT_ANALYZE)],
        directives=[Cost(weight="5"), ListSize(slicing_arguments=["texts"])],
        description="Score up to 100 texts without storing them; null where there is nothing to score: a blank text, "
        "or one in a language that the model does not know.",
    )
    async def analyze_sentiment(self, info: Info, texts: list[str]) -> list[Sentiment | None]:
        sentiment.check(texts)
        scorer = info.context.services.scorer
        scores = sentiment.scores(await scorer.score(texts))
        return [
            None
            if score is None
            else Sentiment(
                label=SentimentLabel(score.label),
                score=score.score,
                confidence=score.confidence,
                model=score.model,
                found=score.spans,
            )
            for score in scores
        ]
