"""What makes an ID token believable (OpenID Connect Core 3.1.3.7)."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt

ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""What may have signed one, and the kind of key that it takes. Nothing symmetric: the secret is no signature."""

_LEEWAY = timedelta(seconds=60)
_LONGEST_SUBJECT = 255


class BadTokenError(Exception):
    """The token is not to be believed; the message says why, for the operator."""


class UnknownKeyError(BadTokenError):
    """None of the provider's keys that we know has signed it."""


def verify(
    token: str,
    keys: Sequence[Mapping[str, Any]],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
) -> Mapping[str, Any]:
    """The claims of a token that one of these keys (JSON Web Keys) has signed for us; BadTokenError otherwise."""
    try:
        header = jwt.get_unverified_header(token)
        claims: Mapping[str, Any] = jwt.decode(
            token,
            _key(header, keys),
            algorithms=[str(header["alg"])],
            audience=client_id,
            issuer=issuer,
            options={
                "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
                "enforce_minimum_key_length": True,
                # Times are compared with the clock that we were given, below.
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadTokenError(f"the ID token is not valid: {error}") from error
    _check_times(claims, now)
    _check_party(claims, client_id)
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise BadTokenError("the ID token has another nonce: it was made for another sign-in")
    subject = claims["sub"]
    if not (
        isinstance(subject, str)
        and 0 < len(subject) <= _LONGEST_SUBJECT
        and subject.isascii()
        and subject.isprintable()
    ):
        raise BadTokenError("the ID token's subject is not 1 to 255 ASCII characters")
    return claims


def _key(header: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> jwt.PyJWK:
    """The one key that may have signed what has this header."""
    algorithm, kid = str(header.get("alg")), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise BadTokenError(f"the ID token is signed by {algorithm}, which we do not take")
    kind, curve = ALGORITHMS[algorithm]
    fitting = [
        key
        for key in keys
        if key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if not fitting:
        raise UnknownKeyError(f"the provider has published no key {kid} for {algorithm}")
    if len(fitting) > 1:
        raise BadTokenError("the ID token does not say which of the provider's keys signed it")
    return jwt.PyJWK(dict(fitting[0]), algorithm)


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    at = {name: claims.get(name, 0) for name in ("exp", "iat", "nbf")}
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in at.values()):
        raise BadTokenError("the ID token's times are no numbers")
    if at["exp"] <= (now - _LEEWAY).timestamp():
        raise BadTokenError("the ID token has expired")
    if max(at["iat"], at["nbf"]) > (now + _LEEWAY).timestamp():
        raise BadTokenError("the ID token is of the future")


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    """A token for several audiences says who asked for it, and that is us."""
    audience, party = claims["aud"], claims.get("azp")
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise BadTokenError("the ID token is for several, and does not say for whom it was made")
    if party is not None and party != client_id:
        raise BadTokenError("the ID token was made for another client")
