"""Whether the bucket is there, and browsers can use what is signed for them."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp
from botocore.exceptions import ClientError, NoCredentialsError

from app.buckets import objects, origins
from app.doctor.finding import Finding, Patient, clock
from persistence.objects import Objects, ObjectsUnavailableError

PART = "s3"
_BODY = b"Earful was here."
_TYPE = "text/plain"
_SECONDS = 60
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_FILES = "Files, imports, exports and avatars cannot be sent or fetched; all else works."


async def look(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    if settings.s3_endpoint_url is None:
        yield Finding(
            PART,
            "broken",
            "S3_ENDPOINT_URL is not set",
            _FILES,
            "Set S3_ENDPOINT_URL and its keys, or start `make run`.",
        )
        return
    try:
        async with objects(settings) as bucket:
            await bucket.ping()
            yield Finding(PART, "ok", f"the bucket {settings.s3_bucket} answers")
            async for finding in _as_a_browser(patient, bucket):
                yield finding
    except ObjectsUnavailableError as error:
        yield Finding(PART, "broken", str(error), _FILES, _cure(error))


def _cure(error: ObjectsUnavailableError) -> str:
    cause = error.__cause__
    if isinstance(cause, NoCredentialsError):
        return "Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, by files in SECRETS_DIR if you like."
    status = 0
    if isinstance(cause, ClientError):
        status = cause.response["ResponseMetadata"]["HTTPStatusCode"]
    return {
        403: "Correct S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or let that key read and write the bucket; a clock"
        " that is minutes wrong looks the same.",
        404: "Run `earful migrate`, which makes it, or create it and correct S3_BUCKET.",
        301: "Correct S3_REGION: the bucket is in another.",
        400: "Correct S3_REGION and the keys.",
    }.get(status, "Start it, correct S3_ENDPOINT_URL, or let the firewall pass.")


async def _as_a_browser(patient: Patient, bucket: Objects) -> AsyncIterator[Finding]:
    """Send and fetch an object by signed URLs, at the address that clients are given."""
    settings = patient.settings
    key = f"doctor/{uuid.uuid4().hex}"
    signer = await bucket.signer()
    put = signer.put(key, size=len(_BODY), content_type=_TYPE, sha256=None, seconds=_SECONDS)
    variable = "S3_ENDPOINT_URL" if settings.s3_public_url is None else "S3_PUBLIC_URL"
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
            async with http.put(put.url, data=_BODY, headers=put.headers) as sent:
                refused = "" if sent.ok else await sent.text()
                date = sent.headers.get("date")
            if date is not None:
                yield clock(PART, parsedate_to_datetime(date).astimezone(UTC) - patient.clock())
            if refused:
                yield _unsigned(f"a signed PUT is answered with {sent.status}: {refused[:200]}")
                return
            get = signer.get(key, content_type=_TYPE, disposition="inline", seconds=_SECONDS)
            async with http.get(get) as fetched:
                same = fetched.ok and await fetched.read() == _BODY
            if not same:
                yield _unsigned(f"a signed GET is answered with {fetched.status}")
            else:
                yield Finding(PART, "ok", "signed URLs send and fetch")
            for origin in origins(settings):
                yield await _cors(http, put.url, origin)
    except (aiohttp.ClientError, TimeoutError) as error:
        yield Finding(
            PART,
            "warning",
            f"{variable} cannot be reached from here: {str(error) or 'no answer'}",
            "It is where browsers are sent with their files.",
            f"If browsers do reach it, all is well; else correct {variable}.",
        )
    finally:
        await bucket.delete([key])


def _unsigned(text: str) -> Finding:
    return Finding(
        PART,
        "broken",
        text,
        _FILES,
        "Let the proxy before S3 pass Host, path and query as they are, and let S3_PUBLIC_URL be what browsers see.",
    )


async def _cors(http: aiohttp.ClientSession, url: str, origin: str) -> Finding:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type,if-none-match,x-amz-checksum-sha256",
    }
    async with http.options(url, headers=asked) as answer:
        allowed = answer.headers.get("access-control-allow-origin")
    if allowed in (origin, "*"):
        return Finding(PART, "ok", f"the bucket lets pages of {origin} in")
    return Finding(
        PART,
        "broken",
        f"the bucket's CORS rules do not let pages of {origin} in",
        "Browsers refuse to send files to it.",
        "Run `earful migrate`, which sets them; or allow GET, HEAD and PUT with the headers content-type,"
        f" if-none-match and x-amz-checksum-sha256 from {origin}.",
    )
