"""Personal data is found in the forms that people write it in, and nothing else is."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.masking import Kind, find, mask, mask_json

EMAILS = (
    "ada@example.com",
    "Ada.Lovelace+shop@mail.example.co.uk",
    "jörg@müller.de",
    "o'neill@example.org",
    "ada%40example.com",
    "x_1@xn--mller-kva.example",
)
PHONES = (
    "+49 (0)30 123 456-78",
    "+4915112345678",
    "+1 (555) 234-5678",
    "+1-212-555-0123",
    "+33 6 12 34 56 78",
    "+44 20 7946 0958",
    "+91 98765 43210",
    "+86 138 0013 8000",
    "+55 11 91234-5678",
    "+81.3.1234.5678",
    "0049 30 1234567",
    "(555) 234-5678",
    "555-234-5678",
    "555.234.5678",
    "1-800-234-5678",
    "06 12 34 56 78",
    "06.12.34.56.78",
    "030 12345678",
    "0171/1234567",
    "(020) 7946 0958",
    "07911 123456",
)
CARDS = (
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111.1111.1111.1111",
    "4111111111111111",
    "5555 5555 5555 4444",
    "2223003122003222",
    "3782 822463 10005",
    "378282246310005",
    "6011000990139424",
    "3056 930902 5904",
    "3530111333300000",
    "6205 5000 0000 0000 004",
)
IBANS = (
    "DE89 3704 0044 0532 0130 00",
    "de89370400440532013000",
    "GB82 WEST 1234 5698 7654 32",
    "FR14 2004 1010 0505 0001 3M02 606",
    "NL91ABNA0417164300",
    "CH93 0076 2011 6238 5295 7",
    "NO93 8601 1117 947",
    "ES91-2100-0418-4502-0005-1332",
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
)
SECRETS = (
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_" + "11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "xoxb-" + "123456789012-abcdefghijkl",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "sk-proj-" + "abcdefghijklmnopqrstuvwx",
    "earful_Ab3dEf9h_" + "0123456789abcdefghijABCDEFGHIJ01",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
)
EACH = [
    (kind, text)
    for kind, texts in (
        (Kind.EMAIL, EMAILS),
        (Kind.PHONE, PHONES),
        (Kind.CARD, CARDS),
        (Kind.IBAN, IBANS),
        (Kind.SECRET, SECRETS),
    )
    for text in texts
]
HARMLESS = (
    "Order #12345678901, ticket 0612345678, invoice 0001234567.",
    "Orders 100-2345678-1234567 and 028-1234567-1234567, ORD-2023-001234.",
    "It was 1.299,00 EUR, now $1,234,567.89 or 1 000 000 000; 12.345.678 sold.",
    "Since 2023-01-15 10:30, 15.01.2023 10:30, 01-02-2023 10:30 and 01/02/2023.",
    "call on 2023-01-15 10 and again 20230115103000",
    "From 192.168.100.200 and 255.255.255.255:8080, 2001:db8::ff00:42:8329.",
    "Version 10.15.7, v2.0.1-4567, Python 3.11.4, 0.12345678, 3.14159265358979.",
    "ISBN 978-3-16-148410-0, EAN 4006381333931, IMEI 356938035643809, 1234567890",
    "1234 5678 9012 3456 is no card, 4111 1111 1111 1112 neither.",
    "DE89 3704 0044 0532 0130 01 is no account, GB12 a flight, DE12 3456 a plate.",
    "@ada is nice, a @ b, user@localhost, 10/10 @ home",
    "The token is invalid, my password is wrong. sk_live_short, eyJabc.",
    "123e4567-e89b-12d3-a456-426614174000 and 1Z999AA10123456784",
    "I called 3 times. Phone: great! 5 stars, 4.8/5 from 12,345 reviews, +1000.",
)
LONG = (
    "a@" * 25_000,
    "a.b@" * 12_500,
    "1" * 50_000,
    "1 " * 25_000,
    "01 " * 16_000,
    "4111 " * 10_000,
    "DE89 " * 10_000,
    "(0" * 25_000,
    "+1 " * 16_000,
    "tel: : : : : : : : : : " * 2_000,
    "eyJaaaaaaaa." * 4_000,
    "password " * 5_500,
    "-----BEGIN PRIVATE KEY-----" * 1_800,
)


@pytest.mark.parametrize(("kind", "text"), EACH)
def test_what_is_personal_is_masked_within_a_text(kind: Kind, text: str) -> None:
    written = f"Hello ({text}), thanks"

    assert mask(written, {kind}) == f"Hello ({kind.placeholder}), thanks"
    assert mask(written, set(Kind)) == f"Hello ({kind.placeholder}), thanks"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_looks_like_it_is_left_alone(text: str) -> None:
    assert mask(text, set(Kind)) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Call me at 5552345678 now", "Call me at [phone] now"),
        ("Tel.: 030123456", "Tel.: [phone]"),
        ("my phone number is 491701234567.", "my phone number is [phone]."),
        ("password: hunter2222!", "password: [secret]"),
        ('{"api_key": "abcd1234efgh"}', '{"api_key": "[secret]"}'),
        ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [secret]"),
        ("mailto:a@b.io?subject=x", "mailto:[email]?subject=x"),
        ("1234 4111 1111 1111 1111 exp 12/25", "1234 [card] exp 12/25"),
    ],
)
def test_what_is_told_by_the_words_around_it(text: str, masked: str) -> None:
    assert mask(text, set(Kind)) == masked


def test_only_the_kinds_that_are_asked_for_are_masked() -> None:
    text = "ada@example.com, +49 30 1234567"

    assert mask(text, {Kind.PHONE}) == "ada@example.com, [phone]"
    assert mask(text, ()) == text


def test_json_is_masked_by_its_texts_names_and_numbers() -> None:
    told: Any = {
        "ada@example.com": [1, 2.5, None, True, "DE89 3704 0044 0532 0130 00"],
        "bob@example.com": {"card": 4111111111111111},
        "plan": "pro",
    }

    assert mask_json(told, set(Kind)) == {
        "[email]": [1, 2.5, None, True, "[iban]"],
        "[email] 2": {"card": "[card]"},
        "plan": "pro",
    }


def test_of_json_a_whole_address_may_be_kept() -> None:
    told = {"author": "ada@example.com", "body": "I am ada@example.com."}

    masked = mask_json(told, set(Kind), kept_whole={Kind.EMAIL})

    assert masked == {"author": "ada@example.com", "body": "I am [email]."}


_pieces = st.one_of(
    st.sampled_from([text for _, text in EACH]),
    st.sampled_from(
        ["tel ", "phone: ", "token=", "Bearer ", "[email]", "@", "+", "(", "0", "4111"]
    ),
    st.text(max_size=8),
    st.text(alphabet="0123456789 .-/()+@a", max_size=24),
)


@example(["+49 (0)30 123 456-78", "DE89 3704 0044 0532 0130 00"], set(Kind))
@given(st.lists(_pieces, max_size=8), st.sets(st.sampled_from(Kind)))
def test_no_masked_text_contains_what_is_found(pieces: list[str], kinds: set[Kind]) -> None:
    masked = mask("".join(pieces), kinds)

    assert [found for kind in kinds for found in find(masked, kind)] == []
    assert mask(masked, kinds) == masked


@given(st.text(alphabet=st.characters(blacklist_categories=["Nd", "Nl", "No"])))
def test_what_has_neither_digits_nor_an_address_comes_out_unchanged(text: str) -> None:
    plain = re.sub("@|\N{FULLWIDTH COMMERCIAL AT}|eyJ|-----|[_-]", "", text)

    assert mask(plain, set(Kind)) == plain


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
def test_no_text_takes_longer_than_its_length(text: str) -> None:
    """One that grew with the square of it would not come back within the time that a test has."""
    assert find(mask(text, set(Kind)), Kind.EMAIL) == []
