"""Mail: one message to one person, over SMTP or, where there is no server, into a directory as .eml files."""

import asyncio
import contextlib
import hashlib
import os
import re
import ssl
import tempfile
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib

# For one mail, from the connection to the server's word that it has it.
SEND_SECONDS = 30.0

_FAREWELL_SECONDS = 2.0
_POLICY = SMTP.clone(cte_type="7bit")
_NAMED = re.compile(r'"?(?P<name>[^<>"]*?)"? *<(?P<address>[^<>]*)>')
_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}")
_DOMAIN = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)
# Would end the line, or have no place in one.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,200}>")
_SETTINGS_WRONG = 530  # "Authentication required" or "Must issue a STARTTLS command first".
_PERMANENT = 500


class MailError(Exception):
    """A mail was not sent."""


class MailRejectedError(MailError):
    """It never will be: no such mailbox, no address at all, or a message that the server refuses. Do not retry."""


class MailUnavailableError(MailError):
    """The server is away, busy, or does not like us at the moment. Try again later."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one person.

    `to` and `reply_to` are `name@host` or `Name <name@host>`. `message_id` is `<local@host>`, angle brackets
    included: a mail that is sent again must have the same, so that mailboxes can drop the repetition.
    """

    to: str
    subject: str
    text: str
    message_id: str
    html: str | None = None
    reply_to: str | None = None
    attachment: Attachment | None = None


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Return when the mail is handed over; raises MailRejectedError or MailUnavailableError."""


def mailer(smtp_url: str | None, sender: str, directory: Path) -> Mailer:
    """Over SMTP where there is a server, else into `directory`; ValueError for a URL or sender of no use."""
    return SmtpMailer(smtp_url, sender) if smtp_url else FileMailer(directory, sender)


class SmtpMailer:
    """Hands mail to one SMTP server, each over its own connection.

    The URL is `smtp://[user:password@]host[:25]` or `smtps://[user:password@]host[:465]`, with the options
    `starttls=auto` (encrypt where the server offers it), `required` (the default with a password) or `never`,
    `ca_file=/path/to/ca.pem` (trust these authorities) and `verify=no` (encrypt, trusting anybody).
    """

    def __init__(self, url: str, sender: str, *, timeout: float = SEND_SECONDS) -> None:
        """`timeout` is for one whole mail, in seconds. ValueError for a URL or sender of no use."""
        self._server = Server.parse(url)
        self._sender = parse_address(sender)
        self._timeout = timeout
        self._tls = self._server.tls_context()

    async def send(self, mail: Mail) -> None:
        """Return when the server has taken the mail; raises MailRejectedError or MailUnavailableError."""
        message = compose(mail, self._sender)
        async with self._connected() as client:
            await self._hand_over(client, mail, message)

    async def check(self) -> bool:
        """Connect and sign in, and send nothing; whether it is encrypted.

        What MailUnavailableError was caused by is the reason.
        """
        async with self._connected() as client:
            return client.get_transport_info("sslcontext") is not None

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.username,
            password=self._server.password,
            use_tls=self._server.tls,
            start_tls=self._server.starttls,
            tls_context=self._tls,
            timeout=self._timeout,
        )
        try:
            async with asyncio.timeout(self._timeout):
                # What goes wrong before a mail is offered is never the mail's fault.
                try:
                    await client.connect()
                except (aiosmtplib.SMTPException, OSError) as error:
                    raise MailUnavailableError(
                        f"the mail server cannot be used: {error}"
                    ) from error
                yield client
            # The server has it; that the farewell fails must not have it sent twice.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_FAREWELL_SECONDS)
        except TimeoutError:
            raise MailUnavailableError(
                f"the mail server did not finish within {self._timeout:g} seconds"
            ) from None
        finally:
            client.close()

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: Mail, message: EmailMessage) -> None:
        recipient = parse_address(mail.to).addr_spec
        needs_utf8 = message.policy is SMTPUTF8
        try:
            await client.sendmail(
                self._sender.addr_spec,
                [recipient],
                message.as_bytes(),
                mail_options=["SMTPUTF8", "BODY=8BITMIME"] if needs_utf8 else [],
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients[0].code, error.recipients[0].message) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code, error.message) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise MailRejectedError(f"the mail server cannot write to {recipient}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailUnavailableError(f"the mail server went away: {error}") from error


class FileMailer:
    """Writes mail into a directory, as `<time>-<digest of the Message-ID>.eml`: the same mail again, the same file."""

    def __init__(self, directory: Path, sender: str) -> None:
        """ValueError for a sender of no use; the directory is made with the first mail."""
        self._directory = directory
        self._sender = parse_address(sender)
        self._one_at_a_time = threading.Lock()

    async def send(self, mail: Mail) -> None:
        """Return when the file is there, whole; raises MailRejectedError or MailUnavailableError."""
        message = compose(mail, self._sender)
        try:
            await asyncio.to_thread(self._write, mail.message_id, message.as_bytes())
        except OSError as error:
            raise MailUnavailableError(f"the mail cannot be written: {error}") from error

    def _write(self, message_id: str, content: bytes) -> None:
        digest = hashlib.blake2b(message_id.encode(), digest_size=8).hexdigest()
        with self._one_at_a_time:
            self._directory.mkdir(parents=True, exist_ok=True)
            fresh = self._directory / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{digest}.eml"
            path = next(self._directory.glob(f"*-{digest}.eml"), fresh)
            # Readable by its owner only, since mails carry links that let people in.
            handle, unfinished = tempfile.mkstemp(dir=self._directory, suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(unfinished).replace(path)
            except BaseException:
                Path(unfinished).unlink()
                raise


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, as SMTP_URL names it."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool
    starttls: bool | None
    verify: bool
    ca_file: str | None

    @classmethod
    def parse(cls, url: str) -> "Server":
        """ValueError says what is wrong, without the password."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            # Its own message may hold a piece of the password.
            raise ValueError(
                "an SMTP URL's port is a number, and its password is percent-encoded"
            ) from None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("expected a URL like smtp://host... or smtps://host...")
        if parts.path.strip("/") or parts.fragment:
            raise ValueError("an SMTP URL has no path")
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        tls = parts.scheme == "smtps"
        username = unquote(parts.username) if parts.username else None
        default: Literal["required", "auto"] = "required" if username else "auto"
        starttls = options.pop("starttls", "never" if tls else default)
        verify = options.pop("verify", "yes")
        ca_file = options.pop("ca_file", None)
        if starttls not in _STARTTLS or (tls and starttls != "never"):
            raise ValueError("starttls is auto, required or never, and only for smtp://")
        if verify not in ("yes", "no"):
            raise ValueError("verify is yes or no")
        if options:
            raise ValueError(f"unknown options: {', '.join(sorted(options))}")
        return cls(
            host=parts.hostname,
            port=port or (465 if tls else 25),
            username=username,
            password=unquote(parts.password or "") if username else None,
            tls=tls,
            starttls=_STARTTLS[starttls],
            verify=verify == "yes",
            ca_file=ca_file,
        )

    def tls_context(self) -> ssl.SSLContext:
        """What the server's certificate is checked against; ValueError for a CA file that cannot be read."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise ValueError(f"ca_file cannot be read: {error}") from error
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


# aiosmtplib's words: None is "where it is offered".
_STARTTLS = {"auto": None, "required": True, "never": False}


def parse_address(text: str) -> Address:
    """`name@host` or `Name <name@host>`; ValueError for anything else."""
    named = _NAMED.fullmatch(text)
    name, written = (named["name"], named["address"]) if named else ("", text)
    local, _, domain = written.rpartition("@")
    if not _LOCAL.fullmatch(local) or not local.isprintable() or _UNUSABLE.search(name):
        raise ValueError("expected an address like name@host")
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("idna").decode().lower()
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("expected an address like name@host")
    return Address(display_name=_as_meant(name), username=local, domain=domain)


def compose(mail: Mail, sender: Address) -> EmailMessage:
    """The message in its final form; MailRejectedError where a header would not be what was meant."""
    try:
        recipient = parse_address(mail.to)
        reply_to = parse_address(mail.reply_to) if mail.reply_to else None
    except ValueError as error:
        raise MailRejectedError(str(error)) from error
    if _UNUSABLE.search(mail.subject):
        raise MailRejectedError("a subject is one line without control characters")
    if not _MESSAGE_ID.fullmatch(mail.message_id):
        raise MailRejectedError("expected a Message-ID like <name@host>")
    addresses = [each for each in (recipient, sender, reply_to) if each]
    is_ascii = all(each.username.isascii() for each in addresses)
    message = EmailMessage(_POLICY if is_ascii else SMTPUTF8)
    message["From"] = sender
    message["To"] = recipient
    if reply_to:
        message["Reply-To"] = reply_to
    message["Subject"] = _as_meant(mail.subject)
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = mail.message_id
    # Asks holiday notices and the like not to answer.
    message["Auto-Submitted"] = "auto-generated"
    try:
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
    except UnicodeError as error:
        raise MailRejectedError("the text is not Unicode") from error
    if mail.attachment is not None:
        main, _, sub = mail.attachment.content_type.partition("/")
        message.add_attachment(
            mail.attachment.content, maintype=main, subtype=sub, filename=mail.attachment.name
        )
    return message


def _as_meant(text: str) -> str:
    """Text whose "=?" starts no encoded word: `email` decodes those in what it is given, line breaks included."""
    return text.replace("=?", "= ?")


def _refused(code: int, reason: str) -> MailError:
    message = f"the mail server said {code} {reason}"
    is_final = code >= _PERMANENT and code != _SETTINGS_WRONG
    return MailRejectedError(message) if is_final else MailUnavailableError(message)
