"""Server-side request forgery: nothing that an outsider can say has us dial what is not his."""

from ipaddress import ip_network

import pytest

from clients.outgoing import AddressRefusedError, BadUrlError, Outgoing
from tests.clients.endpoints import LOOPBACK, OK, Names, endpoint, post

# Stands for the public Internet: the one network of this machine that may be dialled, so that a test sees both.
PUBLIC = (ip_network("127.0.0.1/32"),)
PUBLIC_HOST = "127.0.0.1"
INTERNAL_HOST = "127.0.0.2"


async def test_a_name_that_changes_its_address_after_the_check_gains_nothing() -> None:
    names = Names([PUBLIC_HOST], [INTERNAL_HOST])
    async with (
        endpoint(OK, address=PUBLIC_HOST) as attacker,
        endpoint(OK, address=INTERNAL_HOST, port=attacker.port) as internal,
        Outgoing(PUBLIC, resolver=names) as outgoing,
    ):
        url = f"http://rebind.example:{attacker.port}/"
        answer = await outgoing.post(url, body=b"first", headers={}, timeout=20)
        with pytest.raises(AddressRefusedError):
            await outgoing.post(url, body=b"second", headers={}, timeout=20)

    assert answer.address == PUBLIC_HOST
    assert names.asked == ["rebind.example"] * 2
    assert [request.rpartition(b"\r\n")[2] for request in attacker.requests] == [b"first"]
    assert internal.requests == []


@pytest.mark.parametrize(
    "addresses",
    [
        [INTERNAL_HOST],
        [PUBLIC_HOST, INTERNAL_HOST],
        [INTERNAL_HOST, PUBLIC_HOST],
        [*[PUBLIC_HOST] * 20, INTERNAL_HOST],
        [f"::ffff:{INTERNAL_HOST}"],
        [f"64:ff9b::{INTERNAL_HOST}"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%lo"],
    ],
)
async def test_one_forbidden_address_among_many_is_enough(addresses: list[str]) -> None:
    async with (
        endpoint(OK, address=PUBLIC_HOST) as attacker,
        endpoint(OK, address=INTERNAL_HOST, port=attacker.port) as internal,
    ):
        with pytest.raises(AddressRefusedError):
            await post(
                f"http://partner.example:{attacker.port}/",
                outgoing=Outgoing(PUBLIC, resolver=Names(addresses)),
            )

    assert (attacker.requests, internal.requests) == ([], [])


async def test_the_same_attack_reaches_what_the_operator_opened() -> None:
    async with endpoint(OK, address=INTERNAL_HOST) as internal:
        answer = await post(
            f"http://partner.example:{internal.port}/",
            outgoing=Outgoing(LOOPBACK, resolver=Names([INTERNAL_HOST])),
        )

    assert (answer.address, len(internal.requests)) == (INTERNAL_HOST, 1)


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0"]
)
async def test_no_spelling_of_an_address_gets_past(host: str) -> None:
    async with endpoint(OK) as internal:
        with pytest.raises(BadUrlError):
            await post(f"https://{host}:{internal.port}/", outgoing=Outgoing())

    assert internal.requests == []


async def test_the_systems_own_names_are_checked_as_any_other() -> None:
    async with endpoint(OK) as internal:
        with pytest.raises(AddressRefusedError) as refused:
            await post(
                f"http://localhost:{internal.port}/",
                outgoing=Outgoing((ip_network("10.0.0.0/8"),)),
            )

    assert (refused.value.kind, internal.requests) == ("loopback", [])
