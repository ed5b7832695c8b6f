"""Work on sources: deleting them with their feedback, and trying again what they sent."""

from datetime import datetime
from uuid import UUID

from domain import quarantine, source
from domain.quarantine import Tried
from jobs.attempt import Attempt
from jobs.resources import WorkerResources
from jobs.runner import Task


async def _delete(resources: WorkerResources, attempt: Attempt) -> None:
    workspace, deleted = _workspace(attempt), UUID(hex=attempt.arguments["source"])
    async with resources.database.reader() as reader:
        left = await source.left_of(reader, workspace, deleted)
    total = max(attempt.state.get("total", left), 1)
    while True:
        progress = min(max(1 - left / total, 0), 1)
        async with attempt.step(progress=progress, state={"total": total}) as uow:
            taken = await source.take_away(uow, workspace, deleted)
        if not taken:
            break
        left -= taken
    attempt.result = {"deleted": total}


async def _replay(resources: WorkerResources, attempt: Attempt) -> None:
    workspace, of = _workspace(attempt), UUID(hex=attempt.arguments["source"])
    state = attempt.state
    tried = Tried(**state.get("tried", {}))
    after: quarantine.Key | None = quarantine.BEGINNING
    if "after" in state:
        after = (datetime.fromisoformat(state["after"][0]), UUID(hex=state["after"][1]))
    while after is not None:
        async with attempt.step() as uow:
            more, after = await quarantine.replay_some(uow, workspace, of, after, resources.seals)
        tried += more
        if after is not None:
            at = [after[0].isoformat(), after[1].hex]
            await attempt.report(0, {"after": at, "tried": _counted(tried)})
    attempt.result = _counted(tried)


def _counted(tried: Tried) -> dict[str, int]:
    return {"stored": tried.stored, "duplicates": tried.duplicates, "failed": tried.failed}


def _workspace(attempt: Attempt) -> UUID:
    assert attempt.workspace_id is not None  # noqa: S101 - sources are of workspaces
    return attempt.workspace_id


TASKS = (Task(source.DELETE_SOURCE, _delete), Task(quarantine.REPLAY_QUARANTINED, _replay))
