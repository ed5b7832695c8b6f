"""Access tokens (short JWTs, EdDSA) and refresh tokens (opaque, used once)."""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from domain import ids
from domain.errors import UnauthenticatedError
from domain.origin import Origin
from domain.viewer import Viewer

ALGORITHM = "EdDSA"
_REMEMBERED = 4096
_REFRESH_PREFIX = "earful_rt_"
_MAILED_PREFIX = "earful_mt_"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair and the `kid` that names it in a token's header."""

    kid: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()

    def private_bytes(self) -> bytes:
        return self.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())

    @staticmethod
    def new() -> "SigningKey":
        return SigningKey.of(Ed25519PrivateKey.generate())

    @staticmethod
    def load(private: bytes) -> "SigningKey":
        return SigningKey.of(Ed25519PrivateKey.from_private_bytes(private))

    @staticmethod
    def of(private: Ed25519PrivateKey) -> "SigningKey":
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return SigningKey(hashlib.sha256(public).hexdigest()[:16], private)


class AccessTokens:
    """Issues access tokens with the first of the keys and reads those of any of them."""

    def __init__(self, keys: Sequence[SigningKey], *, issuer: str, lifetime: timedelta) -> None:
        self._signing = keys[0]
        self._keys = {key.kid: key.public for key in keys}
        self._issuer = issuer
        self._lifetime = lifetime
        # A signature check costs 100 us; a token that was good stays good until it expires.
        self._known: OrderedDict[str, Viewer] = OrderedDict()

    def use(self, keys: Sequence[SigningKey]) -> None:
        """Go on with these keys; tokens of keys that are not among them are refused from now on."""
        public = {key.kid: key.public for key in keys}
        if not self._keys.keys() <= public.keys():
            self._known.clear()
        self._signing, self._keys = keys[0], public

    def issue(self, user: UUID, session: UUID, now: datetime) -> IssuedToken:
        expires_at = (now + self._lifetime).replace(microsecond=0)
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": ids.write(ids.Kind.USER, user),
            "sid": ids.write(ids.Kind.SESSION, session),
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        text = jwt.encode(
            claims, self._signing.private, algorithm=ALGORITHM, headers={"kid": self._signing.kid}
        )
        return IssuedToken(text, expires_at)

    def read(self, token: str, now: datetime, origin: Origin | None = None) -> Viewer:
        """Whom the token speaks for, from there; UnauthenticatedError when it is expired, forged or not ours."""
        viewer = self._known.get(token)
        if viewer is None:
            viewer = self._verify(token, now)
            self._known[token] = viewer
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        if viewer.origin != origin:
            # Nearly always they come from where they came from last.
            viewer = self._known[token] = replace(viewer, origin=origin)
        if viewer.expires_at <= now:
            self._known.pop(token, None)
            raise UnauthenticatedError("The access token has expired.")
        return viewer

    def _verify(self, token: str, now: datetime) -> Viewer:
        refused = UnauthenticatedError("The access token is not valid.")
        try:
            key = self._keys.get(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                raise refused
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._issuer,
                issuer=self._issuer,
                options={
                    "require": ["exp", "nbf", "iat", "sub", "sid"],
                    # Times are compared with the clock that we were given, below.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError):
            raise refused from None
        user = ids.read(ids.Kind.USER, str(claims["sub"]))
        session = ids.read(ids.Kind.SESSION, str(claims["sid"]))
        if user is None or session is None or claims["nbf"] > now.timestamp() + 5:
            raise refused
        return Viewer(user, session, datetime.fromtimestamp(claims["exp"], UTC))

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
        algorithm = jwt.get_algorithm_by_name(ALGORITHM)
        return {
            "keys": [
                algorithm.to_jwk(key, as_dict=True) | {"kid": kid, "use": "sig", "alg": ALGORITHM}
                for kid, key in self._keys.items()
            ]
        }


def new_refresh_token() -> str:
    """256 random bits, with a prefix that secret scanners can know."""
    return _REFRESH_PREFIX + secrets.token_urlsafe(32)


def new_mailed_token() -> str:
    """The same, for a link in a mail."""
    return _MAILED_PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is stored. A fast hash is enough for what is random."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
