"""A mail server of the tests' own: aiosmtpd on a free port of 127.0.0.1, and what has arrived there."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from clients.mail import Mail

SENDER = "Earful <earful@mail.example>"
USERNAME = "earful@mail.example"
PASSWORD = "p@ss/wörd"
REFUSED = "nobody@partner.example"
BUSY = "busy@partner.example"


def letter(**parts: Any) -> Mail:
    """A mail of which a test states only what it is about."""
    given: dict[str, Any] = {
        "to": "ada@partner.example",
        "subject": "Welcome",
        "text": "Hello.",
        "message_id": "<invitation-1@mail.example>",
    }
    return Mail(**(given | parts))


@dataclass
class Arrived:
    """One mail, as the server got it."""

    envelope: Envelope
    encrypted: bool
    user: str | None

    @property
    def source(self) -> bytes:
        assert isinstance(self.envelope.original_content, bytes)
        return self.envelope.original_content

    @property
    def message(self) -> EmailMessage:
        return read(self.source)


@dataclass
class Mailbox:
    """What a server has taken, and how to reach it."""

    port: int = 0
    arrived: list[Arrived] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        answers = {REFUSED: "550 no such mailbox", BUSY: "450 try again later"}
        envelope.rcpt_tos.append(address)
        return answers.get(address, "250 OK")

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        user = session.auth_data if session.authenticated else None
        assert server.transport is not None
        is_encrypted = server.transport.get_extra_info("ssl_object") is not None
        self.arrived.append(Arrived(envelope, is_encrypted, user))
        return "250 taken"


def read(source: bytes) -> EmailMessage:
    message = message_from_bytes(source, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
) -> AuthResult:
    """Only the one user."""
    assert isinstance(given, LoginPassword)
    is_right = given == LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False, auth_data=USERNAME)


@asynccontextmanager
async def serving(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[Mailbox]:
    """A server over TLS from the start, with STARTTLS, or without either."""
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="mail.example", loop=loop, tls_context=starttls, **options),
        "127.0.0.1",
        0,
        ssl=tls,
    )
    async with listening(server) as mailbox.port:
        yield mailbox


@asynccontextmanager
async def listening(server: asyncio.Server) -> AsyncIterator[int]:
    """The port of a server, which is closed afterwards."""
    async with server:
        yield server.sockets[0].getsockname()[1]
