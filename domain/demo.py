"""The demo: two workspaces, three people, four sources, and real texts spread over the last 90 days.

Everything is the same each time but the ids, the secrets and the dates, which end now.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import sentiment
from domain import source as sources
from domain.seals import Seals
from domain.sentiment import Judgement, Unscored
from persistence import account as account_store
from persistence import demo as store
from persistence import source as source_store
from persistence import tag as tag_store
from persistence import workspace as workspace_store
from persistence.database import Database, Reader, UnitOfWork, new_id

KnownScore = store.KnownScore

PASSWORD = "earful-demo-password"  # noqa: S105 - the demo's, known to everybody
OWNER = "demo@earful.example"
VIEWER = "viewer@earful.example"
STRANGER = "other@earful.example"

_DAYS = 90
_OTHERS = 60
_SOURCES = (
    ("Product reviews", "IMPORT", 0.45),
    ("Support desk", "WEBHOOK", 0.30),
    ("In-app survey", "FORM", 0.15),
    ("API", "API", 0.10),
)
# A tag, its colour, and the words that earn it.
_TAGS = (
    ("Battery", "#d97706", ("battery", "batteries", "charge", "charging")),
    ("Sound", "#7c3aed", ("sound", "volume", "headphones", "earphones", "audio", "music")),
    ("Picture", "#2563eb", ("picture", "pictures", "photo", "photos", "lens", "screen", "zoom")),
    ("Price", "#059669", ("price", "cheap", "expensive", "money", "cost")),
    ("Setup", "#6b7280", ("install", "setup", "software", "manual", "instructions")),
    ("Support", "#dc2626", ("support", "service", "warranty", "refund", "return")),
)
_FIRST = (
    *("Ada", "Ben", "Chloe", "Dev", "Elif", "Finn", "Grace", "Hugo"),
    *("Ines", "Jonas", "Kira", "Liam", "Mina", "Noor", "Omar", "Paula"),
)
_LAST = (
    *("Abe", "Brandt", "Costa", "Dubois", "Eze", "Fischer", "Garcia"),
    *("Haddad", "Ito", "Jensen", "Kaya", "Lind", "Moreau", "Novak"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A text with its star rating, where it has one, and its score."""

    body: str
    rating: int | None
    score: KnownScore | None


async def is_there(reader: Reader) -> bool:
    """Whether the demo was put in before."""
    return await account_store.credentials(reader, OWNER) is not None


def bodies() -> list[str]:
    """The demo's texts, for scoring."""
    return [sample.body for sample in store.texts()]


def samples(scores: Sequence[KnownScore | None]) -> list[Sample]:
    """The demo's texts with these scores, in their order."""
    return [
        Sample(text.body, text.rating, score)
        for text, score in zip(store.texts(), scores, strict=True)
    ]


def known_scores(model: str) -> Sequence[KnownScore | None] | None:
    """The scores that came with the texts, if this model made them."""
    return store.known_scores(model)


def keep_scores(model: str, scores: Sequence[KnownScore | None]) -> None:
    """Make these the scores that come with the texts."""
    store.keep_scores(model, scores)


def known(answers: Sequence[Judgement | Unscored]) -> list[KnownScore | None]:
    """What a model says, as it comes with the texts."""
    return [
        None
        if score is None
        else KnownScore(
            score.label,
            score.score,
            score.confidence,
            score.language,
            sentiment.write_spans(score.spans),
        )
        for score in sentiment.scores(answers)
    ]


async def put_in(
    database: Database, seals: Seals, *, password_hash: str, samples: Sequence[Sample], model: str
) -> None:
    """Put all of the demo in, in one transaction."""
    async with database.transaction() as uow:
        dice = random.Random(20_261_122)  # noqa: S311 - the same demo each time

        async def person(email: str, name: str) -> UUID:
            user = await account_store.add_user(
                uow, email=email, name=name, password_hash=password_hash
            )
            # So that they may invite others.
            await account_store.set_verified(uow, user.id)
            return user.id

        owner = await person(OWNER, "Dana Demo")
        viewer = await person(VIEWER, "Vic Viewer")
        stranger = await person(STRANGER, "Olga Other")
        other = await _workspace(uow, seals, "Other Company", "other", [(stranger, "OWNER")])
        await _fill(uow, dice, other, samples[:_OTHERS], model)
        members = [(owner, "OWNER"), (viewer, "VIEWER")]
        demo = await _workspace(uow, seals, "Demo Company", "demo", members)
        await _fill(uow, dice, demo, samples, model)
        await store.analyze(uow)


@dataclass(frozen=True, slots=True)
class _Made:
    id: UUID
    sources: Sequence[tuple[UUID, float]]
    tags: Sequence[tuple[UUID, frozenset[str]]]


async def _workspace(
    uow: UnitOfWork, seals: Seals, name: str, slug: str, members: list[tuple[UUID, str]]
) -> _Made:
    workspace = await workspace_store.add(uow, name=name, slug=slug)
    for user, role in members:
        await workspace_store.add_member(uow, workspace=workspace, user=user, role=role)
    made = []
    for source_name, kind, share in _SOURCES:
        id_ = new_id()
        sealed = sources.seal_secret(seals, id_, sources.new_secret())
        await source_store.add(
            uow,
            workspace=workspace,
            source=id_,
            name=source_name,
            kind=kind,
            provider="STANDARD",
            sealed_secret=sealed if kind == "WEBHOOK" else None,
        )
        made.append((id_, share))
    tags = []
    for tag_name, color, words in _TAGS:
        tag = await tag_store.add(uow, workspace=workspace, name=tag_name, color=color)
        tags.append((tag.id, frozenset(words)))
    return _Made(workspace, made, tags)


async def _fill(
    uow: UnitOfWork, dice: random.Random, made: _Made, samples: Sequence[Sample], model: str
) -> None:
    ids, shares = zip(*made.sources, strict=True)
    rows = []
    for sample in samples:
        occurred_at = _moment(dice, uow.now)
        lag = timedelta(seconds=dice.expovariate(1 / 20))
        author = _author(dice)
        words = set(sample.body.lower().replace(",", " ").replace(".", " ").split())
        rows.append(
            store.Row(
                source_id=dice.choices(ids, shares)[0],
                body=sample.body,
                rating=sample.rating,
                author_name=author and f"{author[0]} {author[1]}",
                author_email=author and f"{author[0]}.{author[1]}@customer.example".lower(),
                occurred_at=occurred_at,
                received_at=min(occurred_at + lag, uow.now),
                label=None if sample.score is None else sample.score.label,
                score=None if sample.score is None else sample.score.score,
                confidence=None if sample.score is None else sample.score.confidence,
                language=None if sample.score is None else sample.score.language,
                spans=None if sample.score is None else sample.score.spans,
                tag_ids=[tag for tag, wanted in made.tags if wanted & words],
            )
        )
    await store.add(uow, made.id, sorted(rows, key=lambda row: row.received_at), model)


def _moment(dice: random.Random, now: datetime) -> datetime:
    """A time in the last 90 days: more of late, more by day than by night, fewer at weekends."""
    while True:
        moment = now - timedelta(days=_DAYS * (1 - math.sqrt(dice.random())))
        by_day = 0.55 - 0.45 * math.cos(2 * math.pi * (moment.hour - 2) / 24)
        by_week = 0.5 if moment.weekday() >= 5 else 1.0  # noqa: PLR2004 - Saturday and Sunday
        if dice.random() < by_day * by_week:
            return moment


def _author(dice: random.Random) -> tuple[str, str] | None:
    return (dice.choice(_FIRST), dice.choice(_LAST)) if dice.random() < 0.7 else None  # noqa: PLR2004
