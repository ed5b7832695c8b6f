"""Checking alert rules, by schedule and after events, and telling people of what fired."""

from collections.abc import Sequence
from uuid import UUID

from clients.outgoing import AddressRefusedError, BadUrlError, OutgoingFailedError
from domain import alert, events, ids
from domain.alert import Errand, Prepared
from jobs.attempt import Attempt, FailedError, HopelessError
from jobs.mail import deliver
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.database import Database
from persistence.outbox import OutboxRow

_SECONDS = 15
_LOOKED_AT = {"feedback.added", "feedback.scored", "feedback.updated"}
# The receiver is there and will never take it.
_REFUSED = range(400, 500)
_LATER = {408, 409, 425, 429}
_ACCEPTED = range(200, 300)


async def react(database: Database, rows: Sequence[OutboxRow]) -> None:
    """Ask for the checks that events make necessary."""
    happened: dict[UUID, list[events.FeedbackEvent]] = {}
    for row in rows:
        if row.kind in _LOOKED_AT:
            event = events.FeedbackEvent.from_json(row.payload)
            happened.setdefault(row.workspace_id, []).append(event)
    if happened:
        await alert.ask_after(database, happened)


async def _ask_for_checks(_: WorkerResources, attempt: Attempt) -> None:
    async with attempt.completing() as uow:
        await alert.ask_for_checks(uow)


async def _check(_: WorkerResources, attempt: Attempt) -> None:
    workspace = UUID(hex=attempt.arguments["workspace"])
    async with attempt.completing() as uow:
        await uow.enter(workspace)
        await alert.check(uow, workspace)


async def _match(_: WorkerResources, attempt: Attempt) -> None:
    workspace = UUID(hex=attempt.arguments["workspace"])
    happened = {
        type_: [UUID(hex=id_) for id_ in of_type]
        for type_, of_type in attempt.arguments["happened"].items()
    }
    async with attempt.completing() as uow:
        await uow.enter(workspace)
        await alert.match(uow, workspace, happened)


async def _notify(resources: WorkerResources, attempt: Attempt) -> None:
    """Send one message and keep what became of it. It may be sent twice, and then has the same id twice."""
    workspace, errand = attempt.workspace_id, Errand.of(attempt.arguments)
    assert workspace is not None  # noqa: S101 - a message is its workspace's
    async with resources.database.reader() as reader:
        prepared = await alert.prepare(
            reader, workspace, errand, resources.seals, resources.clock()
        )
    if prepared is None:
        attempt.result = {"sent": False}
        return
    try:
        await _send(resources, attempt, errand, prepared)
    except FailedError as error:
        async with attempt.step() as uow:
            await alert.note(uow, workspace, errand, _shown(errand, prepared), "FAILED", str(error))
        raise
    attempt.result = {"sent": True}
    async with attempt.completing() as uow:
        await alert.note(uow, workspace, errand, _shown(errand, prepared), "SENT", None)


async def _send(
    resources: WorkerResources, attempt: Attempt, errand: Errand, prepared: Prepared
) -> None:
    telling, link = prepared.telling, resources.base_url
    match errand.channel:
        case "MAIL":
            await deliver(resources, attempt, telling.mail(prepared.to, link))
        case "SLACK":
            await _post(resources, attempt, prepared.to, telling.slack(link))
        case _:
            await _post(resources, attempt, prepared.to, telling.webhook(link))


async def _post(resources: WorkerResources, attempt: Attempt, url: str, body: bytes) -> None:
    headers = {
        "Content-Type": "application/json",
        "Webhook-Id": ids.write(ids.Kind.JOB, attempt.id),
        "Webhook-Timestamp": str(int(resources.clock().timestamp())),
    }
    try:
        answer = await resources.outgoing.post(url, body=body, headers=headers, timeout=_SECONDS)
    except (BadUrlError, AddressRefusedError) as error:
        raise HopelessError(str(error)) from error
    except OutgoingFailedError as error:
        raise FailedError(str(error)) from error
    if answer.status in _ACCEPTED:
        return
    message = f"the receiver answered {answer.status}"
    if answer.status in _REFUSED and answer.status not in _LATER:
        raise HopelessError(message)
    raise FailedError(message)


def _shown(errand: Errand, prepared: Prepared) -> str:
    """Whom it went to, as everybody may see it."""
    return prepared.to if errand.channel == "MAIL" else alert.masked(prepared.to)


TASKS = (
    Task(alert.ASK_FOR_CHECKS, _ask_for_checks),
    Task(alert.CHECK_ALERTS, _check),
    Task(alert.MATCH_ALERTS, _match),
    Task(alert.NOTIFY_ALERT, _notify),
)
