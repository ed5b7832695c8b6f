"""Cancellations that redis-py forgets: it waits with asyncio.wait_for, which does so before Python 3.12."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def heeded() -> Iterator[None]:
    """Raises CancelledError for a cancellation that comes together with an answer or a failure."""
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    try:
        yield
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
