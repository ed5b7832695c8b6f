"""No statement reads a tenant's rows without saying whose."""

from collections.abc import Iterator
from itertools import chain, combinations, product
from types import ModuleType
from typing import Any

from graph.engine import Entry, Outline
from persistence import (
    account,
    api_key,
    audit,
    backlog,
    delivery,
    erasure,
    export,
    file,
    invitation,
    note,
    outbox,
    quarantine,
    saved_view,
    schedule,
    source,
    source_health,
    tag,
    workspace,
)
from persistence.alert import counting as alert_counting
from persistence.alert import keeping, raising
from persistence.database import Statement
from persistence.feedback import (
    Along,
    Filter,
    Order,
    batch,
    history,
    intake,
    listing,
    original,
    paging,
    resembling,
    revising,
    scoring,
    triage,
    writing,
)
from persistence.job import asking, working
from persistence.job import listing as job_listing
from persistence.spelling import ASSIGNEE, SOURCE, TAGS, Said
from persistence.stats import compaction, counting, modelled
from persistence.stats.cell import LABELS
from persistence.webhook import delivering
from persistence.webhook import keeping as webhook_keeping
from persistence.webhook import listing as webhook_listing

TENANT_TABLES = (
    "workspace",
    "member",
    "source",
    "delivery",
    "feedback",
    "feedback_original",
    "feedback_revision",
    "feedback_change",
    "feedback_note",
    "saved_view",
    "source_secret",
    "source_refusal",
    "quarantined",
    "tag",
    "feedback_tag",
    "file",
    "job",
    "schedule",
    "stats_hour",
    "stats_delta",
    "model_hour",
    "alert_rule",
    "alert",
    "webhook",
    "webhook_secret",
    "webhook_delivery",
    "webhook_attempt",
    "api_key",
    "api_key_secret",
    "invitation",
    "invitation_token",
    "import_refusal",
    "audit_entry",
    "erasure_receipt",
)
# By membership, or within a workspace that the transaction has entered.
PREDICATES = (
    "member.principal_id = $",
    "member.principal_id = ANY ($",
    ".workspace_id = $",
    "workspace.id = $",
    "user_id = $",
    "principal_id = $",
)


def _fixed(module: ModuleType) -> Iterator[tuple[str, Statement[Any]]]:
    name = module.__name__.rpartition(".")[2]
    for key, value in vars(module).items():
        if isinstance(value, Statement):
            yield f"{name}.{key}", value


# These serve no caller: a signature is checked before anybody is known, sweeps and workers look after all tenants,
# and operators see what is dead everywhere.
FOR_NOBODY = {
    "source._SECRETS",
    "source._FORM",
    "quarantine._WITH_OLD",
    "source_health._WITH_OLD",
    "batch._RECEIVE_MANY",
    "api_key._KNOWN",
    # Who has a token belongs to no workspace yet.
    "invitation._FIND",
    "invitation._ENTER_BY_TOKEN",
    "invitation._WITH_EXPIRED",
    "audit._WITH_OLD",
    "intake._RECEIVE",
    "outbox._FORGET_HEADS",
    "source._ENTER",
    "delivery._WITH_OLD",
    "scoring._OVERDUE",
    "compaction._FOLD",
    "file._EXPIRED",
    "file._KNOWN",
    "compaction._REMOVE",
    "modelled._FOLD",
    "keeping._WATCHED",
    "keeping._WATCHED_OF",
    "raising._WITH_OLD",
    "asking._FORGET",
    "asking._FOUND",
    "asking._REQUEUE",
    "workspace._ENTER_BY_SLUG",
    "backlog._BACKLOG",
    "delivering._LISTENING",
    "delivering._WITH_WEBHOOKS",
    "schedule._ALL",
    "schedule._DROP_OTHERS",
    "schedule._DUE",
    "schedule._TAKE",
    *(name for name, _ in _fixed(working)),
}
FILTERS = tuple(Filter.__slots__)
_NAMED = (Entry("name", Said("name")),)
WRITTEN = writing._how(
    Outline(
        "Feedback",
        1,
        (
            Entry("body", Said("body")),
            Entry("source", SOURCE, Outline("Source", 1, _NAMED)),
            Entry("assignee", ASSIGNEE, Outline("FeedbackAssignee", 1, _NAMED)),
            Entry("tags", TAGS, Outline("Tag", 1, _NAMED)),
        ),
    )
)


def _built() -> Iterator[tuple[str, Statement[Any]]]:
    shapes = list(
        chain.from_iterable(combinations(FILTERS, size) for size in (0, 1, 2, len(FILTERS)))
    )
    for names, order, after in product(shapes, Order, (None, "value")):
        page = paging._page(names, order, 21, after)
        yield f"feedback page {names} {order} {after}", page.statement
    for names, order, after in product(shapes, writing.BY_TIME, (None, "value")):
        statement = writing._statement(names, order, 20, after, WRITTEN)
        yield f"written page {names} {order} {after}", statement
    for order in (Order.MOST_NEGATIVE, Order.MOST_POSITIVE):
        page = paging._page((), order, 21, "unscored")
        yield f"feedback page unscored {order}", page.statement
    for names in shapes:
        yield f"span of an export {names}", export._span(names)
        yield f"sources of an export {names}", export._by_source(names)
        yield f"tags of an export {names}", export._by_tag(names)
        yield f"feedback count {names}", listing._count(names)
        yield f"feedback matching {names}", listing._matching(names)
        yield f"outdated {names}", scoring._outdated(names, continued=True)
        yield f"outdated count {names}", scoring._count_outdated(names)
        for bounded, totals in product((False, True), repeat=2):
            raw = counting._raw(
                names, bounded=bounded, totals=totals, buckets=True, columns=frozenset()
            )
            yield f"raw stats {names} {bounded} {totals}", raw
    for names, edges in product(shapes, (False, True)):
        by_hours = counting._by_hours(
            names,
            LABELS,
            bounded=True,
            head=edges,
            tail=edges,
            totals=True,
            buckets=True,
            columns=None,
        )
        yield f"stats by hours {names} {edges}", by_hours
    for continued in (False, True):
        for of, state in product(("workspace_id", "rule_id"), (False, True)):
            alerts = raising._page(of, 21, None, continued=continued, state=state)
            yield f"alert page {of} {continued} {state}", alerts
        for of_status in (False, True):
            deliveries = webhook_listing._page(21, continued=continued, of_status=of_status)
            yield f"delivery page {continued} {of_status}", deliveries
        notes = note._page(21, continued=continued, columns=None)
        yield f"notes {continued}", notes
        kept = quarantine._page(21, continued=continued, columns=None)
        yield f"quarantine page {continued}", kept
    yield from _built_of_jobs()


def _built_of_jobs() -> Iterator[tuple[str, Statement[Any]]]:
    for continued, of_kind, status in product((False, True), (False, True), (None, "FAILED")):
        page = job_listing._page(21, continued=continued, of_kind=of_kind, status=status)
        yield f"job page {continued} {of_kind} {status}", page
    for of_one, of_kind, continued in product((False, True), repeat=3):
        dead = job_listing._dead(of_all=False, of_one=of_one, of_kind=of_kind, continued=continued)
        yield f"dead jobs {of_one} {of_kind} {continued}", dead


def _built_of_logs() -> Iterator[tuple[str, Statement[Any]]]:
    for by in ("EMAIL", "EXTERNAL_ID"):
        yield f"some of an author {by}", erasure._SOME[by]
        yield f"told of an author {by}", erasure._TOLD[by]
    for filtered, continued in product(((), ("actor", "action", "start", "end")), (False, True)):
        yield f"audit log {filtered}", audit._page(21, filtered, continued=continued)


def _reads_tenant_rows(statement: Statement[Any]) -> bool:
    words = statement.text.replace("\n", " ").split()
    return any(
        word in {"FROM", "JOIN"} and following.strip("(),") in TENANT_TABLES
        for word, following in zip(words, words[1:], strict=False)
    )


STATEMENTS = [
    *chain.from_iterable(
        map(
            _fixed,
            (
                account,
                api_key,
                audit,
                backlog,
                delivery,
                erasure,
                batch,
                alert_counting,
                keeping,
                raising,
                compaction,
                counting,
                file,
                intake,
                invitation,
                listing,
                scoring,
                asking,
                job_listing,
                working,
                history,
                modelled,
                note,
                original,
                resembling,
                saved_view,
                triage,
                outbox,
                quarantine,
                revising,
                schedule,
                source,
                source_health,
                tag,
                delivering,
                webhook_keeping,
                webhook_listing,
                workspace,
            ),
        )
    ),
    *_built(),
    *_built_of_logs(),
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
        paging._page((), Order.NEWEST_FIRST, 21, None, None, along).statement.text
        for along in (Along(), of_sources, of_tags, both)
    ]

    assert [page.count("member.principal_id = $") for page in pages] == [1, 2, 2, 3]


def test_the_exceptions_are_still_needed() -> None:
    assert {name for name, _ in STATEMENTS} >= FOR_NOBODY


def test_every_part_of_statistics_carries_a_predicate_of_its_own() -> None:
    texts = [
        counting._by_hours(
            (),
            LABELS,
            bounded=True,
            head=head,
            tail=tail,
            totals=True,
            buckets=False,
            columns=None,
        ).text
        for head, tail in ((False, False), (True, False), (True, True))
    ]

    assert [text.count("member.principal_id = $") for text in texts] == [2, 3, 4]
