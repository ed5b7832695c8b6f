"""The supervisor with small stand-in processes."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.embedded import EmbeddedParts
from app.embedded.process import Command
from app.embedded.revival import GaveUpError, Patience
from app.supervisor import StopRequest, Supervisor

IMPATIENT = Patience(first_wait=0.02, longest_wait=0.04)

# Each writes a line when it starts and one when it is asked to end.
STAND_IN = """
import signal, sys, time

def end(number, frame):
    time.sleep({drain})
    print("{name} ended", flush=True)
    sys.exit()

signal.signal(signal.SIGTERM, end)
print("{name} started", flush=True)
time.sleep({life})
"""


@pytest.fixture
def parts() -> Iterator[EmbeddedParts]:
    with tempfile.TemporaryDirectory() as directory:
        none = EmbeddedParts(
            Path(directory), parts=frozenset(), durable=True, report=lambda _line: None
        )
        none.start()
        yield none
        none.stop()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervise(
    parts: EmbeddedParts, log: Path, said: list[str]
) -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def make(
        *names: str,
        drain: float = 0,
        life: float = 60,
        grace: float = 5,
        patience: Patience = IMPATIENT,
    ) -> Supervisor:
        commands = [
            Command(
                name,
                (sys.executable, "-c", STAND_IN.format(name=name, drain=drain, life=life)),
                os.environ,
                log=log,
                grace=grace,
            )
            for name in names
        ]
        made.append(Supervisor(commands, parts, report=said.append, patience=patience))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.stop(lambda: True)


def wrote(log: Path, count: int) -> Callable[[], bool]:
    """Whether the stand-ins have written so many lines, or the time for that is over."""
    deadline = time.monotonic() + 10
    return lambda: (
        time.monotonic() > deadline or (log.exists() and len(log.read_text().splitlines()) >= count)
    )


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines()


def test_processes_end_one_after_the_other_in_the_order_given(
    supervise: Callable[..., Supervisor], log: Path
) -> None:
    supervisor = supervise("api", "worker", "relay", drain=0.1)
    supervisor.tend_until(wrote(log, 3))
    supervisor.stop(lambda: False)
    assert lines(log)[3:] == ["api ended", "worker ended", "relay ended"]


def test_a_dead_process_is_started_again_and_that_is_said(
    supervise: Callable[..., Supervisor], parts: EmbeddedParts, log: Path, said: list[str]
) -> None:
    supervisor = supervise("api")
    supervisor.tend_until(wrote(log, 1))
    (record,) = (parts.directory / "run").iterdir()
    os.killpg(int(record.read_text().split('"pid": ')[1].split(",")[0]), signal.SIGKILL)
    supervisor.tend_until(wrote(log, 2))
    assert lines(log) == ["api started", "api started"]
    assert said == ["  api died (killed by SIGKILL); starting it again in 0.02 s"]


def test_a_process_that_keeps_dying_ends_the_run_after_later_and_later_restarts(
    supervise: Callable[..., Supervisor], log: Path, said: list[str]
) -> None:
    supervisor = supervise("api", life=0)
    with pytest.raises(GaveUpError, match=r"^api died \(exit 0\), 6 times in a row"):
        supervisor.tend_until(lambda: False)
    assert lines(log) == ["api started"] * 6
    assert [line.split(" in ")[1] for line in said] == ["0.02 s"] + ["0.04 s"] * 4


def test_a_process_that_lives_a_while_between_its_deaths_is_started_again_for_ever(
    supervise: Callable[..., Supervisor], log: Path, said: list[str]
) -> None:
    easily_pleased = replace(IMPATIENT, healthy=0.1, early=0.1)
    supervisor = supervise("api", life=0.3, patience=easily_pleased)
    supervisor.tend_until(wrote(log, 8))
    assert len(lines(log)) == 8
    assert {line.split(" in ")[1] for line in said} == {"0.02 s"}


def test_a_process_that_does_not_end_in_time_is_killed(
    supervise: Callable[..., Supervisor], log: Path
) -> None:
    supervisor = supervise("api", drain=60, grace=0.1)
    supervisor.tend_until(wrote(log, 1))
    supervisor.stop(lambda: False)
    assert lines(log) == ["api started"]


def test_in_a_hurry_nobody_is_waited_for_long(
    supervise: Callable[..., Supervisor], log: Path
) -> None:
    supervisor = supervise("api", drain=60, grace=60)
    supervisor.tend_until(wrote(log, 1))
    began = time.monotonic()
    supervisor.stop(lambda: True)
    assert time.monotonic() - began < 3


def test_a_signal_asks_to_stop_and_a_second_ctrl_c_hurries() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stop = StopRequest(exit_with_parent=False)
        assert not stop.asked()
        signal.raise_signal(signal.SIGINT)
        assert (stop.asked(), stop.hurried()) == (True, False)
        signal.raise_signal(signal.SIGINT)
        assert stop.hurried()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
