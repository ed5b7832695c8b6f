"""Who a client behind proxies is, whatever it claims to be."""

from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.resources import Api
from app.settings import Settings
from graph.proxies import Proxies
from tests.factories import PASSWORD, Factory

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:f::/48"))
LOGIN = """
    mutation($email: String!, $password: String!) {
      login(input: {email: $email, password: $password}) { __typename }
    }
"""


def resolved(
    peer: str | None, *headers: tuple[str, str], kind: str = "http"
) -> tuple[str | None, str]:
    scope: dict[str, Any] = {
        "type": kind,
        "client": None if peer is None else (peer, 1234),
        "scheme": "http",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    Proxies(TRUSTED).resolve(scope)
    return scope["client"] and scope["client"][0], scope["scheme"]


XFF = "x-forwarded-for"


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        # Whoever is no trusted proxy speaks for itself.
        ("203.0.113.9", [(XFF, "198.51.100.7")], "203.0.113.9"),
        ("203.0.113.9", [("forwarded", "for=198.51.100.7")], "203.0.113.9"),
        (None, [(XFF, "198.51.100.7")], None),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [(XFF, " ")], "10.0.0.1"),
        # What stands left of the first stranger is his own claim.
        ("10.0.0.1", [(XFF, "198.51.100.7")], "198.51.100.7"),
        ("10.0.0.1", [(XFF, "127.0.0.1, 198.51.100.7")], "198.51.100.7"),
        ("10.0.0.1", [(XFF, "127.0.0.1, 198.51.100.7, 10.2.3.4")], "198.51.100.7"),
        ("10.0.0.1", [(XFF, "10.9.9.9, 198.51.100.7")], "198.51.100.7"),
        ("10.0.0.1", [(XFF, "10.9.9.9, 10.0.0.2")], "10.9.9.9"),
        ("10.0.0.1", [(XFF, "127.0.0.1"), (XFF, "198.51.100.7")], "198.51.100.7"),
        ("10.0.0.1", [(XFF, "1.1.1.1," * 1000 + "198.51.100.7")], "198.51.100.7"),
        # However it is written.
        ("::ffff:10.0.0.1", [(XFF, "::ffff:198.51.100.7")], "198.51.100.7"),
        ("10.0.0.1", [(XFF, "198.51.100.7:4711")], "198.51.100.7"),
        ("2001:db8:f::1", [(XFF, "2001:DB8:0::1")], "2001:db8::1"),
        ("2001:db8:f::1%eth0", [(XFF, "[2001:db8::1]:4711")], "2001:db8::1"),
        # What a trusted proxy does not know nobody knows.
        ("10.0.0.1", [(XFF, "198.51.100.7, unknown")], "unknown"),
        ("10.0.0.1", [(XFF, "198.51.100.7,")], "unknown"),
        ("10.0.0.1", [(XFF, "198.51.100.7\x00")], "unknown"),
        # RFC 7239.
        ("10.0.0.1", [("forwarded", "for=198.51.100.7;proto=https;by=10.0.0.1")], "198.51.100.7"),
        (
            "10.0.0.1",
            [("forwarded", "for=127.0.0.1, For=198.51.100.7, for=10.1.1.1")],
            "198.51.100.7",
        ),
        (
            "10.0.0.1",
            [("forwarded", 'by=x;for="[2001:db8::1]:4711" ; host="a,b;c"')],
            "2001:db8::1",
        ),
        ("10.0.0.1", [("forwarded", r'for="198.51\.100.7"')], "198.51.100.7"),
        ("10.0.0.1", [("forwarded", "for=198.51.100.7, for=_hidden")], "unknown"),
        ("10.0.0.1", [("forwarded", "for=198.51.100.7, proto=https")], "unknown"),
        ("10.0.0.1", [("forwarded", 'for=198.51.100.7, for="10.0.0.1')], "unknown"),
        # A proxy that writes one of them passes on what a client writes into the other.
        ("10.0.0.1", [(XFF, "198.51.100.7"), ("forwarded", "for=198.51.100.7")], "198.51.100.7"),
        ("10.0.0.1", [(XFF, "127.0.0.1"), ("forwarded", "for=198.51.100.7")], "unknown"),
        ("10.0.0.1", [(XFF, "198.51.100.7"), ("forwarded", "for=127.0.0.1")], "unknown"),
    ],
)
def test_the_client_is_whom_trusted_proxies_name(
    peer: str | None, headers: list[tuple[str, str]], client: str | None
) -> None:
    assert resolved(peer, *headers)[0] == client


@pytest.mark.parametrize(
    ("peer", "headers", "scheme"),
    [
        ("10.0.0.1", [("x-forwarded-proto", "https")], "https"),
        ("10.0.0.1", [("x-forwarded-proto", "http, HTTPS")], "https"),
        ("10.0.0.1", [("x-forwarded-proto", "https, http")], "http"),
        ("10.0.0.1", [("x-forwarded-proto", "javascript")], "http"),
        ("10.0.0.1", [("forwarded", "for=198.51.100.7;proto=https")], "https"),
        (
            "10.0.0.1",
            [("forwarded", "for=1.1.1.1;proto=https, for=198.51.100.7;proto=http")],
            "http",
        ),
        ("203.0.113.9", [("x-forwarded-proto", "https")], "http"),
    ],
)
def test_the_scheme_is_what_trusted_proxies_say(
    peer: str, headers: list[tuple[str, str]], scheme: str
) -> None:
    assert resolved(peer, *headers)[1] == scheme


def test_a_socket_has_the_scheme_of_sockets() -> None:
    assert resolved("10.0.0.1", ("x-forwarded-proto", "https"), kind="websocket")[1] == "wss"


def test_nobody_is_trusted_unless_it_is_said() -> None:
    assert Settings().trusted_proxies == ()


@pytest.mark.parametrize(("peer", "ip"), [("10.0.0.1", "198.51.100.7"), ("127.0.0.1", "127.0.0.1")])
async def test_sessions_bear_the_address_of_the_client(
    settings: Settings, api: Api, factory: Factory, peer: str, ip: str
) -> None:
    person = await factory.person()
    application = create_app(settings.model_copy(update={"trusted_proxies": TRUSTED}))
    application.open(api)
    transport = httpx.ASGITransport(application, client=(peer, 1))

    async with httpx.AsyncClient(transport=transport, base_url="http://earful.test") as http:
        answer = await http.post(
            "/graphql",
            json={"query": LOGIN, "variables": {"email": person.email, "password": PASSWORD}},
            headers={XFF: "127.0.0.2, 198.51.100.7", "x-forwarded-proto": "https"},
        )

    assert answer.json()["data"]["login"]["__typename"] == "LoginSuccess"
    assert await factory.rows(
        "SELECT ip FROM session WHERE user_id = :user AND id != :first",
        user=person.id,
        first=person.session_id,
    ) == [(ip,)]
