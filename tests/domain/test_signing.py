"""What Earful signs: the published examples, the published library, and keys of every make."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from domain import signatures
from domain.signing import BadSecretError, new_keypair, new_secret, public_key, signature

ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIME = 1614265330
BODY = b'{"test": 2432232314}'
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
# Of Svix, which wrote the specification: its server is tested with them, on the same message.
KEY = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
KEY_SIGNED = (
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
)


def signed(*secrets: str) -> str:
    return signature(secrets, webhook_id=ID, timestamp=TIME, body=BODY)


def is_good(public: str, value: str, message: bytes) -> bool:
    """What a receiver does with `v1a`."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    try:
        key.verify(base64.b64decode(value.removeprefix("v1a,")), message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize(("secret", "expected"), [(SECRET, SIGNED), (KEY, KEY_SIGNED)])
def test_the_published_examples(secret: str, expected: str) -> None:
    assert signed(secret) == expected


def test_the_published_public_key() -> None:
    assert public_key(KEY) == PUBLIC_KEY


def test_several_secrets_sign_in_their_order() -> None:
    assert signed(KEY, SECRET) == f"{KEY_SIGNED} {SIGNED}"


def test_the_library_accepts_what_an_old_and_a_new_secret_sign() -> None:
    old, new, body = new_secret(), new_secret(), '{"body": "Grüße 🎉"}'
    now = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signature(
            [new, old], webhook_id="msg_1", timestamp=now, body=body.encode()
        ),
    }

    assert [Webhook(secret).verify(body, headers) for secret in (old, new)] == [
        json.loads(body),
        json.loads(body),
    ]


def test_our_own_hooks_accept_what_we_sign() -> None:
    secret = new_secret()

    accepted = signatures.verify(
        [secret],
        webhook_id=ID,
        timestamp=str(TIME),
        signature=signed(secret),
        body=BODY,
        now=datetime.fromtimestamp(TIME, UTC),
    )

    assert accepted == ID


def test_a_public_key_verifies_what_its_secret_signed_and_nothing_else() -> None:
    pair, other = new_keypair(), new_keypair()
    value = signed(pair.secret)
    message = f"{ID}.{TIME}.".encode() + BODY

    assert is_good(pair.public, value, message)
    assert not is_good(pair.public, value, message + b" ")
    assert not is_good(other.public, value, message)


def test_a_fresh_secret_is_32_bytes_and_new() -> None:
    first, second = new_secret(), new_secret()

    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32
    assert first != second


def test_a_fresh_pair_belongs_together_and_is_new() -> None:
    first, second = new_keypair(), new_keypair()

    assert first.secret.startswith("whsk_")
    assert first.public == public_key(first.secret)
    assert len(base64.b64decode(first.public.removeprefix("whpk_"))) == 32
    assert first.secret != second.secret


def test_a_secret_key_may_be_its_seed_alone() -> None:
    raw = base64.b64decode(KEY.removeprefix("whsk_"))
    seed = "whsk_" + base64.b64encode(raw[:32]).decode()

    assert signed(seed) == KEY_SIGNED
    assert public_key(seed) == PUBLIC_KEY


@pytest.mark.parametrize("size", [24, 64])
def test_shared_secrets_of_24_to_64_bytes_sign(size: int) -> None:
    secret = "whsec_" + base64.b64encode(b"s" * size).decode()

    assert signed(secret) == Webhook(secret).sign(
        ID, datetime.fromtimestamp(TIME, UTC), BODY.decode()
    )


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("whsec_" + base64.b64encode(b"s" * 23).decode(), "24 to 64 bytes"),
        ("whsec_" + base64.b64encode(b"s" * 65).decode(), "24 to 64 bytes"),
        ("whsk_" + base64.b64encode(b"s" * 31).decode(), "32 or 64 bytes"),
        ("whsk_" + base64.b64encode(b"s" * 64).decode(), "do not belong together"),
        ("whsec_%%%", "expected base64 after whsec_"),
        ("whsec_Grüße", "expected base64 after whsec_"),
        ("whpk_" + base64.b64encode(b"s" * 32).decode(), "starts with whsec_"),
        (SECRET.removeprefix("whsec_"), "starts with whsec_"),
        ("", "starts with whsec_"),
    ],
)
def test_a_secret_of_another_make_does_not_sign(secret: str, expected: str) -> None:
    with pytest.raises(BadSecretError, match=expected):
        signed(secret)


def test_a_shared_secret_has_no_public_key() -> None:
    with pytest.raises(BadSecretError, match="starts with whsk_"):
        public_key(SECRET)


def test_nothing_goes_out_unsigned() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        signature([], webhook_id=ID, timestamp=TIME, body=BODY)


@pytest.mark.parametrize("webhook_id", ["", "msg.1"])
def test_an_id_cannot_run_into_the_timestamp(webhook_id: str) -> None:
    with pytest.raises(ValueError, match="holds no full stop"):
        signature([SECRET], webhook_id=webhook_id, timestamp=TIME, body=BODY)
