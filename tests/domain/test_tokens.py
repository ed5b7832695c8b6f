"""Access tokens speak for one session until they expire, and only with our own signature."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from domain import tokens
from domain.errors import UnauthenticatedError
from domain.tokens import AccessTokens, SigningKey
from domain.viewer import Viewer

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
LIFETIME = timedelta(minutes=10)
ISSUER = "https://earful.example"
USER, SESSION = UUID(int=1), UUID(int=2)


def access(*keys: SigningKey, issuer: str = ISSUER) -> AccessTokens:
    return AccessTokens(keys or (SigningKey.new(),), issuer=issuer, lifetime=LIFETIME)


def claims(**changed: Any) -> dict[str, Any]:
    """What a token of ours says."""
    return {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": f"user_{USER.hex}",
        "sid": f"session_{SESSION.hex}",
        "iat": int(NOW.timestamp()),
        "nbf": int(NOW.timestamp()),
        "exp": int((NOW + LIFETIME).timestamp()),
    } | changed


def forged(key: SigningKey, given: dict[str, Any], **header: Any) -> str:
    return jwt.encode(given, key.private, algorithm="EdDSA", headers={"kid": key.kid} | header)


def test_a_token_is_read_as_it_was_issued() -> None:
    ours = access()
    issued = ours.issue(USER, SESSION, NOW)

    assert issued.expires_at == NOW + LIFETIME
    assert ours.read(issued.text, NOW) == Viewer(USER, SESSION, NOW + LIFETIME)
    assert ours.read(issued.text, NOW + LIFETIME - timedelta(seconds=1)).user_id == USER


def test_a_token_names_its_key_and_says_no_more_than_it_must() -> None:
    key = SigningKey.new()
    issued = access(key).issue(USER, SESSION, NOW)

    header, payload, _ = issued.text.split(".")
    read = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload)]
    assert read == [{"alg": "EdDSA", "kid": key.kid, "typ": "JWT"}, claims()]


def test_a_token_ends_at_its_expiry() -> None:
    ours = access()
    text = ours.issue(USER, SESSION, NOW).text
    ours.read(text, NOW)

    with pytest.raises(UnauthenticatedError, match="has expired"):
        ours.read(text, NOW + LIFETIME)


def test_a_token_of_a_clock_that_is_ahead_is_refused() -> None:
    ours = access()
    text = ours.issue(USER, SESSION, NOW + timedelta(minutes=1)).text

    with pytest.raises(UnauthenticatedError, match="is not valid"):
        ours.read(text, NOW)


def test_a_token_of_an_older_key_is_good_while_the_key_is_in_use() -> None:
    old, new = SigningKey.new(), SigningKey.new()
    text = access(old).issue(USER, SESSION, NOW).text

    assert access(new, old).read(text, NOW).session_id == SESSION
    with pytest.raises(UnauthenticatedError):
        access(new).read(text, NOW)


def test_the_newest_key_signs() -> None:
    new = SigningKey.new()
    text = access(new, SigningKey.new()).issue(USER, SESSION, NOW).text

    assert jwt.get_unverified_header(text)["kid"] == new.kid


@pytest.mark.parametrize("changed", range(3), ids=["header", "claims", "signature"])
def test_a_token_that_was_changed_is_refused(changed: int) -> None:
    ours = access()
    parts = ours.issue(USER, SESSION, NOW).text.split(".")
    parts[changed] = (
        parts[changed][:10] + ("A" if parts[changed][10] != "A" else "B") + (parts[changed][11:])
    )

    with pytest.raises(UnauthenticatedError, match="is not valid"):
        ours.read(".".join(parts), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://other.example"},
        {"aud": "https://other.example"},
        {"sub": "user_1"},
        {"sub": f"session_{USER.hex}"},
        {"sub": 1},
        {"sid": f"user_{SESSION.hex}"},
        {"sid": None},
        {"exp": None},
    ],
    ids=str,
)
def test_claims_that_are_not_ours_are_refused(changed: dict[str, Any]) -> None:
    key = SigningKey.new()

    with pytest.raises(UnauthenticatedError, match="is not valid"):
        access(key).read(forged(key, claims(**changed)), NOW)


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "sid", "iat", "nbf", "exp"])
def test_a_claim_that_is_missing_is_refused(missing: str) -> None:
    key = SigningKey.new()
    given = {name: value for name, value in claims().items() if name != missing}

    with pytest.raises(UnauthenticatedError, match="is not valid"):
        access(key).read(forged(key, given), NOW)


def test_no_other_algorithm_is_taken() -> None:
    key = SigningKey.new()
    unsigned = jwt.encode(claims(), "", algorithm="none", headers={"kid": key.kid})
    shared = jwt.encode(
        claims(), key.private_bytes().hex(), algorithm="HS256", headers={"kid": key.kid}
    )

    for text in (unsigned, shared):
        with pytest.raises(UnauthenticatedError, match="is not valid"):
            access(key).read(text, NOW)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "..", "ä.ö.ü", "\x00", "x" * 100_000])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(UnauthenticatedError, match="is not valid"):
        access().read(text, NOW)


def test_a_key_is_loaded_as_it_was_made() -> None:
    key = SigningKey.new()

    assert SigningKey.load(key.private_bytes()).kid == key.kid


def test_the_public_keys_are_told_and_verify() -> None:
    new, old = SigningKey.new(), SigningKey.new()
    ours = access(new, old)

    keys = jwt.PyJWKSet.from_dict(ours.jwks())

    text = ours.issue(USER, SESSION, NOW).text
    read = jwt.decode(
        text,
        keys[new.kid].key,
        algorithms=["EdDSA"],
        audience=ISSUER,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert read == claims()
    assert [key["kid"] for key in ours.jwks()["keys"]] == [new.kid, old.kid]
    assert all("d" not in key for key in ours.jwks()["keys"])


def test_refresh_tokens_are_random_and_stored_as_a_hash() -> None:
    one, other = tokens.new_refresh_token(), tokens.new_refresh_token()

    assert one != other
    assert one.startswith("earful_rt_")
    assert len(one) == len("earful_rt_") + 43
    assert len(tokens.hash_token(one)) == 32
    assert tokens.hash_token(one) == tokens.hash_token(str(one))
    assert tokens.hash_token(one) != tokens.hash_token(other)
    assert len(tokens.hash_token("\ud800")) == 32
