"""Metrics of the API process: OpenTelemetry instruments that are read when asked for, and cost a request nothing."""

from opentelemetry.metrics import Meter, Observation

from graph.engine import Engine
from graph.live.hub import Hub


def observe(engine: Engine, hub: Hub, meter: Meter) -> None:
    """What the engine executes, what of it graphql-core has to, and what the live hub delivers."""
    meter.create_observable_counter(
        "earful.graphql.operations",
        callbacks=[lambda _: [Observation(engine.executed)]],
        description="Operations and subscription events executed.",
    )
    meter.create_observable_counter(
        "earful.graphql.fallbacks",
        callbacks=[lambda _: [Observation(engine.fell_back)]],
        description="Those of them that were executed by graphql-core instead of a compiled plan.",
    )
    counters = hub.counters
    meter.create_observable_counter(
        "earful.live.executed",
        callbacks=[lambda _: [Observation(counters.executed)]],
        description="Answers to events and states, each executed once for a group of subscribers.",
    )
    meter.create_observable_counter(
        "earful.live.delivered",
        callbacks=[lambda _: [Observation(counters.delivered)]],
        description="Answers delivered to subscribers, each counted for each of them.",
    )
    meter.create_observable_counter(
        "earful.live.gaps",
        callbacks=[lambda _: [Observation(counters.gaps)]],
        description="How often subscribers had to be told that events were no longer kept.",
    )
    meter.create_observable_gauge(
        "earful.live.groups",
        callbacks=[lambda _: [Observation(hub.groups)]],
        description="Groups of subscribers that share their executions.",
    )
    meter.create_observable_gauge(
        "earful.live.subscribers",
        callbacks=[lambda _: [Observation(hub.members)]],
        description="Subscribers in these groups.",
    )
