"""Metrics of the API process: OpenTelemetry instruments that are read when asked for, and cost a request nothing."""

from collections.abc import Callable

from opentelemetry.metrics import CallbackT, Meter, Observation

from graph.engine import Engine
from graph.live.hub import Hub


def observe(engine: Engine, hub: Hub, meter: Meter) -> None:
    """What the engine executes, what of it graphql-core has to, and what the live hub delivers."""
    counters = hub.counters
    counted: dict[str, tuple[Callable[[], int], str]] = {
        "graphql.operations": (
            lambda: engine.executed,
            "Operations and subscription events executed.",
        ),
        "graphql.fallbacks": (
            lambda: engine.fell_back,
            "Those of them that were executed by graphql-core instead of a compiled plan.",
        ),
        "live.executed": (
            lambda: counters.executed,
            "Answers to events and states, each executed once for a group of subscribers.",
        ),
        "live.delivered": (
            lambda: counters.delivered,
            "Answers delivered to subscribers, each counted for each of them.",
        ),
        "live.gaps": (
            lambda: counters.gaps,
            "How often subscribers had to be told that events were no longer kept.",
        ),
    }
    held: dict[str, tuple[Callable[[], int], str]] = {
        "live.groups": (lambda: hub.groups, "Groups of subscribers that share their executions."),
        "live.subscribers": (lambda: hub.members, "Subscribers in these groups."),
    }
    for create, of_kind in (
        (meter.create_observable_counter, counted),
        (meter.create_observable_gauge, held),
    ):
        for name, (read, description) in of_kind.items():
            create(f"earful.{name}", callbacks=[_observing(read)], description=description)


def _observing(read: Callable[[], int]) -> CallbackT:
    return lambda _: [Observation(read())]
