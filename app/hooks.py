"""Inbound webhooks: `POST /hooks/<sourceId>`, signed as the source's provider signs. A 2xx means committed."""

import asyncio
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from app.answers import Answer, body_of, error, refusal, send_answer
from app.gathering import Gatherer
from app.refusals import Refusals
from domain import ids, intake, receiving, source
from domain.errors import NotFoundError
from domain.ids import Kind
from domain.intake import Incoming, Pending, Received
from domain.provider import BadSignatureError, Request, Unheard
from domain.receiving import Delivery
from domain.seals import SealBrokenError
from domain.source import Receiver
from graph.authentication import Headers, headers_of
from graph.context import Services
from graph.http import Receive, Scope, Send
from persistence.database import StoreUnavailableError
from persistence.limits import Limit
from telemetry import lines

log = structlog.get_logger(__name__)

DELIVERIES = Limit("hook", points=60_000, seconds=60)
_MOST_SOURCES = 100
_MOST_MESSAGES = 200
_MOST_EDITS = 4
_SHORT = 8_192
_PATH = "/hooks/"
_Found = Receiver | SealBrokenError | None
_Way = tuple[UUID, timedelta | None]


class Hooks:
    """The endpoint. Inside the request there is the signature check and one commit, shared with others, no more."""

    def __init__(self, services: Services, *, largest: int) -> None:
        self._services = services
        self._largest = largest
        self._refusals = Refusals(services.database)
        self._editing = asyncio.Semaphore(_MOST_EDITS)
        self.answered: Counter[int] = Counter()
        """How many deliveries were answered with which status."""
        self._sources: Gatherer[UUID, _Found] = Gatherer(
            self._find, most=_MOST_SOURCES, is_shared=(StoreUnavailableError,)
        )
        self._intakes: dict[_Way, Gatherer[Incoming, Received | Pending]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            raise await self._receive(scope, receive)
        except Answer as answer:
            self.answered[answer.status] += 1
            await send_answer(send, answer)

    async def _receive(self, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            raise refusal(405, "Use POST.", allow="POST")
        source_id = ids.read(Kind.SOURCE, scope["path"].removeprefix(_PATH))
        if source_id is None:
            raise refusal(404, "There is no such source.")
        lines.note(source=source_id.hex, caller="source")
        if wait := await self._services.limiter.wait(DELIVERIES, source_id.hex):
            raise _too_many(wait)
        headers = headers_of(scope)  # type: ignore[arg-type]  # a scope is a dict
        body = await body_of(headers, receive, self._largest)
        try:
            receiver = await self._sources.ask(source_id)
            if receiver is None:
                raise refusal(404, "There is no such source.")
            if isinstance(receiver, SealBrokenError):
                log.error("source secret cannot be opened", source=source_id.hex)
                raise refusal(503, "The source cannot be used for now.", retry_after="1")
            return await self._take(receiver, headers, body)
        except NotFoundError as missing:
            raise refusal(404, str(missing)) from None
        except StoreUnavailableError:
            raise refusal(503, "The store is away for the moment.", retry_after="1") from None

    async def _take(self, receiver: Receiver, headers: Headers, body: bytes) -> Answer:
        row = receiver.source
        now = self._services.clock()
        request = Request(
            {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()},
            body,
            now,
        )
        try:
            if not receiver.secrets:
                raise BadSignatureError("the source has no secret yet")
            id_ = receiving.verify(row, receiver.secrets, request)
        except BadSignatureError as bad:
            message = f"{str(bad)[0].upper()}{str(bad)[1:]}."
            self._refusals.note(row.workspace_id, row.id, message)
            raise refusal(401, message) from None
        reading = partial(receiving.read, row, id_, body, now, self._services.seals)
        # What is masked takes half a second for the largest body.
        is_long = row.masking is not None and len(body) > _SHORT
        delivery = await asyncio.to_thread(reading) if is_long else reading()
        lines.note(entries=len(delivery.entries))
        if delivery.answer is not None:
            return Answer(200, delivery.answer)
        if row.deliveries_per_minute is not None:
            limit = Limit("source", points=row.deliveries_per_minute, seconds=60)
            cost = min(len(delivery.entries), row.deliveries_per_minute)
            if wait := await self._services.limiter.wait(limit, row.id.hex, cost=cost):
                self._refusals.note(row.workspace_id, row.id, "Too many deliveries.")
                raise _too_many(wait)
        outcomes = await self._store(row, delivery, body)
        return _batch(row, outcomes) if delivery.is_batch else _single(row, outcomes)

    async def _store(
        self, row: source.Source, delivery: Delivery, body: bytes
    ) -> "list[Received | Unheard]":
        if any(isinstance(entry, Unheard) for entry in delivery.entries):
            async with self._services.database.transaction() as uow:
                await receiving.keep_apart(uow, row.id, delivery, body)
        return await asyncio.gather(
            *(
                _itself(entry)
                if isinstance(entry, Unheard)
                else self._intake(row.id, delivery, entry)
                for entry in delivery.entries
            )
        )

    async def _intake(self, source_id: UUID, delivery: Delivery, message: Incoming) -> Received:
        """Store it together with what else the source sends at the same time."""
        way = (source_id, delivery.window)
        gatherer = self._intakes.get(way)
        if gatherer is None:
            gatherer = self._intakes[way] = Gatherer(
                partial(self._commit, source_id, delivery),
                most=_MOST_MESSAGES,
                keys=_keys,
                is_shared=(StoreUnavailableError, NotFoundError),
            )
        try:
            outcome = await gatherer.ask(message)
        finally:
            if gatherer.is_idle:
                self._intakes.pop(way, None)
        if isinstance(outcome, Received):
            return outcome
        async with self._editing, self._services.database.transaction() as uow:
            return await intake.receive_one(
                uow,
                source_id,
                outcome.message,
                forgotten=delivery.forgotten(uow.now),
                is_recorded=outcome.is_recorded,
            )

    async def _commit(
        self, source_id: UUID, like: Delivery, messages: Sequence[Incoming]
    ) -> Sequence[Received | Pending]:
        async with self._services.database.transaction() as uow:
            return await intake.receive_many(
                uow, source_id, messages, forgotten=like.forgotten(uow.now)
            )

    async def _find(self, wanted: Sequence[UUID]) -> "list[_Found]":
        now = self._services.clock()
        async with self._services.database.reader() as reader:
            found = await source.receivers(reader, wanted, self._services.seals, now)
        return [found.get(id_) for id_ in wanted]


def _keys(message: Incoming) -> Iterable[Hashable]:
    """What no two in one statement may have in common."""
    yield ("delivery", message.delivery)
    if message.draft["external_id"] is not None:
        yield ("external id", message.draft["external_id"])


async def _itself(entry: Unheard) -> Unheard:
    return entry


def _single(row: source.Source, outcomes: "Sequence[Received | Unheard]") -> Answer:
    (outcome,) = outcomes
    return Answer(*_answer(row, outcome))


def _batch(row: source.Source, outcomes: "Sequence[Received | Unheard]") -> Answer:
    """An answer for each; all together is taken if anything is, for what was refused is kept apart."""
    answers = [_answer(row, outcome) for outcome in outcomes]
    statuses = {status for status, _ in answers}
    status = next((each for each in (202, 200) if each in statuses), 400)
    return Answer(status, {"results": [{"status": each, **body} for each, body in answers]})


def _answer(row: source.Source, outcome: Received | Unheard) -> tuple[int, dict[str, Any]]:
    if isinstance(outcome, Received):
        body: dict[str, Any] = {"duplicate": outcome.duplicate}
        if outcome.id is not None:
            body = {"id": ids.write(Kind.FEEDBACK, outcome.id), **body}
        if outcome.updated:
            body["updated"] = True
        return 200 if outcome.duplicate else 202, body
    problems = [{"path": list(each.path), "message": each.message} for each in outcome.problems]
    body = {"error": error(outcome.reason, problems)}
    # Others than Standard Webhooks give up on who does not take all of their events.
    return (400, body) if row.provider == "STANDARD" else (202, {"quarantined": True, **body})


def _too_many(wait: float) -> Answer:
    return refusal(429, "Too many deliveries.", retry_after=str(int(wait) + 1))
