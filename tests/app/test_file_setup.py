"""What a server's start does to the bucket: pages of its own address may send to it."""

import httpx

from app.settings import Settings
from app.setup import prepare

OURS = ["http://127.0.0.1:8000", "http://localhost:8000", "https://app.example.com"]
THEIRS = "https://evil.example.com"


def allowed(settings: Settings, origin: str) -> str | None:
    """The origin that the bucket's answer lets in, where a page of this one asks whether it may send."""
    answer = httpx.options(
        f"{settings.s3_endpoint_url}/{settings.s3_bucket}/files/any",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type,if-none-match,x-amz-checksum-sha256",
        },
    )
    found: str | None = answer.headers.get("access-control-allow-origin")
    return found


def test_pages_of_the_server_may_send_and_others_may_not(settings: Settings) -> None:
    prepare(settings.model_copy(update={"cors_origins": ("https://app.example.com",)}))

    assert [allowed(settings, origin) for origin in [*OURS, THEIRS]] == [*OURS, None]
