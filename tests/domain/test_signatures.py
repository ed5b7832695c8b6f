"""Standard Webhooks signatures, checked against the published library and by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from domain.signatures import BadSignatureError, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# The example of the Standard Webhooks specification.
EXAMPLE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
EXAMPLE_TIME = 1614265330
EXAMPLE_BODY = b'{"test": 2432232314}'
EXAMPLE_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def check(
    *,
    secret: str = SECRET,
    webhook_id: str | None = EXAMPLE_ID,
    timestamp: str | None = str(EXAMPLE_TIME),
    signature: str | None = EXAMPLE_SIGNATURE,
    body: bytes = EXAMPLE_BODY,
    now: datetime | None = None,
) -> str:
    return verify(
        [secret],
        webhook_id=webhook_id,
        timestamp=timestamp,
        signature=signature,
        body=body,
        now=now or datetime.fromtimestamp(EXAMPLE_TIME, UTC),
    )


def test_the_example_of_the_specification_is_good() -> None:
    assert check() == EXAMPLE_ID


def test_what_the_library_signs_is_good() -> None:
    body = '{"body": "Grüße 🎉"}'
    signature = Webhook(SECRET).sign("msg_1", NOW, body)

    answer = check(
        webhook_id="msg_1",
        timestamp=str(int(NOW.timestamp())),
        signature=signature,
        body=body.encode(),
        now=NOW,
    )

    assert answer == "msg_1"


def test_a_secret_works_without_its_prefix() -> None:
    assert check(secret=SECRET.removeprefix("whsec_")) == EXAMPLE_ID


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_are_near(seconds: int) -> None:
    now = datetime.fromtimestamp(EXAMPLE_TIME, UTC) + timedelta(seconds=seconds)

    assert check(now=now) == EXAMPLE_ID


@pytest.mark.parametrize("seconds", [-300.001, 300.001, -86_400, 86_400])
def test_more_than_five_minutes_are_not(seconds: float) -> None:
    now = datetime.fromtimestamp(EXAMPLE_TIME, UTC) + timedelta(seconds=seconds)

    with pytest.raises(BadSignatureError, match="more than five minutes away"):
        check(now=now)


@pytest.mark.parametrize(
    "signature",
    [
        f"v1,AAAA {EXAMPLE_SIGNATURE}",
        f"{EXAMPLE_SIGNATURE} v1,AAAA",
        f"v2,x  {EXAMPLE_SIGNATURE} v1a,y",
    ],
)
def test_one_good_signature_of_several_is_enough(signature: str) -> None:
    assert check(signature=signature) == EXAMPLE_ID


@pytest.mark.parametrize(
    "signature",
    [
        "v1",
        "v1,",
        ",",
        EXAMPLE_SIGNATURE.removeprefix("v1,"),
        EXAMPLE_SIGNATURE.replace("v1", "v2"),
        EXAMPLE_SIGNATURE.replace("v1", "V1"),
        EXAMPLE_SIGNATURE[:-2],
        EXAMPLE_SIGNATURE.replace("g0", "g1"),
        EXAMPLE_SIGNATURE.replace(",", ", "),
        "v1,\u2603",
    ],
)
def test_a_wrong_signature_is_refused(signature: str) -> None:
    with pytest.raises(BadSignatureError, match="does not match"):
        check(signature=signature)


def test_what_was_signed_cannot_be_changed() -> None:
    for changed in (
        {"webhook_id": "msg_other"},
        {"timestamp": str(EXAMPLE_TIME + 1)},
        {"body": EXAMPLE_BODY + b" "},
        {"secret": "whsec_" + "A" * 32},
    ):
        with pytest.raises(BadSignatureError, match="does not match"):
            check(**changed)


@pytest.mark.parametrize("header", ["webhook_id", "timestamp", "signature"])
@pytest.mark.parametrize("value", [None, ""])
def test_every_header_is_required(header: str, value: str | None) -> None:
    with pytest.raises(BadSignatureError, match="are required"):
        check(**{header: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("timestamp", ["now", "-1", "+1", "1.5", "1e9", "٣", " 1", "1" * 13])
def test_a_timestamp_is_whole_seconds(timestamp: str) -> None:
    with pytest.raises(BadSignatureError, match="must be seconds since 1970"):
        check(timestamp=timestamp)


@pytest.mark.parametrize("webhook_id", ["m" * 257, "a\nb", "a\x00b"])
def test_an_id_is_short_and_printable(webhook_id: str) -> None:
    with pytest.raises(BadSignatureError, match="is not usable"):
        check(webhook_id=webhook_id)
