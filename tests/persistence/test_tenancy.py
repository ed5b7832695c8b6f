"""No statement reads a tenant's rows without saying whose."""

from collections.abc import Iterator
from itertools import chain, combinations, product
from types import ModuleType
from typing import Any

from persistence import account, job, outbox, source, stats, tag, workspace
from persistence.database import Statement
from persistence.feedback import Along, Filter, Order, intake, listing, scoring

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
    "outbox._FORGET_HEADS",
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
        page = listing._page(names, order, 21, after)
        yield f"feedback page {names} {order} {after}", page.statement
    for order in (Order.MOST_NEGATIVE, Order.MOST_POSITIVE):
        page = listing._page((), order, 21, "unscored")
        yield f"feedback page unscored {order}", page.statement
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


def test_what_a_page_brings_along_carries_a_predicate_of_its_own() -> None:
    of_sources, of_tags = Along(frozenset({"name"})), Along(tags=frozenset({"name"}))
    both = Along(of_sources.source, of_tags.tags)

    pages = [
        listing._page((), Order.NEWEST_FIRST, 21, None, None, along).statement.text
        for along in (Along(), of_sources, of_tags, both)
    ]

    assert [page.count("member.user_id = $") for page in pages] == [1, 2, 2, 3]


def test_the_exceptions_are_still_needed() -> None:
    assert {name for name, _ in STATEMENTS} >= FOR_NOBODY
