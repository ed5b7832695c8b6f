"""Checking rules: what fires and what is over is recorded, announced and told in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain import job
from domain.alert import telling
from domain.alert.judging import (
    UNKNOWN,
    Reading,
    Standing,
    Step,
    is_cooling,
    is_over,
    silence_limit,
    step,
)
from domain.alert.looking import MOST_SAMPLES, look, samples, window_of
from domain.alert.rule import Definition, Kind
from domain.events import AlertEvent, FeedbackEvent
from domain.job import Once, Priority
from persistence.alert import AlertRow, SecretRow, counting, keeping, raising
from persistence.database import Database, UnitOfWork

CHECK_ALERTS = job.Kind(
    "check_alerts", most_failures=3, longest_pause=timedelta(seconds=30), keep_successes=False
)
MATCH_ALERTS = job.Kind(
    "match_alerts", most_failures=20, longest_pause=timedelta(minutes=5), keep_successes=False
)
ASK_FOR_CHECKS = job.Kind(
    "ask_for_alert_checks", priority=Priority.HIGH, most_failures=3, keep_successes=False
)

KEPT = timedelta(days=400)
# Much that comes at once is looked at once.
_WAIT = timedelta(seconds=2)
_PATIENCE = timedelta(seconds=5)
# The checks of all workspaces are spread over so many seconds of each minute.
_SPREAD = 45


async def check(uow: UnitOfWork, workspace: UUID) -> int:
    """Check all enabled rules of a workspace that was entered; answers how many fired or were over.

    Checks of the same workspace wait for each other, and for whoever changes its rules.
    """
    rows = await keeping.lock_enabled(uow, workspace)
    if not rows:
        return 0
    firing = await _firing(uow, workspace)
    definitions = [Definition.from_json(row.definition) for row in rows]
    readings = await look(uow, workspace, definitions, uow.now)
    fired: list[tuple[SecretRow, Definition, Reading]] = []
    over: list[tuple[SecretRow, Definition, AlertRow]] = []
    for row, definition, reading in zip(rows, definitions, readings, strict=True):
        match step(definition, reading, _standing(row, firing.get(row.id)), uow.now):
            case Step.FIRE:
                fired.append((row, definition, reading))
            case Step.RESOLVE:
                over.append((row, definition, firing[row.id]))
            case Step.STAY:
                pass
    await _resolve(uow, workspace, over)
    if fired:
        windows = [(each, window_of(each, reading, uow.now)) for _, each, reading in fired]
        found = await samples(uow, workspace, windows)
        for (row, definition, reading), ids in zip(fired, found, strict=True):
            await _fire(uow, row, definition, reading, ids)
    return len(fired) + len(over)


async def match(uow: UnitOfWork, workspace: UUID, happened: Mapping[str, Sequence[UUID]]) -> int:
    """Look at feedback that something happened to, by what happened; answers how many rules fired.

    Words are in a text when it comes, sentiments when it is scored, tags when they are set: a rule looks at a feedback
    when what it asks for may have become true of it. Feedback that an alert was about raises none again.
    """
    rows = [row for row in await keeping.lock_enabled(uow, workspace) if row.kind == Kind.MATCH]
    if not rows:
        return 0
    firing = await _firing(uow, workspace)
    definitions = [Definition.from_json(row.definition) for row in rows]
    ids = list(dict.fromkeys(id_ for of_type in happened.values() for id_ in of_type))
    filters = [definition.where for definition in definitions]
    found = await counting.matching(uow, workspace, filters, ids)
    number = 0
    for row, definition, matching in zip(rows, definitions, found, strict=True):
        looked = {id_ for type_ in _decisive(definition) for id_ in happened.get(type_, ())}
        new = [id_ for id_ in matching if id_ in looked]
        alert = firing.get(row.id)
        standing = _standing(row, alert)
        if not new or is_cooling(definition, standing, uow.now):
            continue
        told = await raising.told(uow, workspace, row.id, new)
        if fresh := [id_ for id_ in new if id_ not in told]:
            if alert is not None and is_over(definition, standing, uow.now):
                await _resolve(uow, workspace, [(row, definition, alert)])
            await _fire(uow, row, definition, UNKNOWN, fresh[:MOST_SAMPLES])
            number += 1
    return number


def _decisive(definition: Definition) -> set[str]:
    """After which events what a rule asks for may have become true."""
    where = definition.where
    types = set()
    if where.sentiments is not None:
        types.add("SCORED")
    if where.tag_ids is not None:
        types |= {"UPDATED", "SCORED"}
    return types or {"ADDED"}


async def ask_for_checks(uow: UnitOfWork) -> int:
    """Ask for the check of every workspace that has rules, each at its own time of the minute."""
    watched = await keeping.watched(uow)
    for each in watched:
        later = timedelta(seconds=each.workspace_id.int % _SPREAD)
        await _ask_for_check(uow, each.workspace_id, Once("schedule"), uow.now + later)
    return len(watched)


async def ask_after(database: Database, happened: Mapping[UUID, Sequence[FeedbackEvent]]) -> None:
    """Ask for what is to be looked at after events of these workspaces: of most nothing."""
    async with database.reader() as reader:
        watched = await keeping.watched(reader, list(happened))
    if not watched:
        return
    async with database.transaction() as uow:
        for each in watched:
            if each.by_windows:
                once = Once("events", patience=_PATIENCE)
                await _ask_for_check(uow, each.workspace_id, once, uow.now + _WAIT)
            if each.by_matches:
                await job.enqueue(
                    uow,
                    MATCH_ALERTS,
                    workspace=None,
                    arguments={
                        "workspace": each.workspace_id.hex,
                        "happened": _by_type(happened[each.workspace_id]),
                    },
                )


async def _ask_for_check(uow: UnitOfWork, workspace: UUID, once: Once, at: datetime) -> None:
    """A check is the instance's job, not the workspace's: nobody wants to find one a minute among their own."""
    await job.enqueue(
        uow,
        CHECK_ALERTS,
        workspace=None,
        arguments={"workspace": workspace.hex},
        once=replace(once, key=f"{once.key} {workspace.hex}"),
        at=at,
    )


def _by_type(happened: Sequence[FeedbackEvent]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for event in happened:
        found.setdefault(event.type, []).append(event.feedback_id.hex)
    return found


async def resolve(uow: UnitOfWork, workspace: UUID, rule: UUID) -> None:
    """End the rule's alert, if it fires, without a message: the question has changed, not the answer."""
    alert = await raising.firing_of(uow, workspace, rule)
    if alert is not None:
        for resolved in await raising.resolve(uow, workspace, [alert.id]):
            _announce(uow, "RESOLVED", resolved)


async def forget(database: Database, now: datetime) -> None:
    """Take away alerts that were over long ago, one workspace at a time."""
    before = now - KEPT
    async with database.reader() as reader:
        old = await raising.with_old(reader, before)
    for workspace in old:
        async with database.transaction() as uow:
            await uow.enter(workspace)
            await raising.forget(uow, workspace, before)


async def _firing(uow: UnitOfWork, workspace: UUID) -> dict[UUID, AlertRow]:
    """The alerts that fire, by their rules. Read once the rules are locked, or they might be those of before."""
    alerts = await raising.firing(uow, workspace)
    return {alert.rule_id: alert for alert in alerts if alert.rule_id is not None}


def _standing(row: SecretRow, alert: AlertRow | None) -> Standing:
    return Standing(None if alert is None else alert.fired_at, row.last_fired_at)


async def _fire(
    uow: UnitOfWork, row: SecretRow, definition: Definition, reading: Reading, ids: Sequence[UUID]
) -> None:
    threshold = definition.threshold
    if definition.kind is Kind.SILENCE:
        threshold = silence_limit(definition, reading)
    alert = await raising.add(
        uow,
        workspace=row.workspace_id,
        rule=row.id,
        name=row.name,
        kind=row.kind,
        value=reading.value,
        threshold=threshold,
        baseline=reading.baseline,
        window=window_of(definition, reading, uow.now),
        query=row.definition,
        sample_ids=ids,
    )
    if alert is None:
        return
    await keeping.fired(uow, row.workspace_id, row.id)
    _announce(uow, "FIRED", alert)
    await telling.ask(uow, row, definition, alert, telling.FIRED)


async def _resolve(
    uow: UnitOfWork, workspace: UUID, over: Sequence[tuple[SecretRow, Definition, AlertRow]]
) -> None:
    if not over:
        return
    resolved = await raising.resolve(uow, workspace, [alert.id for _, _, alert in over])
    by_rule = {alert.rule_id: alert for alert in resolved}
    for row, definition, _ in over:
        alert = by_rule.get(row.id)
        if alert is None:
            continue
        _announce(uow, "RESOLVED", alert)
        if definition.notify_resolved and definition.kind is not Kind.MATCH:
            await telling.ask(uow, row, definition, alert, telling.RESOLVED)


def _announce(uow: UnitOfWork, type: str, alert: AlertRow) -> None:
    event = AlertEvent(type, alert.id, alert.rule_id, alert.state)
    uow.emit(alert.workspace_id, event.kind, event.to_json())
