"""Standard Webhooks signatures of what Earful sends: HMAC-SHA256 (`v1`) or ed25519 (`v1a`), several at once."""

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SHARED = "whsec_"
_PRIVATE = "whsk_"
_PUBLIC = "whpk_"
_FRESH_BYTES = 32
_SHARED_BYTES = range(24, 65)
_SEED_BYTES = 32
_PAIR_BYTES = 64


class BadSecretError(Exception):
    """This is no secret that can sign; the message never holds it."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An ed25519 key pair: `secret` (whsk_) stays here, `public` (whpk_) is for the receiver."""

    secret: str
    public: str


def new_secret() -> str:
    """A fresh shared secret: `whsec_` and 32 random bytes in base64."""
    return _SHARED + _encoded(randomness.token_bytes(_FRESH_BYTES))


def new_keypair() -> KeyPair:
    """A fresh ed25519 pair."""
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes_raw() + private.public_key().public_bytes_raw()
    secret = _PRIVATE + _encoded(raw)
    return KeyPair(secret=secret, public=public_key(secret))


def public_key(secret: str) -> str:
    """The `whpk_` of a `whsk_`; BadSecretError for anything else."""
    return _PUBLIC + _encoded(_private(secret).public_key().public_bytes_raw())


def signature(secrets: Sequence[str], *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one signature per secret, in their order, with a space between.

    While a secret is replaced, the old and the new one sign together. `timestamp` is in seconds since 1970.
    BadSecretError for a secret of another make; ValueError without any, or for an id that holds a full stop,
    which would let one message be read as another.
    """
    if not secrets:
        raise ValueError("a delivery is signed with at least one secret")
    if not webhook_id or "." in webhook_id:
        raise ValueError("a webhook id is not empty and holds no full stop")
    message = b".".join((webhook_id.encode(), str(timestamp).encode(), body))
    return " ".join(_signed(secret, message) for secret in secrets)


def _signed(secret: str, message: bytes) -> str:
    if secret.startswith(_PRIVATE):
        return "v1a," + _encoded(_private(secret).sign(message))
    key = _decoded(secret, _SHARED)
    if len(key) not in _SHARED_BYTES:
        raise BadSecretError("a whsec_ secret is 24 to 64 bytes in base64")
    return "v1," + _encoded(hmac.new(key, message, hashlib.sha256).digest())


def _private(secret: str) -> Ed25519PrivateKey:
    """The key of a 32 byte seed, or of a seed followed by its public key."""
    raw = _decoded(secret, _PRIVATE)
    if len(raw) not in (_SEED_BYTES, _PAIR_BYTES):
        raise BadSecretError("a whsk_ secret is 32 or 64 bytes in base64")
    private = Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
    if raw[_SEED_BYTES:] not in (b"", private.public_key().public_bytes_raw()):
        raise BadSecretError("the halves of the whsk_ secret do not belong together")
    return private


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decoded(secret: str, prefix: str) -> bytes:
    if not secret.startswith(prefix):
        raise BadSecretError(f"expected a secret that starts with {prefix}")
    try:
        return base64.b64decode(secret.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecretError(f"expected base64 after {prefix}") from None
