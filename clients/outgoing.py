"""HTTP to URLs that users gave us, which must reach nothing but what is public or opened by the operator.

Each request resolves the name once, checks every address, and dials one of those: a name that changes its
address in between (DNS rebinding) changes nothing. Nothing is followed, unpacked, pooled or kept.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType
from typing import Literal, Self, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from yarl import URL

from clients.address import IpAddress, IpNetwork, is_allowed, refusal
from clients.url import BadUrlError, check_url, literal
from telemetry import trace
from telemetry.trace import Kind

__all__ = [
    "AddressRefusedError",
    "Answer",
    "BadUrlError",
    "Outgoing",
    "OutgoingError",
    "OutgoingFailedError",
    "check_url",
]

# How much of an answer's body is read, in bytes.
BODY_BYTES = 4096

_MOST_ADDRESSES = 6
_LOOKUPS_AT_ONCE = 16
_KEPT_HEADERS = ("content-type", "date", "location", "retry-after", "server")
_HEADER_CHARACTERS = 256
# These belong to the connection, which is ours.
_OUR_HEADERS = frozenset(
    (
        *("accept-encoding", "connection", "content-length", "expect", "host", "te"),
        *("trailer", "transfer-encoding", "upgrade"),
    )
)


class OutgoingError(Exception):
    """A request was not answered."""


class AddressRefusedError(OutgoingError):
    """The host is, or resolves to, an address that may not be dialled: `kind` of it. Do not retry."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"the host's address is not one that may be called: {kind}")
        self.kind = kind


class OutgoingFailedError(OutgoingError):
    """There was no answer; `kind` says which step failed. Trying again later may help."""

    def __init__(
        self, kind: Literal["dns", "connect", "tls", "timeout", "protocol"], message: str
    ) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` is its first 4 KiB as they were sent, `headers` a few of them, in lower case.

    `elapsed` is in seconds, from the name's resolution to the last byte read; `address` is the one dialled.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float
    address: str


class Outgoing:
    """Posts to URLs of others; `async with` or close() ends it."""

    def __init__(
        self,
        allowed_networks: Sequence[IpNetwork] = (),
        *,
        http_allowed: bool = False,
        user_agent: str = "Earful",
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Dial what is public, over TLS, and `allowed_networks`, with or without; `http_allowed` drops TLS for all."""
        self._allowed = tuple(allowed_networks)
        self._http_allowed = http_allowed
        self._user_agent = user_agent
        self._resolver = resolver or SystemResolver()
        self._tls = tls or ssl.create_default_context()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the resolver; connections live no longer than their request."""
        await self._resolver.close()

    async def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109 - the wording of every HTTP client
    ) -> Answer:
        """Post the body and return the answer, whatever its status; `timeout` is for all of it, in seconds.

        Once the status is there it is an answer: a body that stalls or breaks is kept as far as it came.
        Raises BadUrlError, AddressRefusedError or OutgoingFailedError; ValueError for a header that is not the
        caller's to set.
        """
        refused = [name for name in headers if name.lower() in _OUR_HEADERS]
        if refused:
            raise ValueError(f"not the caller's to set: {', '.join(refused)}")
        target = URL(
            check_url(url, allowed_networks=self._allowed, http_allowed=self._http_allowed)
        )
        # Of the URL the host: the rest may have keys in it.
        with trace.part("POST", Kind.CLIENT, server__address=target.host or "") as span:
            if span is not None:
                headers = {**headers, "traceparent": span.traceparent}
            answer = await self._post(target, body, headers, timeout)
            if span is not None:
                span.note(http__response__status_code=answer.status)
            return answer

    async def _post(
        self, target: URL, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> Answer:
        loop = asyncio.get_running_loop()
        started = loop.time()
        deadline = started + seconds
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._addresses(target)
        except TimeoutError:
            raise OutgoingFailedError("dns", "the name server did not answer in time") from None
        async with self._session(addresses) as session:
            response = await _posted(session, target, body, headers, deadline)
            try:
                beginning = await _beginning(response, deadline)
            finally:
                response.close()
            return Answer(
                status=response.status,
                headers=_kept(response),
                body=beginning,
                elapsed=loop.time() - started,
                address=response.address,
            )

    async def _addresses(self, target: URL) -> list[IpAddress]:
        """What may be dialled for this URL: every address of its host was looked at."""
        host, port = target.raw_host or "", target.port or 0
        address = literal(host)
        if address:
            return [address]
        try:
            found = await self._resolver.resolve(host, port, socket.AF_UNSPEC)
        except (OSError, UnicodeError):
            raise OutgoingFailedError("dns", "the host's name does not resolve") from None
        addresses = [ip_address(each["host"]) for each in found]
        if not addresses:
            raise OutgoingFailedError("dns", "the host's name does not resolve")
        for each in addresses:
            reason = refusal(each, self._allowed)
            if reason:
                raise AddressRefusedError(reason)
            if target.scheme == "http" and not (
                self._http_allowed or is_allowed(each, self._allowed)
            ):
                raise BadUrlError("https:// is required")
        return addresses[:_MOST_ADDRESSES]

    def _session(self, addresses: Sequence[IpAddress]) -> aiohttp.ClientSession:
        """A session for one request, whose connector knows these addresses and no others."""
        connector = aiohttp.TCPConnector(
            resolver=_Checked(addresses), use_dns_cache=False, ssl=self._tls, force_close=True
        )
        return aiohttp.ClientSession(
            connector=connector,
            response_class=_Response,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(),
            read_bufsize=BODY_BYTES,
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
        )


class SystemResolver(AbstractResolver):
    """getaddrinfo on threads of its own: a name server that stalls keeps nothing but requests waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of the host; OSError where there is none."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, _lookup, host, port, family
        )
        return [_resolved(host, address, port) for address in found]

    async def close(self) -> None:
        """Let lookups that still run end on their own."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Checked(AbstractResolver):
    """Answers with what was checked, for whatever name the connector asks."""

    def __init__(self, addresses: Sequence[IpAddress]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - they are of either
    ) -> list[ResolveResult]:
        return [_resolved(host, str(address), port) for address in self._addresses]

    async def close(self) -> None:
        pass


class _Response(aiohttp.ClientResponse):
    """Remembers whom it came from, which aiohttp forgets when the connection is closed."""

    address = ""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        self.address = str(peer[0]) if peer else ""
        return await super().start(connection)


async def _posted(
    session: aiohttp.ClientSession,
    target: URL,
    body: bytes,
    headers: Mapping[str, str],
    deadline: float,
) -> _Response:
    """The answer up to its headers."""
    try:
        async with asyncio.timeout_at(deadline):
            response = await session.post(target, data=body, headers=headers, allow_redirects=False)
    except TimeoutError:
        raise OutgoingFailedError("timeout", "the host did not answer in time") from None
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise OutgoingFailedError("tls", f"TLS failed: {_tls_reason(error)}") from error
    except aiohttp.ClientConnectorError as error:
        # Its own text names the address.
        reason = os.strerror(error.os_error.errno) if error.os_error.errno else "no connection"
        raise OutgoingFailedError("connect", f"the host cannot be reached: {reason}") from error
    except aiohttp.ServerDisconnectedError as error:
        raise OutgoingFailedError("protocol", "the host hung up without an answer") from error
    except (aiohttp.ClientError, OSError) as error:
        raise OutgoingFailedError("protocol", "the host's answer is not HTTP") from error
    return cast("_Response", response)


async def _beginning(response: aiohttp.ClientResponse, deadline: float) -> bytes:
    """The body's first 4 KiB, or as much as came in time."""
    body = bytearray()
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout_at(deadline):
            while chunk := await response.content.read(BODY_BYTES - len(body)):
                body += chunk
    return bytes(body)


def _kept(response: aiohttp.ClientResponse) -> dict[str, str]:
    """A few headers, short, and fit to be stored: bytes that are no UTF-8 are replaced."""
    return {
        name: response.headers[name][:_HEADER_CHARACTERS]
        .encode("utf-8", "surrogateescape")
        .decode("utf-8", "replace")
        for name in _KEPT_HEADERS
        if name in response.headers
    }


def _tls_reason(error: Exception) -> str:
    """What the TLS library says, without the host and port that aiohttp puts in front."""
    cause = (
        error.certificate_error
        if isinstance(error, aiohttp.ClientConnectorCertificateError)
        else error.__cause__
    )
    return getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "no handshake"


def _lookup(host: str, port: int, family: int) -> list[str]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(address[0]) for *_, address in found]


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {
        "hostname": host,
        "host": address,
        "port": port,
        "family": family,
        "proto": 0,
        "flags": flags,
    }
