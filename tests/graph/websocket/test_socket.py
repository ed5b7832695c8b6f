"""A socket's own manners: handshakes, control frames, bad frames, and whether anybody is still there."""

import asyncio
from ipaddress import ip_network

import pytest
from websockets.frames import Frame, Opcode

from app.main import Application, create_app
from app.resources import Api
from app.settings import Settings
from graph.websocket.clock import Clock
from persistence.database import Database
from tests.factories import PASSWORD, Factory
from tests.graph.sockets import SECONDS, acknowledged, answered, endpoint, served
from tests.graph.websocket.raw import connected, opened

TEXT, FIN = 0x1, 0x80
MASK = b"\0\0\0\0"

# Handshakes


@pytest.mark.parametrize("path", ["/", "/graphiql", "/graphql/", "/graphqlx", "/GraphQL"])
async def test_there_are_no_sockets_elsewhere(server: str, path: str) -> None:
    async with connected(server, path) as raw:
        raw.client.send_request(raw.client.connect())
        await raw.send()
        response = await raw.response()

        assert (response.status_code, response.body) == (404, b"WebSockets are at /graphql.\n")


async def test_a_path_may_have_a_query(server: str, database: Database) -> None:
    async with connected(server, "/graphql?from=here") as raw:
        raw.client.send_request(raw.client.connect())
        await raw.send()
        assert (await raw.response()).status_code == 101
        await raw.acknowledged()


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Sec-WebSocket-Version", "12", 426),
        ("Sec-WebSocket-Version", None, 400),
        ("Sec-WebSocket-Key", None, 400),
        ("Sec-WebSocket-Key", "too short", 400),
    ],
)
async def test_a_handshake_that_is_not_right_is_refused(
    server: str, header: str, value: str | None, status: int
) -> None:
    async with connected(server) as raw:
        request = raw.client.connect()
        del request.headers[header]
        if value is not None:
            request.headers[header] = value
        raw.client.send_request(request)
        await raw.send()

        assert (await raw.response()).status_code == status
        assert await raw.gone() == b""


async def test_a_refused_version_says_which_is_spoken(server: str) -> None:
    async with connected(server) as raw:
        request = raw.client.connect()
        del request.headers["Sec-WebSocket-Version"]
        request.headers["Sec-WebSocket-Version"] = "12"
        raw.client.send_request(request)
        await raw.send()

        headers = (await raw.response()).headers
        assert (headers["Sec-WebSocket-Version"], headers["Upgrade"]) == ("13", "websocket")


async def test_compression_is_not_agreed_to(server: str) -> None:
    async with connected(server) as raw:
        request = raw.client.connect()
        request.headers["Sec-WebSocket-Extensions"] = "permessage-deflate"
        raw.client.send_request(request)
        await raw.send()
        response = await raw.response()

    assert response.status_code == 101
    assert "Sec-WebSocket-Extensions" not in response.headers


LOGIN = """
    mutation {
      login(input: {email: "%s", password: "%s"}) { ... on LoginSuccess { user { id } } }
    }
"""


@pytest.mark.parametrize(
    ("forwarded", "proxies", "ip"),
    [
        ("203.0.113.9", ["127.0.0.0/8"], "203.0.113.9"),
        ("198.51.100.7, 203.0.113.9", ["127.0.0.0/8"], "203.0.113.9"),
        ("198.51.100.7, 203.0.113.9", ["127.0.0.0/8", "203.0.113.0/24"], "198.51.100.7"),
        ("", ["127.0.0.0/8"], "127.0.0.1"),
        ("203.0.113.9", ["192.0.2.1/32"], "127.0.0.1"),
        ("203.0.113.9", [], "127.0.0.1"),
    ],
)
async def test_the_client_is_whom_a_trusted_proxy_names(
    settings: Settings,
    api: Api,
    factory: Factory,
    forwarded: str,
    proxies: list[str],
    ip: str,
) -> None:
    person = await factory.person()
    trusted = tuple(ip_network(network) for network in proxies)
    application = create_app(settings.model_copy(update={"trusted_proxies": trusted}))
    application.open(api)

    async with (
        served(application) as server,
        acknowledged(server, **{"x-forwarded-for": forwarded}) as client,
    ):
        await answered(client, LOGIN % (person.email, PASSWORD))

    assert await factory.rows(
        "SELECT host(ip::inet) FROM session WHERE user_id = :user AND id != :first",
        user=person.id,
        first=person.session_id,
    ) == [(ip,)]


# Control frames


@pytest.mark.parametrize("payload", [b"", b"are you there?", b"x" * 125])
async def test_a_ping_is_answered_with_its_payload(
    server: str, database: Database, payload: bytes
) -> None:
    async with opened(server) as raw:
        raw.client.send_ping(payload)
        await raw.send()

        assert await raw.next() == Frame(Opcode.PONG, payload)


async def test_a_ping_between_fragments_is_answered_at_once(
    server: str, database: Database
) -> None:
    async with opened(server) as raw:
        raw.client.send_text(b'{"type":"pi', fin=False)
        raw.client.send_ping(b"now")
        await raw.send()
        between = await raw.next()
        raw.client.send_continuation(b'ng"}', fin=True)
        await raw.send()

        assert between == Frame(Opcode.PONG, b"now")
        assert await raw.hear() == {"type": "pong"}


async def test_a_message_may_come_byte_by_byte(server: str, database: Database) -> None:
    async with opened(server) as raw:
        raw.client.send_text(b'{"type":"ping"}')
        for byte in b"".join(raw.client.data_to_send()):
            await raw.send(bytes([byte]))

        assert await raw.hear() == {"type": "pong"}


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4400, 4999])
async def test_a_close_is_answered_with_its_code(
    server: str, database: Database, code: int
) -> None:
    async with opened(server) as raw:
        await raw.acknowledged()
        raw.client.send_close(code, "Bye")
        await raw.send()

        assert await raw.ended() == code


async def test_a_close_without_a_code_is_a_normal_end(server: str, database: Database) -> None:
    async with opened(server) as raw:
        raw.client.send_close()
        await raw.send()

        assert await raw.ended() == 1000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (bytes([FIN | TEXT, 2]) + b"{}", 1002),
        (bytes([FIN | 0x40 | TEXT, 0x82]) + MASK + b"{}", 1002),
        (bytes([FIN | 0x3, 0x80]) + MASK, 1002),
        (bytes([FIN | 0x9, 0xFE, 0, 126]) + MASK, 1002),
        (bytes([FIN, 0x80]) + MASK, 1002),
        (bytes([FIN | 0x8, 0x81]) + MASK + b"\x03", 1002),
        (bytes([FIN | 0x8, 0x82]) + MASK + (1006).to_bytes(2), 1002),
        (bytes([FIN | 0x8, 0x83]) + MASK + (1000).to_bytes(2) + b"\xff", 1007),
        (bytes([FIN | TEXT, 0x81]) + MASK + b"\xff", 1007),
        (bytes([FIN | TEXT, 0xFF]) + (65_537).to_bytes(8), 1009),
    ],
    ids=lambda given: given.hex() if isinstance(given, bytes) else str(given),
)
async def test_a_bad_frame_ends_the_socket(
    application: Application, api: Api, database: Database, data: bytes, code: int
) -> None:
    async with served(application, endpoint(api)) as server, opened(server) as raw:
        await raw.acknowledged()
        await raw.send(data)

        assert await raw.ended() == code


# Whether anybody is there


async def test_who_answers_nothing_is_dropped(
    application: Application, api: Api, database: Database
) -> None:
    watchful = endpoint(api, ping_seconds=0.1)
    async with served(application, watchful) as server, opened(server) as raw:
        await raw.acknowledged()

        assert (await raw.next()).opcode is Opcode.PING
        assert await raw.gone() == b""
    assert watchful._connections == {}


async def test_who_was_heard_of_since_the_last_ping_stays(
    application: Application, api: Api, database: Database
) -> None:
    watchful = endpoint(api, ping_seconds=0.1)
    async with served(application, watchful) as server, opened(server) as raw:
        await raw.acknowledged()
        for _ in range(3):
            assert await raw.next() == Frame(Opcode.PING, b"")
            raw.client.send_pong(b"")
            await raw.send()
        assert await raw.next() == Frame(Opcode.PING, b"")
        await raw.say(type="ping")

        assert await raw.hear() == {"type": "pong"}


async def test_who_does_not_answer_a_close_is_dropped(
    application: Application, api: Api, database: Database
) -> None:
    short = endpoint(api, farewell_seconds=0.1)
    async with served(application, short) as server, opened(server) as raw:
        await raw.acknowledged()
        await raw.say(type="nothing")
        close = await raw.next()

        assert close.opcode is Opcode.CLOSE
        assert await raw.gone() == b""


async def test_who_says_nothing_more_is_gone(server: str, database: Database) -> None:
    async with opened(server) as raw:
        await raw.acknowledged()
        raw.writer.write_eof()

        assert await raw.gone() == b""


# The clock


class Bell:
    """Rings, and fails if it shall."""

    def __init__(self, error: Exception | None = None) -> None:
        self.due = 0
        self.rung = asyncio.Event()
        self._error = error

    def on_due(self) -> None:
        self.rung.set()
        if self._error is not None:
            raise self._error


async def test_one_that_fails_does_not_stop_the_clock_of_the_others() -> None:
    clock = Clock()
    bells = [Bell(RuntimeError("no")), Bell(), Bell(RuntimeError("no")), Bell()]
    for bell in bells:
        clock.ask(bell, clock.now() + (1 if bell is bells[-1] else 0))

    async with asyncio.timeout(SECONDS):
        for bell in bells:
            await bell.rung.wait()


async def test_nobody_is_told_before_their_time_or_after_they_were_forgotten() -> None:
    clock = Clock()
    early, late, forgotten = Bell(), Bell(), Bell()
    clock.ask(forgotten, clock.now())
    clock.ask(late, clock.now() + 1.5)
    clock.ask(early, clock.now())
    clock.forget(forgotten)

    await asyncio.wait_for(early.rung.wait(), SECONDS)
    assert not late.rung.is_set()
    await asyncio.wait_for(late.rung.wait(), SECONDS)
    assert clock.now() >= 1.5
    assert not forgotten.rung.is_set()
