"""Requests to URLs of others, against real servers on this machine: what is sent, and what is made of the answer."""

import asyncio
import gzip
import ssl
from ipaddress import ip_network
from pathlib import Path

import pytest

from clients.outgoing import (
    AddressRefusedError,
    Answer,
    BadUrlError,
    Outgoing,
    OutgoingFailedError,
)
from tests.clients.conftest import Authority, issued
from tests.clients.endpoints import (
    LOOPBACK,
    OK,
    Names,
    NoNames,
    SilentNames,
    endpoint,
    post,
)


async def test_a_request_arrives_as_it_was_meant() -> None:
    names = Names(["127.0.0.1"])
    async with endpoint(OK) as partner:
        answer = await post(
            f"http://Partner.Example:{partner.port}/hook?a=b",
            outgoing=Outgoing(LOOPBACK, resolver=names),
            body=b'{"type": "feedback.created"}',
            headers={"webhook-id": "msg_1", "Content-Type": "application/json"},
        )

    assert answer == Answer(
        status=200, headers={}, body=b"ok", elapsed=answer.elapsed, address="127.0.0.1"
    )
    (request,) = partner.requests
    assert request.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert request.endswith(b'\r\n\r\n{"type": "feedback.created"}')
    assert partner.headers() == {
        "host": f"partner.example:{partner.port}",
        "user-agent": "Earful",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
        "webhook-id": "msg_1",
        "content-type": "application/json",
        "content-length": "28",
    }
    assert names.asked == ["partner.example"]


async def test_an_address_needs_no_name_server() -> None:
    names = Names()
    async with endpoint(OK) as partner:
        answer = await post(
            f"http://127.0.0.1:{partner.port}/", outgoing=Outgoing(LOOPBACK, resolver=names)
        )

    assert answer.status == 200
    assert names.asked == []


async def test_the_system_resolves_names() -> None:
    everything_here = (*LOOPBACK, ip_network("::1/128"))
    async with endpoint(OK) as partner:
        answer = await post(f"http://localhost:{partner.port}/", outgoing=Outgoing(everything_here))

    assert answer.address == "127.0.0.1"
    assert partner.headers()["host"] == f"localhost:{partner.port}"


async def test_an_address_that_does_not_answer_is_followed_by_the_next() -> None:
    async with endpoint(OK) as partner:
        answer = await post(
            f"http://partner.example:{partner.port}/",
            outgoing=Outgoing(LOOPBACK, resolver=Names(["127.0.0.2", "127.0.0.1"])),
        )

    assert answer.address == "127.0.0.1"


@pytest.mark.parametrize("status", [200, 204, 400, 410, 429, 500, 503])
async def test_every_status_is_an_answer(status: int) -> None:
    async with endpoint(
        b"HTTP/1.1 %d X\r\nRetry-After: 7\r\nX-Other: y\r\n\r\n" % status
    ) as partner:
        answer = await post(f"http://127.0.0.1:{partner.port}/")

    assert (answer.status, answer.headers) == (status, {"retry-after": "7"})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    async with endpoint(OK) as other:
        location = f"http://127.0.0.1:{other.port}/"
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        async with endpoint(head.encode()) as partner:
            answer = await post(f"http://127.0.0.1:{partner.port}/")

    assert (answer.status, answer.headers) == (status, {"location": location})
    assert other.requests == []


async def test_no_cookie_is_kept() -> None:
    async with (
        endpoint(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n") as partner,
        Outgoing(LOOPBACK) as outgoing,
    ):
        for _ in range(2):
            await outgoing.post(
                f"http://127.0.0.1:{partner.port}/", body=b"", headers={}, timeout=20
            )

    assert ["cookie" in partner.headers(request) for request in (0, 1)] == [False, False]


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with endpoint(OK) as proxy, endpoint(OK) as partner:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await post(f"http://127.0.0.1:{partner.port}/")

    assert (len(partner.requests), proxy.requests) == (1, [])


async def test_a_long_body_is_read_to_4_kib() -> None:
    body = bytes(range(256)) * 4_096
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with endpoint(head, body) as partner:
        answer = await post(f"http://127.0.0.1:{partner.port}/")

    assert answer.body == body[:4096]


@pytest.mark.parametrize(
    ("head", "chunk"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1_000),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"3e8\r\n%b\r\n" % (b"x" * 1_000),
        ),
    ],
)
async def test_an_endless_body_is_cut_off(head: bytes, chunk: bytes) -> None:
    async with endpoint(head, forever=chunk) as partner:
        answer = await post(f"http://127.0.0.1:{partner.port}/")
        await asyncio.wait_for(partner.hung_up.wait(), 20)

    assert answer.body == b"x" * 4096


async def test_what_is_packed_stays_packed() -> None:
    bomb = gzip.compress(b"\x00" * 1_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with endpoint(head, bomb) as partner:
        answer = await post(f"http://127.0.0.1:{partner.port}/")

    assert answer.body == bomb


async def test_a_body_that_stalls_is_kept_as_far_as_it_came() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    async with endpoint(head, b"so far", holding=True) as partner:
        answer = await post(f"http://127.0.0.1:{partner.port}/", timeout=0.3)

    assert (answer.status, answer.body) == (200, b"so far")


async def test_a_body_that_breaks_is_kept_as_far_as_it_came() -> None:
    head = b"HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\n"
    async with endpoint(head, b"so far") as partner:
        answer = await post(f"http://127.0.0.1:{partner.port}/")

    assert (answer.status, answer.body) == (500, b"so far")


async def test_headers_are_kept_short_and_as_text() -> None:
    head = b"HTTP/1.1 200 OK\r\nServer: \xff\xfe%b\r\nContent-Length: 0\r\n\r\n" % (b"x" * 300)
    async with endpoint(head) as partner:
        answer = await post(f"http://127.0.0.1:{partner.port}/")

    assert answer.headers == {"server": "\ufffd\ufffd" + "x" * 254}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"-ERR unknown command\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: %b\r\n\r\n" % (b"x" * 100_000),
        b"HTTP/1.1 200 OK\r\n%b\r\n\r\n"
        % b"\r\n".join(b"X-%d: x" % number for number in range(10_000)),
        b"HTTP/1.1 200 %b\r\n\r\n" % (b"x" * 100_000),
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    ],
)
async def test_what_is_not_http_is_no_answer(answer: bytes) -> None:
    async with endpoint(answer) as partner:
        with pytest.raises(OutgoingFailedError) as failed:
            await post(f"http://127.0.0.1:{partner.port}/")

    assert failed.value.kind == "protocol"


@pytest.mark.parametrize("forever", [b"", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_host_without_an_answer_is_given_up(forever: bytes) -> None:
    async with endpoint(forever=forever, holding=True) as partner:
        with pytest.raises(OutgoingFailedError) as failed:
            await post(f"http://127.0.0.1:{partner.port}/", timeout=0.3)
        await asyncio.wait_for(partner.hung_up.wait(), 20)

    assert failed.value.kind == "timeout"


async def test_a_host_that_is_away_cannot_be_reached() -> None:
    async with endpoint(OK) as partner:
        pass

    with pytest.raises(OutgoingFailedError, match="Connection refused") as failed:
        await post(f"http://127.0.0.1:{partner.port}/")

    assert failed.value.kind == "connect"
    assert "127" not in str(failed.value)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (NoNames(), "does not resolve"),
        (Names([]), "does not resolve"),
        (SilentNames(), "did not answer in time"),
    ],
)
async def test_a_name_that_does_not_resolve_is_said(names: Names, expected: str) -> None:
    with pytest.raises(OutgoingFailedError, match=expected) as failed:
        await post("https://partner.example/", outgoing=Outgoing(resolver=names), timeout=0.3)

    assert failed.value.kind == "dns"


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "Connection", "Accept-Encoding"]
)
async def test_headers_of_the_connection_are_not_the_callers(name: str) -> None:
    with pytest.raises(ValueError, match=f"not the caller's to set: {name}"):
        await post("https://partner.example/", headers={name: "x"})


@pytest.mark.parametrize(("name", "value"), [("x-a", "b\r\nx-c: d"), ("x-a\r\nx-c", "d")])
async def test_no_header_can_be_smuggled_in_another(name: str, value: str) -> None:
    async with endpoint(OK) as partner:
        with pytest.raises(ValueError, match="header"):
            await post(f"http://127.0.0.1:{partner.port}/", headers={name: value})

    assert partner.requests == []


def trusting(authority: Authority, *answers: list[str]) -> Outgoing:
    tls = ssl.create_default_context(cafile=authority.ca_file)
    return Outgoing(LOOPBACK, resolver=Names(*answers), tls=tls)


async def test_tls_is_checked_against_the_urls_name(tmp_path: Path) -> None:
    authority = issued(tmp_path, "partner.example")
    async with endpoint(OK, tls=authority.server) as partner:
        answer = await post(
            f"https://partner.example:{partner.port}/", outgoing=trusting(authority, ["127.0.0.1"])
        )

    assert (answer.status, answer.address) == (200, "127.0.0.1")
    assert partner.headers()["host"] == f"partner.example:{partner.port}"


async def test_a_certificate_of_another_name_is_not_trusted(tmp_path: Path) -> None:
    authority = issued(tmp_path, "other.example")
    async with endpoint(OK, tls=authority.server) as partner:
        with pytest.raises(OutgoingFailedError, match="not valid for 'partner") as failed:
            await post(
                f"https://partner.example:{partner.port}/",
                outgoing=trusting(authority, ["127.0.0.1"]),
            )

    assert (failed.value.kind, partner.requests) == ("tls", [])


async def test_a_certificate_for_an_address_is_checked_too(authority: Authority) -> None:
    async with endpoint(OK, tls=authority.server) as partner:
        answer = await post(f"https://127.0.0.1:{partner.port}/", outgoing=trusting(authority))

    assert answer.status == 200


async def test_a_certificate_of_nobody_is_not_trusted(authority: Authority) -> None:
    async with endpoint(OK, tls=authority.server) as partner:
        with pytest.raises(OutgoingFailedError, match="unable to get local issuer") as failed:
            await post(f"https://127.0.0.1:{partner.port}/")

    assert (failed.value.kind, partner.requests) == ("tls", [])


async def test_a_host_without_tls_is_said() -> None:
    async with endpoint(b"HTTP/1.1 400 Bad Request\r\n\r\n", asked=False) as partner:
        with pytest.raises(OutgoingFailedError, match="TLS failed: WRONG_VERSION_NUMBER") as failed:
            await post(f"https://127.0.0.1:{partner.port}/")

    assert failed.value.kind == "tls"


async def test_a_bad_url_is_not_called() -> None:
    with pytest.raises(BadUrlError, match="https:// is required"):
        await post("http://partner.example/", outgoing=Outgoing())


async def test_http_is_for_addresses_of_allowed_networks() -> None:
    names = Names(["1.1.1.1"])
    with pytest.raises(BadUrlError, match="https:// is required"):
        await post("http://partner.example/", outgoing=Outgoing(LOOPBACK, resolver=names))

    assert names.asked == ["partner.example"]


async def test_a_refused_address_is_said_by_its_kind() -> None:
    with pytest.raises(AddressRefusedError, match="loopback") as refused:
        await post(
            "https://partner.example/", outgoing=Outgoing(resolver=Names(["1.1.1.1", "127.0.0.1"]))
        )

    assert refused.value.kind == "loopback"
    assert "127" not in str(refused.value)
