"""Secrets at rest: sealed with keys derived from SECRET_KEY, never stored as they are."""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class SealBrokenError(Exception):
    """What was sealed cannot be opened: SECRET_KEY is another one than when it was sealed."""


class Seals:
    """Seals and opens small secrets, and signs what clients hand back to us."""

    def __init__(self, secret_key: str) -> None:
        def derive(purpose: bytes) -> bytes:
            return HKDF(SHA256(), 32, None, purpose).derive(secret_key.encode())

        self._cipher = AESGCM(derive(b"earful: secrets at rest"))
        self._tag_key = derive(b"earful: cursors")

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """Encrypt; `purpose` must be the same when it is opened."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt; SealBrokenError when the key, the purpose or the bytes are not those of the sealing."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode())
        except InvalidTag:
            raise SealBrokenError(
                f"The sealed {purpose} cannot be opened: SECRET_KEY is not the one it was sealed with."
            ) from None

    def mac(self, data: bytes, purpose: str) -> bytes:
        """Thirty-two bytes that only we can compute for this data and purpose."""
        return hashlib.blake2b(
            data, key=self._tag_key, digest_size=32, person=purpose.encode()[:16]
        ).digest()

    def tag(self, data: bytes) -> bytes:
        """Eight bytes that only we can compute for this data."""
        return hashlib.blake2b(data, key=self._tag_key, digest_size=8).digest()
