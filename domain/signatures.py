"""Standard Webhooks signatures: HMAC-SHA256 over `id.timestamp.body`, several of them, within five minutes."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"
_LONGEST_ID = 256


class BadSignatureError(Exception):
    """The delivery was not signed with a secret of the source, or too long ago. The message says which, no more."""


def verify(
    secrets: Sequence[str],
    *,
    webhook_id: str | None,
    timestamp: str | None,
    signature: str | None,
    body: bytes,
    now: datetime,
) -> str:
    """The delivery's id; BadSignatureError unless one `v1` signature is that of a secret and the time is near."""
    if not webhook_id or not timestamp or not signature:
        raise BadSignatureError("webhook-id, webhook-timestamp and webhook-signature are required")
    if len(webhook_id) > _LONGEST_ID or not webhook_id.isprintable():
        raise BadSignatureError("webhook-id is not usable")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004
        raise BadSignatureError("webhook-timestamp must be seconds since 1970")
    expected = [_sign(secret, webhook_id, timestamp, body) for secret in secrets]
    good = False
    for candidate in signature.split():
        version, _, value = candidate.partition(",")
        for right in expected:
            if version == "v1" and hmac.compare_digest(_decoded(value), right):
                good = True
    if not good:
        raise BadSignatureError("webhook-signature does not match")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignatureError("webhook-timestamp is more than five minutes away")
    return webhook_id


def _sign(secret: str, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    message = b".".join((webhook_id.encode(), timestamp.encode(), body))
    return hmac.new(key, message, hashlib.sha256).digest()


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""
