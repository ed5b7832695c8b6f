"""The metrics of the API process."""

from graphql import build_schema, parse
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from app.metrics import observe
from app.resources import Api
from graph.engine import Engine

SCHEMA = build_schema("type Query { a: Int }")


def values(reader: InMemoryMetricReader) -> dict[str, float]:
    data = reader.get_metrics_data()
    assert data is not None
    (resource,) = data.resource_metrics
    (scope,) = resource.scope_metrics
    return {
        metric.name: point.value
        for metric in scope.metrics
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint)
    }


async def test_the_operations_and_those_that_fell_back_are_counted(api: Api) -> None:
    engine, reader = Engine(SCHEMA), InMemoryMetricReader()
    observe(engine, api.services.hub, MeterProvider(metric_readers=[reader]).get_meter("test"))
    nullable = engine.plan(parse("query ($skip: Boolean = true) { a @skip(if: $skip) }"))

    await engine.plan(parse("{ a }")).execute({"a": 1})
    await nullable.execute({"a": 1}, None, {"skip": False})
    await nullable.execute({"a": 1}, None, {"skip": None})

    found = values(reader)
    assert (found["earful.graphql.operations"], found["earful.graphql.fallbacks"]) == (3, 1)
