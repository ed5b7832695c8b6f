"""No statement reads a tenant's rows without saying whose."""

from collections.abc import Iterator
from itertools import chain, combinations, product
from types import ModuleType
from typing import Any

from persistence import account, job, outbox, source, stats, tag, workspace
from persistence.database import Statement
from persistence.feedback import Filter, Order, intake, listing, scoring

TENANT_TABLES = (
    "workspace",
    "member",
    "source",
    "delivery",
    "feedback",
    "tag",
    "feedback_tag",
    "job",
)
# By membership, or within a workspace that the transaction has entered.
PREDICATES = ("member.user_id = $", ".workspace_id = $", "workspace.id = $", "user_id = $")
# These serve no caller: a signature is checked before anybody is known, and sweeps look after all tenants.
FOR_NOBODY = {
    "source._SECRET",
    "intake._RECEIVE",
    "source._ENTER",
    "source._WITH_OLD_DELIVERIES",
    "scoring._OVERDUE",
}
FILTERS = tuple(Filter.__slots__)


def _fixed(module: ModuleType) -> Iterator[tuple[str, Statement[Any]]]:
    name = module.__name__.rpartition(".")[2]
    for key, value in vars(module).items():
        if isinstance(value, Statement):
            yield f"{name}.{key}", value


def _built() -> Iterator[tuple[str, Statement[Any]]]:
    shapes = list(chain.from_iterable(combinations(FILTERS, size) for size in (0, 1, 2, 8)))
    for names, order, after in product(shapes, Order, (None, "value")):
        yield f"feedback page {names} {order} {after}", listing._page(names, order, 21, after)
    for order in (Order.MOST_NEGATIVE, Order.MOST_POSITIVE):
        yield f"feedback page unscored {order}", listing._page((), order, 21, "unscored")
    for names in shapes:
        yield f"feedback count {names}", listing._count(names)
        yield f"feedback matching {names}", listing._matching(names)
        for bounded, totals in product((False, True), repeat=2):
            counts = stats._counts(
                names, bounded=bounded, totals=totals, buckets=True, columns=frozenset()
            )
            yield f"stats {names} {bounded} {totals}", counts
    for continued in (False, True):
        yield f"job page {continued}", job._page(21, continued=continued)


def _reads_tenant_rows(statement: Statement[Any]) -> bool:
    words = statement.text.replace("\n", " ").split()
    return any(
        word in {"FROM", "JOIN"} and following.strip("(),") in TENANT_TABLES
        for word, following in zip(words, words[1:], strict=False)
    )


STATEMENTS = [
    *chain.from_iterable(
        map(_fixed, (account, intake, listing, scoring, job, outbox, source, stats, tag, workspace))
    ),
    *_built(),
]


def test_there_are_statements_to_look_at() -> None:
    assert sum(_reads_tenant_rows(statement) for _, statement in STATEMENTS) > 300


def test_every_read_of_tenant_rows_carries_a_tenant_predicate() -> None:
    bare = [
        name
        for name, statement in STATEMENTS
        if _reads_tenant_rows(statement)
        and name not in FOR_NOBODY
        and not any(predicate in statement.text for predicate in PREDICATES)
    ]

    assert bare == []


def test_the_exceptions_are_still_needed() -> None:
    assert {name for name, _ in STATEMENTS} >= FOR_NOBODY
