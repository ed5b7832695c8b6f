"""Metrics of the API process: OpenTelemetry instruments that are read when asked for, and cost a request nothing."""

from opentelemetry.metrics import Meter, Observation

from graph.engine import Engine


def observe(engine: Engine, meter: Meter) -> None:
    """What the engine executes, and what of it graphql-core has to."""
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
