"""What is asked: five documents and their variables."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.data import END

Variables = dict[str, Any]

_MONTH = timedelta(days=30)
# Stands for a number that is another in each request.
UNIQUE = "########"


@dataclass(frozen=True, slots=True)
class Known:
    """Ids that the variables are drawn from; the same for every server."""

    feedback: Sequence[str]
    viewer: str
    small: str
    inbox: str
    inbox_source: str


@dataclass(frozen=True, slots=True)
class Workload:
    """One document. `variables` never ends; the same seed gives the same ones to every server.

    `paged`: the variable `after` walks the pages, by each server's own cursors.
    `ignored`: fields that cannot be equal, because each answer makes its own.
    """

    name: str
    title: str
    query: str
    variables: Callable[[Known], Iterator[Variables]]
    samples: int
    paged: bool = False
    ignored: frozenset[str] = frozenset()
    least_bytes: int = 100


def _by_id(known: Known) -> Iterator[Variables]:
    dice = random.Random(1)  # noqa: S311 - the same ids each time
    while True:
        yield {"id": dice.choice(known.feedback)}


def _page(_: Known) -> Iterator[Variables]:
    return itertools.repeat({"slug": "large", "after": None})


def _window(slug: str) -> Callable[[Known], Iterator[Variables]]:
    def variables(_: Known) -> Iterator[Variables]:
        ends = [datetime.fromisoformat(END) - timedelta(days=back) for back in range(20)]
        for end in itertools.cycle(ends):
            yield {"slug": slug, "from": _text(end - _MONTH), "to": _text(end)}

    return variables


def _submission(known: Known) -> Iterator[Variables]:
    run = random.SystemRandom().getrandbits(48)
    for rating in itertools.cycle(range(11)):
        yield {
            "input": {
                "workspaceId": known.inbox,
                "sourceId": known.inbox_source,
                "externalId": f"{run:012x}-{UNIQUE}",
                "body": "The left ear is louder than the right one. Can I send it back?",
                "rating": rating,
                "occurredAt": "2026-05-31T12:00:00Z",
            }
        }


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "W1",
            "a feedback by id, 8 scalars",
            """query W1($id: ID!) { node(id: $id) { ... on Feedback {
                id externalId body rating language metadata occurredAt receivedAt } } }""",
            _by_id,
            samples=200,
        ),
        Workload(
            "W2",
            "a page of 50 with source and tags",
            """query W2($slug: String!, $after: String) { workspace(slug: $slug) {
                feedback(first: 50, after: $after) {
                    edges { cursor node { id body rating occurredAt receivedAt
                        source { id name kind } tags { id name color } } }
                    pageInfo { hasNextPage endCursor } } } }""",
            _page,
            samples=20,
            paged=True,
            ignored=frozenset({"cursor", "endCursor"}),
            least_bytes=10_000,
        ),
        Workload(
            "W3",
            "30 daily buckets and the 5 newest",
            """query W3($slug: String!, $from: DateTime!, $to: DateTime!) { workspace(slug: $slug) {
                stats(from: $from, to: $to, interval: DAY) {
                    buckets { start counts { total negative neutral positive averageScore } } }
                feedback(first: 5) { nodes { id body rating occurredAt } } } }""",
            _window("small"),
            samples=20,
            least_bytes=3_000,
        ),
        Workload(
            "W4",
            "submit a feedback and return it",
            """mutation W4($input: SubmitFeedbackInput!) { submitFeedback(input: $input) {
                ... on SubmitFeedbackSuccess { duplicate feedback {
                    id externalId body rating occurredAt receivedAt } }
                ... on Problem { message } } }""",
            _submission,
            samples=5,
            ignored=frozenset({"id", "externalId", "receivedAt"}),
        ),
        Workload(
            "W5",
            "a dashboard in one query",
            """query W5($slug: String!, $from: DateTime!, $to: DateTime!) {
                viewer { user { id name email } workspaces { id name slug viewerRole } }
                workspace(slug: $slug) {
                    id name slug viewerRole createdAt
                    sources { id name kind }
                    tags { id name color }
                    stats(from: $from, to: $to, interval: DAY) {
                        totals { total negative neutral positive averageScore averageRating }
                        buckets { start counts { total negative neutral positive averageScore } } }
                    feedback(first: 20) {
                        edges { cursor node { id body rating occurredAt
                            sentiment { label score } author { name email }
                            source { id name kind } tags { id name color } } }
                        pageInfo { hasNextPage endCursor } }
                    jobs(first: 10) { nodes {
                        id kind status progress attempts error createdAt finishedAt } } } }""",
            _window("small"),
            samples=20,
            ignored=frozenset({"cursor", "endCursor"}),
            least_bytes=10_000,
        ),
        Workload(
            "W3L",
            "W3 of the workspace with 200,000",
            """query W3($slug: String!, $from: DateTime!, $to: DateTime!) { workspace(slug: $slug) {
                stats(from: $from, to: $to, interval: DAY) {
                    buckets { start counts { total negative neutral positive averageScore } } }
                feedback(first: 5) { nodes { id body rating occurredAt } } } }""",
            _window("large"),
            samples=2,
            least_bytes=3_000,
        ),
    )
}
