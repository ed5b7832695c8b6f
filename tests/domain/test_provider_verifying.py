"""Who may deliver: each provider's scheme, and every bit of what is signed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.provider import PROVIDERS, BadSignatureError, Request
from tests.provider_samples import SAMPLES, SECRET, Sample, bearer, stripe

NOW = datetime(2026, 6, 15, 12, 0, 30, tzinfo=UTC)
OTHER = "another-secret-altogether"
OTHERS = {"STANDARD": "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk"}
SIGNING = {name: sample for name, sample in SAMPLES.items() if sample.sign is not bearer}


def verify(
    sample: Sample,
    headers: dict[str, str],
    *secrets: str,
    body: bytes | None = None,
    now: datetime = NOW,
) -> str:
    request = Request(headers, sample.body if body is None else body, now)
    return PROVIDERS[sample.provider].verify(request, secrets or [sample.secret], sample.settings)


def signed(sample: Sample, *, secret: str | None = None, at: datetime = NOW) -> dict[str, str]:
    return sample.sign(secret or sample.secret, sample.body, at)


def flipped(text: bytes, position: int, bit: int) -> bytes:
    changed = bytearray(text)
    changed[position % len(changed)] ^= 1 << bit
    return bytes(changed)


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_signed_is_accepted(name: str) -> None:
    assert verify(SAMPLES[name], signed(SAMPLES[name]))


@pytest.mark.parametrize("name", SAMPLES)
def test_each_of_several_secrets_is_good(name: str) -> None:
    sample = SAMPLES[name]
    other = OTHERS.get(name, OTHER)

    first = verify(sample, signed(sample), sample.secret, other)
    second = verify(sample, signed(sample), other, sample.secret)

    assert first == second


@pytest.mark.parametrize("name", SAMPLES)
def test_another_secret_is_refused(name: str) -> None:
    sample = SAMPLES[name]

    with pytest.raises(BadSignatureError, match="does not match"):
        verify(sample, signed(sample, secret=OTHERS.get(name, OTHER)))


@pytest.mark.parametrize("name", SAMPLES)
def test_no_secret_is_no_good_one(name: str) -> None:
    sample = SAMPLES[name]

    with pytest.raises(BadSignatureError, match="does not match"):
        PROVIDERS[sample.provider].verify(
            Request(signed(sample), sample.body, NOW), [], sample.settings
        )


@pytest.mark.parametrize(
    ("name", "header"), [(name, header) for name in SAMPLES for header in signed(SAMPLES[name])]
)
def test_a_missing_header_is_refused(name: str, header: str) -> None:
    headers = signed(SAMPLES[name])
    del headers[header]

    with pytest.raises(BadSignatureError, match="required"):
        verify(SAMPLES[name], headers)


@pytest.mark.parametrize("name", SIGNING)
@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_each_flipped_bit_of_the_body_is_refused(name: str, position: int, bit: int) -> None:
    sample = SAMPLES[name]

    with pytest.raises(BadSignatureError):
        verify(sample, signed(sample), body=flipped(sample.body, position, bit))


@pytest.mark.parametrize(
    ("name", "header"), [(name, header) for name in SIGNING for header in signed(SIGNING[name])]
)
@given(position=st.integers(0, 1_000), bit=st.integers(0, 7))
def test_each_flipped_bit_of_what_is_in_the_headers_is_refused(
    name: str, header: str, position: int, bit: int
) -> None:
    sample = SAMPLES[name]
    headers = signed(sample)
    value = headers[header].encode()

    with pytest.raises(BadSignatureError):
        verify(sample, headers | {header: flipped(value, position, bit).decode("latin-1")})


@given(position=st.integers(0, 1_000), bit=st.integers(0, 7))
def test_each_flipped_bit_of_a_token_is_refused(position: int, bit: int) -> None:
    token = flipped(SECRET.encode(), position, bit).decode("latin-1")

    with pytest.raises(BadSignatureError):
        verify(SAMPLES["GENERIC with a token"], {"authorization": f"Bearer {token}"})


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if sample.has_time])
@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_time_more_than_five_minutes_away_is_refused(name: str, seconds: int) -> None:
    sample = SAMPLES[name]
    headers = signed(sample, at=NOW + timedelta(seconds=seconds))

    with pytest.raises(BadSignatureError, match="more than five minutes away"):
        verify(sample, headers)


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if sample.has_time])
@pytest.mark.parametrize("seconds", [-299, 299])
def test_a_time_within_five_minutes_is_accepted(name: str, seconds: int) -> None:
    sample = SAMPLES[name]

    assert verify(sample, signed(sample, at=NOW + timedelta(seconds=seconds)))


def test_one_of_several_signatures_of_stripe_is_enough() -> None:
    sample = SAMPLES["STRIPE"]
    good = stripe(SECRET, sample.body, NOW)["stripe-signature"]
    stamp, _, signature = good.partition(",")

    assert verify(sample, {"stripe-signature": f"{stamp},v1={'0' * 64},{signature},v0=abc"})


def test_an_older_scheme_of_stripe_is_not_looked_at() -> None:
    sample = SAMPLES["STRIPE"]
    good = stripe(SECRET, sample.body, NOW)["stripe-signature"]

    with pytest.raises(BadSignatureError, match="does not match"):
        verify(sample, {"stripe-signature": good.replace("v1=", "v0=")})


def test_two_times_of_stripe_are_refused() -> None:
    sample = SAMPLES["STRIPE"]
    good = stripe(SECRET, sample.body, NOW)["stripe-signature"]

    with pytest.raises(BadSignatureError, match="one time"):
        verify(sample, {"stripe-signature": f"t=1,{good}"})


def test_what_is_not_signed_has_no_part_in_a_deliverys_id() -> None:
    sample = SAMPLES["STRIPE"]
    headers = signed(sample)
    padded = {"stripe-signature": headers["stripe-signature"] + ",v1=" + "0" * 64}

    assert verify(sample, headers) == verify(sample, padded)
    assert verify(SAMPLES["GITHUB"], signed(SAMPLES["GITHUB"])) == verify(
        SAMPLES["GITHUB"], signed(SAMPLES["GITHUB"]) | {"x-github-delivery": "another"}
    )
