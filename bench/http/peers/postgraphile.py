"""PostGraphile's schema is the tables': its own documents for the same fields, and its answers in our shape."""

import random
from typing import Any

from bench.http.workloads import UNIQUE, Known, Variables

_STATS = """query W3($slug: String!, $from: Datetime!, $to: Datetime!) { workspaceBySlug(slug: $slug) {
    statsList(since: $from, until: $to) { start total negative neutral positive averageScore }
    feedbacksByWorkspaceId(first: 5, orderBy: [OCCURRED_AT_DESC, ROW_ID_DESC]) {
        nodes { rowId body rating occurredAt } } } }"""

DOCUMENTS = {
    "W1": """query W1($id: UUID!) { feedbackByRowId(rowId: $id) {
        rowId externalId body rating language metadata occurredAt receivedAt } }""",
    "W2": """query W2($slug: String!, $after: Cursor) { workspaceBySlug(slug: $slug) {
        feedbacksByWorkspaceId(first: 50, after: $after, orderBy: [OCCURRED_AT_DESC, ROW_ID_DESC]) {
            edges { cursor node { rowId body rating occurredAt receivedAt
                sourceBySourceId { rowId name kind }
                feedbackTagsByFeedbackId { nodes { tagByTagId { rowId name color } } } } }
            pageInfo { hasNextPage endCursor } } } }""",
    "W3": _STATS,
    "W3L": _STATS,
    "W4": """mutation W4($feedback: FeedbackInput!) { createFeedback(input: {feedback: $feedback}) {
        feedback { rowId externalId body rating occurredAt receivedAt } } }""",
    "W5": """query W5($viewer: UUID!, $workspace: UUID!, $slug: String!, $from: Datetime!, $to: Datetime!) {
        userByRowId(rowId: $viewer) { rowId name email membersByUserId { nodes {
            role workspaceByWorkspaceId { rowId name slug createdAt } } } }
        memberByWorkspaceIdAndPrincipalId(workspaceId: $workspace, principalId: $viewer) { role }
        workspaceBySlug(slug: $slug) {
            rowId name slug createdAt
            sourcesByWorkspaceId { nodes { rowId name kind createdAt } }
            tagsByWorkspaceId { nodes { rowId name color } }
            statsList(since: $from, until: $to) {
                start total negative neutral positive averageScore averageRating }
            feedbacksByWorkspaceId(first: 20, orderBy: [OCCURRED_AT_DESC, ROW_ID_DESC]) {
                edges { cursor node { rowId body rating occurredAt
                    sentimentLabel sentimentScore authorName authorEmail
                    sourceBySourceId { rowId name kind }
                    feedbackTagsByFeedbackId { nodes { tagByTagId { rowId name color } } } } }
                pageInfo { hasNextPage endCursor } }
            jobsByWorkspaceId(first: 10, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) { nodes {
                rowId kind status progress attempts error createdAt finishedAt } } } }""",
}


def variables(workload: str, asked: Variables, known: Known) -> Variables:
    """Ours as its documents want them; the client makes the id and the time of what it submits."""
    match workload:
        case "W1":
            return {"id": _uuid(asked["id"])}
        case "W4":
            given = dict(asked["input"])
            run = random.SystemRandom().getrandbits(48)
            return {
                "feedback": {
                    "rowId": f"{run >> 16:08x}-{run & 0xFFFF:04x}-7000-8000-0000{UNIQUE}",
                    "workspaceId": _uuid(given.pop("workspaceId")),
                    "sourceId": _uuid(given.pop("sourceId")),
                    "receivedAt": given["occurredAt"],
                    **given,
                }
            }
        case "W5":
            return {**asked, "viewer": _uuid(known.viewer), "workspace": _uuid(known.small)}
    return asked


def adapt(workload: str, data: Any) -> Any:
    """Its answer in the shape of ours. Lists that it cannot sort as we do are sorted here, outside the timing."""
    match workload:
        case "W1":
            found = data["feedbackByRowId"]
            return {"node": found and _named("feedback", found)}
        case "W4":
            stored = _named("feedback", data["createFeedback"]["feedback"])
            return {"submitFeedback": {"duplicate": False, "feedback": stored}}
        case "W5":
            return _dashboard(data)
    here = data["workspaceBySlug"]
    answer = {"feedback": _connection(here["feedbacksByWorkspaceId"])}
    if "statsList" in here:
        answer["stats"] = {"buckets": _buckets(here["statsList"])}
    return {"workspace": answer}


def _dashboard(data: Any) -> Any:
    user, here = data["userByRowId"], data["workspaceBySlug"]
    members = sorted(
        user.pop("membersByUserId")["nodes"],
        key=lambda member: str(member["workspaceByWorkspaceId"]["createdAt"]),
    )
    workspaces = []
    for member in members:
        workspace = _named("workspace", member["workspaceByWorkspaceId"])
        del workspace["createdAt"]
        workspaces.append({**workspace, "viewerRole": member["role"]})
    sources = sorted(here["sourcesByWorkspaceId"]["nodes"], key=lambda one: str(one["createdAt"]))
    for source in sources:
        del source["createdAt"]
    total = {name: value for name, value in here["statsList"][0].items() if name != "start"}
    return {
        "viewer": {"user": _named("user", user), "workspaces": workspaces},
        "workspace": {
            **_named(
                "workspace", {name: here[name] for name in ("rowId", "name", "slug", "createdAt")}
            ),
            "viewerRole": data["memberByWorkspaceIdAndPrincipalId"]["role"],
            "sources": [_named("source", source) for source in sources],
            "tags": _tags(here["tagsByWorkspaceId"]["nodes"]),
            "stats": {"totals": total, "buckets": _buckets(here["statsList"])},
            "feedback": _connection(here["feedbacksByWorkspaceId"]),
            "jobs": {"nodes": [_named("job", job) for job in here["jobsByWorkspaceId"]["nodes"]]},
        },
    }


def _buckets(rows: Any) -> list[Any]:
    """The days; the first row is the total."""
    return [
        {
            "start": row["start"],
            "counts": {
                name: value for name, value in row.items() if name not in {"start", "averageRating"}
            },
        }
        for row in rows[1:]
    ]


def _connection(found: Any) -> Any:
    if "nodes" in found:
        return {"nodes": [_feedback(node) for node in found["nodes"]]}
    edges = [{"cursor": edge["cursor"], "node": _feedback(edge["node"])} for edge in found["edges"]]
    return {"edges": edges, "pageInfo": found["pageInfo"]}


def _feedback(row: Any) -> Any:
    answer = _named("feedback", row)
    if "sourceBySourceId" in answer:
        answer["source"] = _named("source", answer.pop("sourceBySourceId"))
        links = answer.pop("feedbackTagsByFeedbackId")["nodes"]
        answer["tags"] = _tags([link["tagByTagId"] for link in links])
    if "sentimentLabel" in answer:
        label, score = answer.pop("sentimentLabel"), answer.pop("sentimentScore")
        answer["sentiment"] = None if label is None else {"label": label, "score": score}
        name, email = answer.pop("authorName"), answer.pop("authorEmail")
        answer["author"] = (
            None if name is None and email is None else {"name": name, "email": email}
        )
    return answer


def _tags(rows: Any) -> list[Any]:
    return [_named("tag", row) for row in sorted(rows, key=lambda row: str(row["name"]))]


def _named(kind: str, row: Any) -> Any:
    """The row under our kind of id."""
    rest = {name: value for name, value in row.items() if name != "rowId"}
    return {"id": f"{kind}_{row['rowId'].replace('-', '')}", **rest}


def _uuid(text: str) -> str:
    """The UUID of an id of ours."""
    return text.rpartition("_")[2]
