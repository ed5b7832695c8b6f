"""Sources of every provider over GraphQL: made, changed, keyed anew, taken away."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.app.deliveries import event, post, sign
from tests.factories import WEBHOOK_SECRET, Factory
from tests.graph.source_queries import change, look
from tests.provider_samples import SAMPLES

GENERIC = {"mapping": {"body": "text"}}
FORM = {"origins": ["https://www.example.com"]}
EARLIER = "UPDATE source_secret SET expires_at = expires_at - interval '24 hours'"


@pytest.mark.parametrize("provider", ["STANDARD", "GITHUB", "TYPEFORM", "GENERIC"])
async def test_a_secret_is_made_for_who_takes_ours(
    provider: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    more: dict[str, Any] = {"generic": GENERIC} if provider == "GENERIC" else {}

    made = await change(
        tenant.owner,
        http,
        "createSource",
        workspaceId=tenant.gid,
        name="S",
        provider=provider,
        **more,
    )

    assert made["signingSecret"].startswith("whsec_")


@pytest.mark.parametrize("provider", ["STRIPE", "SLACK", "INTERCOM", "ZENDESK"])
async def test_the_secret_of_who_makes_it_is_given_later(
    provider: str, factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant, sample = await factory.tenant(), SAMPLES[provider]
    made = await change(
        tenant.owner, http, "createSource", workspaceId=tenant.gid, name="S", provider=provider
    )
    source = made["source"]["id"]

    missing = await change(tenant.owner, http, "rotateSourceSecret", sourceId=source)
    given = await change(
        tenant.owner, http, "rotateSourceSecret", sourceId=source, secret=sample.secret
    )
    headers = sample.sign(sample.secret, sample.body, datetime.now(UTC))
    delivered = await post(http, source, sample.body, headers)

    assert made["signingSecret"] is None
    assert missing["fields"] == [
        {"path": ["secret"], "message": f"is required: {provider} makes it"}
    ]
    assert given["signingSecret"] == sample.secret
    assert delivered.status_code == 202


async def test_a_given_secret_is_sealed(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    secret = "a secret of theirs".replace(" ", "-")

    await change(
        tenant.owner,
        http,
        "createSource",
        workspaceId=tenant.gid,
        name="S",
        provider="STRIPE",
        secret=secret,
    )

    ((sealed,),) = await factory.rows("SELECT sealed_secret FROM source WHERE name = 'S'")
    assert secret.encode() not in sealed


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"provider": "GENERIC"}, ["generic"]),
        ({"generic": GENERIC}, ["generic"]),
        ({"form": FORM}, ["form"]),
        ({"kind": "FORM", "provider": "SLACK"}, ["provider"]),
        ({"kind": "API", "secret": WEBHOOK_SECRET}, ["secret"]),
        ({"secret": "whsec_short"}, ["secret"]),
        ({"secret": "no-standard-secret"}, ["secret"]),
        ({"provider": "GITHUB", "secret": "with spaces in it"}, ["secret"]),
        ({"deliveriesPerMinute": 0}, ["deliveriesPerMinute"]),
        ({"kind": "FORM", "form": {"origins": []}}, ["form", "origins"]),
        (
            {"kind": "FORM", "form": {"origins": ["https://example.com/path"]}},
            ["form", "origins", "0"],
        ),
        ({"kind": "FORM", "form": {"origins": ["example.com"]}}, ["form", "origins", "0"]),
        ({"kind": "FORM", "form": FORM | {"leastSeconds": 61}}, ["form", "leastSeconds"]),
        (
            {"provider": "GENERIC", "generic": {"mapping": {"body": "a["}}},
            ["generic", "mapping", "body"],
        ),
        ({"provider": "GENERIC", "generic": GENERIC | {"header": "a b"}}, ["generic", "header"]),
        (
            {"provider": "GENERIC", "generic": GENERIC | {"timestampHeader": ""}},
            ["generic", "timestampHeader"],
        ),
    ],
)
async def test_what_does_not_fit_is_refused(
    input: dict[str, Any], path: list[str], factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answer = await change(
        tenant.owner, http, "createSource", workspaceId=tenant.gid, name="S", **input
    )

    assert [field["path"] for field in answer["fields"]] == [path]
    assert await factory.rows("SELECT count(*) FROM source") == [(2,)]


async def test_a_rotated_secret_is_good_beside_the_one_before_until_that_expires(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    rotated = await change(
        tenant.owner, http, "rotateSourceSecret", sourceId=tenant.source_gid, overlapHours=24
    )
    secrets = [tenant.secret, rotated["signingSecret"]]
    both = [
        await post(http, tenant.source_gid, event(), sign(secret, event(), webhook_id=secret))
        for secret in secrets
    ]
    await factory.change(EARLIER, within=tenant)
    later = [
        await post(http, tenant.source_gid, event(), sign(secret, event(), webhook_id="later"))
        for secret in secrets
    ]

    assert [response.status_code for response in both] == [202, 202]
    assert [response.status_code for response in later] == [401, 202]


async def test_without_overlap_the_secrets_before_are_void_at_once(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    rotating = {"sourceId": tenant.source_gid}
    first = await change(tenant.owner, http, "rotateSourceSecret", **rotating)

    second = await change(tenant.owner, http, "rotateSourceSecret", **rotating, overlapHours=0)

    statuses = [
        (await post(http, tenant.source_gid, event(), sign(secret, event()))).status_code
        for secret in (tenant.secret, first["signingSecret"], second["signingSecret"])
    ]
    assert statuses == [401, 401, 202]


async def test_no_more_than_five_secrets_are_good_at_once(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answers = [
        await change(tenant.owner, http, "rotateSourceSecret", sourceId=tenant.source_gid)
        for _ in range(5)
    ]

    assert [answer["__typename"] for answer in answers] == ["RotateSourceSecretSuccess"] * 4 + [
        "Conflict"
    ]


async def test_a_form_has_a_key_for_everybody_that_can_be_changed(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    made = await change(
        tenant.owner,
        http,
        "createSource",
        workspaceId=tenant.gid,
        name="F",
        kind="FORM",
        form=FORM,
    )

    rotated = await change(tenant.owner, http, "rotateSourceSecret", sourceId=made["source"]["id"])

    before, after = made["source"], rotated["source"]
    assert made["signingSecret"] is rotated["signingSecret"] is None
    assert before["formScriptUrl"] == f"http://127.0.0.1:8000/forms/{before['publishableKey']}.js"
    assert before["settings"] == {
        "origins": ["https://www.example.com"],
        "leastSeconds": 2,
        "perAddressPerHour": 20,
    }
    assert before["publishableKey"] != after["publishableKey"]


async def test_only_what_is_named_is_changed(factory: Factory, http: httpx.AsyncClient) -> None:
    tenant = await factory.tenant()
    made = await change(
        tenant.owner,
        http,
        "createSource",
        workspaceId=tenant.gid,
        name="S",
        provider="GENERIC",
        generic=GENERIC,
        deliveriesPerMinute=5,
    )
    source = made["source"]["id"]

    renamed = await change(tenant.owner, http, "updateSource", sourceId=source, name="Shop")
    mended = await change(
        tenant.owner,
        http,
        "updateSource",
        sourceId=source,
        generic={"mapping": {"body": "message"}},
        deliveriesPerMinute=None,
    )

    assert (renamed["source"]["name"], renamed["source"]["deliveriesPerMinute"]) == ("Shop", 5)
    assert renamed["source"]["settings"]["mapping"] == {"body": "text"}
    assert (mended["source"]["name"], mended["source"]["deliveriesPerMinute"]) == ("Shop", None)
    assert mended["source"]["settings"]["mapping"] == {"body": "message"}


async def test_a_source_that_brought_nothing_is_gone_at_once(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()

    answer = await change(tenant.owner, http, "deleteSource", sourceId=tenant.source_gid)

    assert (answer["sourceId"], answer["job"]) == (tenant.source_gid, None)
    assert await factory.rows("SELECT name FROM source") == [("API",)]


async def test_a_source_that_is_deleted_with_its_feedback_takes_nothing_more(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant("acme")
    await factory.feedback(tenant)

    answer = await change(tenant.owner, http, "deleteSource", sourceId=tenant.source_gid)
    delivered = await post(http, tenant.source_gid, event(), sign(tenant.secret, event()))
    again = await change(tenant.owner, http, "deleteSource", sourceId=tenant.source_gid)
    listed = await tenant.owner.on(http).ask(
        '{ workspace(slug: "acme") { sources { name } feedback { nodes { source { name } } } } }'
    )

    assert answer["job"]["kind"] == "delete_source"
    assert delivered.status_code == 404
    assert again["__typename"] == "NotFound"
    assert listed["workspace"]["sources"] == [{"name": "API"}]
    assert listed["workspace"]["feedback"]["nodes"] == [{"source": {"name": "Hook"}}]


async def test_health_tells_of_what_comes_in_and_of_what_is_refused(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    await post(http, tenant.source_gid, event(), sign(tenant.secret, event()))
    await post(http, tenant.source_gid, b"{}", sign(tenant.secret, b"{}", webhook_id="msg_2"))
    for _ in range(3):
        await post(http, tenant.source_gid, event(), sign(WEBHOOK_SECRET, event()))
    selection = (
        "lastReceivedAt health { lastReceivedAt perHour usualPauseSeconds goneQuiet quietSince"
        " quarantined refusedLastDay lastRefusal }"
    )

    async with asyncio.timeout(20):
        found = await look(tenant.owner, http, tenant.source_gid, selection)
        while found["health"]["refusedLastDay"] < 3:
            await asyncio.sleep(0.05)
            found = await look(tenant.owner, http, tenant.source_gid, selection)

    assert found["health"] == {
        "lastReceivedAt": found["lastReceivedAt"],
        "perHour": 1 / 24,
        "usualPauseSeconds": None,
        "goneQuiet": False,
        "quietSince": None,
        "quarantined": 1,
        "refusedLastDay": 3,
        "lastRefusal": "Webhook-signature does not match.",
    }


async def test_a_source_that_used_to_send_often_has_gone_quiet(
    factory: Factory, http: httpx.AsyncClient
) -> None:
    tenant = await factory.tenant()
    for _ in range(10):
        await factory.feedback(tenant)
    await factory.change(
        "UPDATE feedback SET received_at = now() - interval '3 days' - n * interval '30 minutes'"
        " FROM (SELECT id AS of, row_number() OVER () AS n FROM feedback) AS numbered WHERE id = of",
        within=tenant,
    )

    found = await look(
        tenant.owner,
        http,
        tenant.source_gid,
        "lastReceivedAt health { perHour usualPauseSeconds goneQuiet quietSince }",
    )

    assert found["health"] == {
        "perHour": 0.0,
        "usualPauseSeconds": 1800,
        "goneQuiet": True,
        "quietSince": found["lastReceivedAt"],
    }
