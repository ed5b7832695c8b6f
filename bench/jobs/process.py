"""`python -m bench.jobs.process worker|relay`: Earful's own processes, with the jobs that are timed beside its own."""

import sys

from app import settings, telemetry
from app.relay import relay
from app.worker import work
from bench.jobs.tasks import TASKS
from jobs import tasks

if __name__ == "__main__":
    loaded = settings.load()
    telemetry.configure(loaded)
    {"worker": work, "relay": relay}[sys.argv[1]](loaded, (*tasks.TASKS, *TASKS))
