"""A worker within the tests: the real tasks, run until nothing is due, with mail that lands in a directory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import text

from domain.job import Priority
from jobs.resources import WorkerResources
from jobs.runner import Runner, Task
from persistence.database import Record, Statement

SECONDS = 20
_LEFT = Statement(
    text("""
    SELECT id FROM job WHERE kind = ANY(:kinds ::text[])
      AND (status = 'RUNNING' OR status = 'QUEUED' AND run_at <= :now) LIMIT 1"""),
    Record,
)


@dataclass(frozen=True, slots=True)
class Worker:
    """What the tasks use, and the mail that they have sent."""

    resources: WorkerResources
    tasks: Sequence[Task[WorkerResources]]
    mailbox: Path

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Runner[WorkerResources]]:
        """A runner that does what is asked for."""
        resources = self.resources
        runner = Runner(resources.database, resources, self.tasks, clock=resources.clock)
        running = asyncio.ensure_future(runner.run())
        try:
            yield runner
            await runner.drain(SECONDS)
        finally:
            running.cancel()
            await asyncio.wait({running})

    async def work(self) -> None:
        """Until nothing is due of these tasks; jobs that wait for a later time stay."""
        async with self.working() as runner, asyncio.timeout(SECONDS):
            while await self._left(self.resources.clock):
                for priority in Priority:
                    runner.look(priority)
                await asyncio.sleep(0.02)

    def mail(self) -> list[EmailMessage]:
        """What was sent, in order."""
        return [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted(self.mailbox.glob("*.eml"))
        ]

    async def _left(self, clock: Callable[[], datetime]) -> bool:
        async with self.resources.database.reader() as reader:
            kinds = [task.kind.name for task in self.tasks]
            return bool(await reader.fetch(_LEFT, kinds=kinds, now=clock()))
