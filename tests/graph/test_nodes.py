"""`node` and `nodes`: anything by its id, for those whose it is."""

from typing import Any

import httpx
import pytest

from tests.callers import Caller
from tests.factories import Factory, Tenant

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
KINDS = ["user", "session", "workspace", "member", "source", "feedback", "tag", "job"]
UNKNOWN = "0123456789abcdef" * 2
MALFORMED = [
    "",
    "nonsense",
    "feedback_",
    f"feedback_{UNKNOWN}0",
    f"feedback_{UNKNOWN.upper()}",
    f"feedback-{UNKNOWN}",
    f"Feedback_{UNKNOWN}",
    f"folder_{UNKNOWN}",
    f"feedback_{UNKNOWN}\n",
    f"feedback_{UNKNOWN}\x00",
    "1",
]


async def ids_of(factory: Factory, tenant: Tenant) -> dict[str, str]:
    """The id of one thing of every kind, by the kind."""
    feedback = await factory.feedback(tenant)
    ((member,),) = await factory.rows(
        "SELECT id FROM member WHERE workspace_id = :id AND user_id = :user",
        id=tenant.id,
        user=tenant.owner.id,
    )
    return {
        "user": tenant.owner.gid,
        "session": f"session_{tenant.owner.session_id.hex}",
        "workspace": tenant.gid,
        "member": f"member_{member.hex}",
        "source": tenant.source_gid,
        "feedback": feedback,
        "tag": await factory.tag(tenant, "red"),
        "job": await factory.job(tenant),
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_the_owner_finds_it(factory: Factory, http: httpx.AsyncClient, kind: str) -> None:
    tenant = await factory.tenant()
    id_ = (await ids_of(factory, tenant))[kind]
    caller = tenant.owner.on(http)

    one, many = await caller.ask(NODE, id=id_), await caller.ask(NODES, ids=[id_])

    assert one == {"node": {"__typename": kind.title(), "id": id_}}
    assert many == {"nodes": [one["node"]]}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stranger_does_not_find_it(
    factory: Factory, http: httpx.AsyncClient, kind: str
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    id_ = (await ids_of(factory, tenant))[kind]
    caller = stranger.owner.on(http)

    one, many = await caller.ask(NODE, id=id_), await caller.ask(NODES, ids=[id_])

    assert (one, many) == ({"node": None}, {"nodes": [None]})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "job"])
async def test_nobody_is_told_to_sign_in(factory: Factory, nobody: Caller, kind: str) -> None:
    tenant = await factory.tenant()
    id_ = (await ids_of(factory, tenant))[kind]

    (one,) = await nobody.errors(NODE, id=id_)
    (many,) = await nobody.errors(NODES, ids=[id_])

    assert [error["extensions"] for error in (one, many)] == [{"code": "UNAUTHENTICATED"}] * 2
    assert [error["message"] for error in (one, many)] == ["Sign in first."] * 2


async def test_a_job_is_nobodys_that_nobody_asked_for(factory: Factory, nobody: Caller) -> None:
    job = await factory.job(await factory.tenant())

    (many,) = await nobody.errors(NODES, ids=[job])

    assert await nobody.ask(NODE, id=job) == {"node": None}
    assert many["extensions"] == {"code": "UNAUTHENTICATED"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_viewer_finds_all_but_others_sessions(
    factory: Factory, http: httpx.AsyncClient, kind: str
) -> None:
    tenant = await factory.tenant()
    viewer = await factory.member(tenant, "VIEWER")
    id_ = (await ids_of(factory, tenant))[kind]

    answer = await viewer.on(http).ask(NODE, id=id_)

    assert answer == {
        "node": {
            "session": None,
        }.get(kind, {"__typename": kind.title(), "id": id_})
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_what_does_not_exist_is_null(
    factory: Factory, http: httpx.AsyncClient, kind: str
) -> None:
    caller = (await factory.person()).on(http)
    id_ = f"{kind}_{UNKNOWN}"

    one, many = await caller.ask(NODE, id=id_), await caller.ask(NODES, ids=[id_])

    assert (one, many) == ({"node": None}, {"nodes": [None]})


@pytest.mark.parametrize("kind", KINDS)
async def test_an_id_of_another_kind_finds_nothing(
    factory: Factory, http: httpx.AsyncClient, kind: str
) -> None:
    tenant = await factory.tenant()
    ids = await ids_of(factory, tenant)
    hexes = [id_.rpartition("_")[2] for other, id_ in ids.items() if other != kind]

    answer = await tenant.owner.on(http).ask(NODES, ids=[f"{kind}_{hex_}" for hex_ in hexes])

    assert answer == {"nodes": [None] * 7}


@pytest.mark.parametrize("id", MALFORMED)
async def test_what_is_no_id_is_refused_alone_and_null_in_a_list(
    factory: Factory, http: httpx.AsyncClient, id: str
) -> None:
    caller = (await factory.person()).on(http)

    response = (await caller.post(NODE, id=id)).json()
    many = await caller.ask(NODES, ids=[id])

    assert response["data"] == {"node": None}
    assert [error["extensions"] for error in response["errors"]] == [{"code": "INVALID_INPUT"}]
    assert response["errors"][0]["message"] == (
        "`id` must be an id, such as feedback_01932c07c0de7abc8def0123456789ab."
    )
    assert many == {"nodes": [None]}


@pytest.mark.parametrize("id", [1.5, True, None, [["a"]], {"a": 1}])
async def test_what_cannot_be_an_id_is_no_request(
    factory: Factory, http: httpx.AsyncClient, id: Any
) -> None:
    caller = (await factory.person()).on(http)

    (error,) = await caller.errors(NODE, id=id)

    assert error["extensions"] == {"code": "BAD_REQUEST"}


async def test_nodes_answer_in_order_with_nulls_and_repeats(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, stranger = await factory.tenant(), await factory.tenant()
    ids = await ids_of(factory, tenant)
    foreign = await factory.feedback(stranger)
    wanted = [
        ids["tag"],
        foreign,
        ids["feedback"],
        "nonsense",
        ids["tag"],
        f"job_{UNKNOWN}",
        ids["session"],
    ]

    answer = await tenant.owner.on(http).ask(NODES, ids=wanted)

    assert answer["nodes"] == [
        {"__typename": "Tag", "id": ids["tag"]},
        None,
        {"__typename": "Feedback", "id": ids["feedback"]},
        None,
        {"__typename": "Tag", "id": ids["tag"]},
        None,
        {"__typename": "Session", "id": ids["session"]},
    ]


async def test_a_hundred_nodes_are_the_most(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    caller = tenant.owner.on(http)

    most = await caller.ask(NODES, ids=[tenant.gid] * 100)
    none = await caller.ask(NODES, ids=[])
    (error,) = await caller.errors(NODES, ids=[tenant.gid] * 101)

    assert most == {"nodes": [{"__typename": "Workspace", "id": tenant.gid}] * 100}
    assert none == {"nodes": []}
    assert error["extensions"] == {"code": "INVALID_INPUT"}
    assert error["message"] == "`ids` must be at most 100."


async def test_a_node_leads_on_to_what_is_in_it(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    feedback = await factory.feedback(tenant, "It works.")
    await factory.tag(tenant, "red", feedback)

    answer = await tenant.owner.on(http).ask(
        """query($id: ID!) { node(id: $id) { ... on Workspace {
             viewerRole feedback { totalCount nodes { id tags { name } source { id } } }
        } } }""",
        id=tenant.gid,
    )

    assert answer["node"] == {
        "viewerRole": "OWNER",
        "feedback": {
            "totalCount": 1,
            "nodes": [
                {"id": feedback, "tags": [{"name": "red"}], "source": {"id": tenant.source_gid}}
            ],
        },
    }


async def test_a_revoked_session_is_not_found(factory: Factory, http: httpx.AsyncClient) -> None:
    person = await factory.person()
    await factory.change(
        "UPDATE session SET revoked_at = now() WHERE id = :id", id=person.session_id
    )

    answer = await person.on(http).ask(NODE, id=f"session_{person.session_id.hex}")

    assert answer == {"node": None}
