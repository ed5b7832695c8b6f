"""The bucket: made ready without harm to what is there, and honest about being away."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

import aioboto3
import httpx
import pytest

from app.buckets import objects
from app.settings import Settings
from persistence.objects import Objects, ObjectsUnavailableError

OURS = ["https://earful.example.com"]


@pytest.fixture
def apart(settings: Settings) -> Settings:
    """Settings with a bucket that no other test looks at."""
    return settings.model_copy(update={"s3_bucket": f"apart-{secrets.token_hex(4)}"})


@pytest.fixture
async def bucket(apart: Settings) -> AsyncIterator[Objects]:
    async with objects(apart) as opened:
        await opened.create_bucket()
        yield opened


@pytest.fixture
async def s3(apart: Settings) -> AsyncIterator[Any]:
    """S3 as an operator reaches it."""
    assert apart.s3_secret_access_key is not None
    session: Any = aioboto3.Session(
        aws_access_key_id=apart.s3_access_key_id,
        aws_secret_access_key=apart.s3_secret_access_key.get_secret_value(),
        region_name=apart.s3_region,
    )
    async with session.client("s3", endpoint_url=apart.s3_endpoint_url) as client:
        yield client


async def preflight(settings: Settings, origin: str, method: str = "PUT") -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.options(
            f"{settings.s3_endpoint_url}/{settings.s3_bucket}/files/any",
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "content-type,if-none-match,x-amz-checksum-sha256",
            },
        )


async def test_the_bucket_is_made_once(bucket: Objects) -> None:
    await bucket.create_bucket()

    await bucket.ping()


async def test_pages_of_allowed_origins_may_send(bucket: Objects, apart: Settings) -> None:
    await bucket.allow_origins(OURS)

    allowed = await preflight(apart, OURS[0])
    others = await preflight(apart, "https://evil.example.com")
    deleting = await preflight(apart, OURS[0], "DELETE")

    assert allowed.headers["access-control-allow-origin"] == OURS[0]
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    assert "access-control-allow-origin" not in others.headers
    assert "access-control-allow-methods" not in deleting.headers


async def test_rules_of_others_stay(bucket: Objects, apart: Settings, s3: Any) -> None:
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://theirs.example.com"]}
    await s3.put_bucket_cors(Bucket=apart.s3_bucket, CORSConfiguration={"CORSRules": [rule]})

    await bucket.allow_origins(["https://old.example.com"])
    await bucket.allow_origins(OURS)

    rules = (await s3.get_bucket_cors(Bucket=apart.s3_bucket))["CORSRules"]
    assert [each["AllowedOrigins"] for each in rules] == [["https://theirs.example.com"], OURS]


async def test_clients_are_sent_to_the_public_address(apart: Settings) -> None:
    public = apart.model_copy(update={"s3_public_url": "https://s3.example.com/"})
    async with objects(public) as opened:
        signer = await opened.signer()

        url = signer.get("files/a", content_type="text/csv", disposition="inline", seconds=60)

    assert url.startswith(f"https://s3.example.com/{apart.s3_bucket}/files/a?")
    assert "X-Amz-Expires=60&" in url


async def test_many_objects_are_deleted_and_missing_ones_are_no_error(bucket: Objects) -> None:
    await bucket.put("a", b"1", "text/plain")

    await bucket.delete(["a", "b"])
    await bucket.delete([])

    assert await bucket.find("a") is None


async def test_objects_are_listed_after_a_key(bucket: Objects) -> None:
    for key in ("x/1", "x/2", "y/1"):
        await bucket.put(key, b"1", "text/plain")

    first = [each.key for each in await bucket.listed("x/", after="")]
    rest = [each.key for each in await bucket.listed("x/", after="x/1")]

    assert (first, rest) == (["x/1", "x/2"], ["x/2"])


async def test_a_missing_object_cannot_be_read(bucket: Objects) -> None:
    with pytest.raises(ObjectsUnavailableError):
        [chunk async for chunk in bucket.chunks("nothing")]


async def test_giving_an_upload_in_parts_up_twice_is_no_error(bucket: Objects) -> None:
    upload = await bucket.begin_parts("a", "text/csv")

    await bucket.drop_parts("a", upload)
    await bucket.drop_parts("a", upload)

    assert await bucket.begun("a") == []


async def test_an_endpoint_that_is_away_is_said(settings: Settings) -> None:
    away = settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:1"})
    async with objects(away) as opened:
        with pytest.raises(ObjectsUnavailableError, match=r"^S3 cannot be used: "):
            await opened.ping()


async def test_wrong_credentials_are_said(settings: Settings) -> None:
    wrong = settings.model_copy(update={"s3_access_key_id": "somebody"})
    async with objects(wrong) as opened:
        with pytest.raises(ObjectsUnavailableError, match="403"):
            await opened.ping()


async def test_a_bucket_is_used_within_its_block_only(settings: Settings) -> None:
    closed = objects(settings)

    with pytest.raises(RuntimeError, match="within its block"):
        await closed.ping()
