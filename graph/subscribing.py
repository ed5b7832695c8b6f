"""Begins subscriptions: joins them to the hub's groups, and keeps them where their callers' rights say."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from functools import partial
from typing import Any, Protocol, cast

import orjson
from graphql import GraphQLError

from domain.errors import DomainError
from graph.answer import body_of
from graph.asked import Operation
from graph.context import Context
from graph.documents import Document, RequestError
from graph.errors import formatted
from graph.execution import Operations, SubscriptionPlan, said
from graph.live.bus import Entry
from graph.live.cursor import Cursor
from graph.live.hub import Hub, LogWork, StateWork
from graph.live.member import Member
from graph.live.member import Sink as LiveSink
from graph.live.state import State as LiveState
from graph.memberships import Memberships
from graph.outage import through_outages
from graph.requests import Outcome
from graph.streams import Log, Scope, State
from telemetry import trace


def described(error: Exception) -> bytes:
    """What a subscriber is told of an error, as a JSON list."""
    if isinstance(error, RequestError):
        return orjson.dumps(error.errors)
    if not isinstance(error, GraphQLError):
        error = GraphQLError("", original_error=error)
    return orjson.dumps([formatted(error)])


class Sink(LiveSink, Protocol):
    """Where a subscription's items go, whichever group it is in."""

    @property
    def has_room(self) -> bool:
        """Whether it takes items now."""


class Subscriptions:
    """Begins subscriptions of one schema."""

    def __init__(self, operations: Operations, hub: Hub, memberships: Memberships) -> None:
        self.operations = operations
        self.hub = hub
        self.memberships = memberships
        self._callers: dict[Hashable, Callers] = {}

    async def begin(
        self,
        document: Document,
        operation: Operation,
        context: Context,
        sink: Sink,
        *,
        after: str | None = None,
    ) -> "Subscription":
        """Deliver to the sink from now on; RequestError when the subscription cannot begin.

        `after` is a cursor that counts instead of the operation's own.
        """
        outcome, points = Outcome.REFUSED, 0
        with trace.part("graphql") as span:
            try:
                points = await self.operations.charge(document, operation, context)
                plan = self.operations.subscription(document, operation)
                begun = Subscription(self, plan, context, sink)
                await begun.begin(after)
                outcome = Outcome.OK
            finally:
                name = document.name_of(operation.operation_name)
                said(document, name, "subscription", outcome, points, context, span)
        return begun

    def callers(self, key: Hashable, scope: Scope, plan: SubscriptionPlan) -> "Callers":
        """Who shares the group of this key."""
        found = self._callers.get(key)
        if found is None:
            on_empty = partial(self._callers.pop, key, None)
            found = self._callers[key] = Callers(scope, plan, on_empty)
        return found


class Callers:
    """Those who share a group, and so its scope and its plan.

    One of them, who still has the right, is whom the store is asked for.
    """

    def __init__(
        self, scope: Scope, plan: SubscriptionPlan, on_empty: Callable[[], object]
    ) -> None:
        self.scope = scope
        self.plan = plan
        self._on_empty = on_empty
        self._contexts: dict[int, Context] = {}

    def add(self, subscription: "Subscription") -> None:
        self._contexts[id(subscription)] = subscription.context

    def remove(self, subscription: "Subscription") -> None:
        self._contexts.pop(id(subscription), None)
        if not self._contexts:
            self._on_empty()

    async def ask(self, question: Callable[[Context], Awaitable["Answered"]]) -> bytes | None:
        """What they may see. A refusal counts only if it is not of somebody who has just lost the right."""
        asked: set[int] = set()
        while (key := next((key for key in self._contexts if key not in asked), None)) is not None:
            asked.add(key)
            context = self._contexts[key]
            try:
                answer = await question(context.renewed())
            except DomainError:
                if await self.hold(context):
                    raise
            else:
                if answer.is_sure or await self.hold(context):
                    return answer.body
            # Not forgotten: the right may be back before anybody hears that it was gone.
            if self._contexts.pop(key, None) is not None:
                self._contexts[key] = context
        return None

    async def hold(self, context: Context) -> bool:
        """Whether somebody still has the right that they share."""
        return await through_outages(partial(self.scope.holds, context))


class Answered:
    """An answer, and whether nobody who has the right could get another."""

    __slots__ = ("body", "is_sure")

    def __init__(self, body: bytes | None, *, is_sure: bool) -> None:
        self.body = body
        self.is_sure = is_sure


class Subscription:
    """One subscriber's subscription, whichever group it is in. Its sink `end`s it when it is finished."""

    __slots__ = (
        "_callers",
        "_is_begun",
        "_is_changed",
        "_is_over",
        "_member",
        "_of",
        "_plan",
        "_sink",
        "_task",
        "context",
    )

    def __init__(
        self, of: Subscriptions, plan: SubscriptionPlan, context: Context, sink: Sink
    ) -> None:
        self._of = of
        self._plan = plan
        self._sink = sink
        self._member: Member | None = None
        self._callers: Callers | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_begun = False
        self._is_changed = False
        self._is_over = False
        self.context = context

    async def begin(self, after: str | None) -> None:
        """Join the group it belongs to."""
        viewer = self.context.viewer_or_none
        if viewer is not None:
            # Before the rights are looked at, so that none is lost in between unseen.
            self._of.memberships.watch(viewer.id, self._on_changed)
        try:
            await self._join(await self._plan.source(self.context, after), None)
        except BaseException:
            self._unwatch()
            raise
        self._is_begun = True
        if self._is_changed:
            self._on_changed()

    def pause(self) -> None:
        """The sink takes no more for now."""
        if self._member is not None:
            self._member.pause()

    def resume(self) -> None:
        """The sink takes items again."""
        if self._member is not None:
            self._member.resume()

    @property
    def position(self) -> Cursor | None:
        """Where it could go on; None where there is only the newest state."""
        return None if self._member is None else self._member.position

    def look_again(self) -> None:
        """What the caller may do is another matter now."""
        self._on_changed()

    def end(self) -> None:
        """Deliver nothing from now on."""
        self._is_over = True
        self._unwatch()
        if self._task is not None:
            self._task.cancel()
        self._leave()

    async def _join(self, source: Any, position: Cursor | None) -> None:
        hub, plan = self._of.hub, self._plan
        if not isinstance(source, Log | State):
            answers = plan.answers(cast("AsyncGenerator[Any]", source), self.context)
            self._member = hub.join_alone(answers, self._sink)
            return
        kind = "log" if isinstance(source, Log) else "state"
        key = (kind, source.topic, source.scope.key, plan.key)
        callers = self._of.callers(key, source.scope, plan)
        callers.add(self)
        # Equal but for the cursor, which counts no more: thousands need not keep one each.
        self._callers, self._plan = callers, callers.plan
        try:
            if isinstance(source, Log):
                self._member = await hub.join_log(
                    key, partial(_log, plan, callers, source), source.topic, self._sink,
                    source.after if position is None else position,
                )  # fmt: skip
            else:
                self._member = await hub.join_state(
                    key, partial(_state, plan, callers, source), source.topic, self._sink
                )
        except BaseException:
            callers.remove(self)
            raise
        if self._is_over:
            self._leave()
        elif not self._sink.has_room:
            self._member.pause()

    def _leave(self) -> None:
        member, self._member = self._member, None
        if member is not None:
            member.leave()
        callers, self._callers = self._callers, None
        if callers is not None:
            callers.remove(self)

    def _unwatch(self) -> None:
        if self.context.viewer_or_none is not None:
            self._of.memberships.unwatch(self.context.viewer_or_none.id, self._on_changed)

    def _on_changed(self) -> None:
        """The caller's rights are others now: look at them, and go to another group or end."""
        self._is_changed = True
        if self._is_begun and self._task is None and not self._is_over:
            self._task = asyncio.ensure_future(self._rescope())

    async def _rescope(self) -> None:
        try:
            while self._is_changed:
                self._is_changed = False
                callers = self._callers
                if callers is not None and await callers.hold(self.context):
                    continue
                source = await self._plan.source(self.context, None)
                if isinstance(source, Log | State) and (
                    callers is None or source.scope.key != callers.scope.key
                ):
                    position = self.position
                    self._leave()
                    await self._join(source, position)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may not go on as it was
            self.end()
            self._sink.finish(described(error))
        finally:
            self._task = None


def _log(plan: SubscriptionPlan, callers: Callers, source: Log) -> LogWork:
    async def answer(entry: Entry, cursor: Cursor, context: Context) -> Answered:
        event = await through_outages(partial(source.event, context, entry, cursor))
        if event is None:
            return Answered(None, is_sure=False)
        result = await plan.run(event, context)
        return Answered(body_of(result, traceparent=plan.traceparent), is_sure=not result.errors)

    async def execute(entry: Entry, cursor: Cursor) -> bytes | None:
        return await callers.ask(partial(answer, entry, cursor))

    async def gap(cursor: Cursor, context: Context) -> Answered:
        return Answered(body_of(await plan.run(source.gap(cursor), context)), is_sure=True)

    async def execute_gap(cursor: Cursor) -> bytes:
        return await callers.ask(partial(gap, cursor)) or b'{"data":null}'

    return LogWork(source.topic, source.filter, source.reading, execute, execute_gap)


def _state(plan: SubscriptionPlan, callers: Callers, source: State) -> StateWork:
    async def answer(final: list[bool], context: Context) -> Answered:
        state = await through_outages(partial(source.read, context))
        result = await plan.run(state, context)
        final.append(source.is_final(state))
        return Answered(body_of(result), is_sure=not result.errors)

    async def read() -> LiveState:
        final: list[bool] = []
        body = await callers.ask(partial(answer, final))
        return LiveState(body or b'{"data":null}', is_final=final[-1] if final else False)

    return StateWork(source.topic, source.filter, source.reading, read, source.pause)
