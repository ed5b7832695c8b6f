"""The engine answers as graphql-core does: random schemas, data, documents and variables.

A run is always of the same cases; ENGINE_CASES=5000 makes it explore that many others of each kind.
"""

import os

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.graph.engine.checking import Case

_settings = settings(
    max_examples=int(os.environ.get("ENGINE_CASES", "40")),
    derandomize="ENGINE_CASES" not in os.environ,
    database=None,
    deadline=None,
    # A failing document is made smaller by the case itself; a smaller seed is no smaller case.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_seeds = st.integers(0, 2**32 - 1)
_troubles = st.sampled_from((0, 0, 0.02, 0.06, 0.15))


@_settings
@given(seed=_seeds, trouble=_troubles)
async def test_synchronous_answers_are_graphql_core_s(seed: int, trouble: float) -> None:
    await Case(seed, is_async=False, trouble=trouble).check()


@_settings
@given(seed=_seeds, trouble=_troubles)
async def test_asynchronous_answers_are_graphql_core_s(seed: int, trouble: float) -> None:
    await Case(seed, is_async=True, trouble=trouble).check()


def test_random_documents_are_valid() -> None:
    cases = [Case(seed, is_async=False, trouble=0) for seed in range(10)]
    made = [(case, operation) for case in cases for operation in case.operations()]
    documents = {operation.document: (case, operation) for case, operation in made}
    assert len(documents) == 60
    assert [
        text for text, (case, operation) in documents.items() if not case.is_valid(operation)
    ] == []
