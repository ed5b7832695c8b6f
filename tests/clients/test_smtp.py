"""SMTP against a real server: plain, encrypted, with a password; and what fails says whether to try again."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from clients.mail import Mailer, MailRejectedError, MailUnavailableError, SmtpMailer, mailer
from tests.clients.conftest import Authority
from tests.clients.mailboxes import (
    BUSY,
    PASSWORD,
    REFUSED,
    SENDER,
    USERNAME,
    authenticate,
    letter,
    listening,
    serving,
)

Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

LOGIN = "earful%40mail.example:p%40ss%2Fw%C3%B6rd@"


def through(port: int, *, scheme: str = "smtp", login: str = "", options: str = "") -> Mailer:
    return SmtpMailer(f"{scheme}://{login}127.0.0.1:{port}{options}", SENDER, timeout=20)


async def test_a_mail_arrives_as_it_was_meant() -> None:
    async with serving() as mailbox:
        await through(mailbox.port).send(
            letter(
                to="Ada Lovelace <ada@partner.example>",
                subject="Grüße 🎉",
                text="Hello Ada,\n.\nas text",
                html="<p>Hello <b>Ada</b></p>",
                reply_to="support@earful.example",
            )
        )

    (arrived,) = mailbox.arrived
    message = arrived.message
    assert arrived.envelope.mail_from == "earful@mail.example"
    assert arrived.envelope.rcpt_tos == ["ada@partner.example"]
    assert {name: str(message[name]) for name in ("From", "To", "Reply-To", "Subject")} == {
        "From": "Earful <earful@mail.example>",
        "To": "Ada Lovelace <ada@partner.example>",
        "Reply-To": "support@earful.example",
        "Subject": "Grüße 🎉",
    }
    assert message["Message-ID"] == "<invitation-1@mail.example>"
    assert message["Date"].datetime.tzinfo is not None
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert text.get_content() == "Hello Ada,\r\n.\r\nas text\r\n"
    assert html.get_content() == "<p>Hello <b>Ada</b></p>\r\n"
    assert not arrived.encrypted


@pytest.mark.parametrize("text", ["Grüße", "é" * 5_000, "x" * 5_000])
async def test_a_mail_is_ascii_in_short_lines(text: str) -> None:
    async with serving() as mailbox:
        await through(mailbox.port).send(letter(subject="ü" * 300, text=text, html=text))

    (arrived,) = mailbox.arrived
    assert arrived.source.isascii()
    assert max(map(len, arrived.source.split(b"\r\n"))) <= 78
    contents = [part.get_content() for part in arrived.message.iter_parts()]
    assert contents == [text + "\r\n"] * 2


async def test_starttls_is_taken_where_it_is_offered(authority: Authority) -> None:
    async with serving(starttls=authority.server) as mailbox:
        await through(mailbox.port, options=f"?ca_file={authority.ca_file}").send(letter())

    assert [arrived.encrypted for arrived in mailbox.arrived] == [True]


async def test_starttls_can_be_left_out(authority: Authority) -> None:
    async with serving(starttls=authority.server) as mailbox:
        await through(mailbox.port, options="?starttls=never").send(letter())

    assert [arrived.encrypted for arrived in mailbox.arrived] == [False]


async def test_required_starttls_is_not_done_without() -> None:
    async with serving() as mailbox:
        with pytest.raises(MailUnavailableError, match="STARTTLS"):
            await through(mailbox.port, options="?starttls=required").send(letter())

    assert mailbox.arrived == []


async def test_a_certificate_of_nobody_is_not_trusted(authority: Authority) -> None:
    async with serving(starttls=authority.server) as mailbox:
        with pytest.raises(MailUnavailableError, match="certificate verify failed"):
            await through(mailbox.port).send(letter())

    assert mailbox.arrived == []


async def test_a_certificate_of_another_host_is_not_trusted(authority: Authority) -> None:
    async with serving(starttls=authority.server) as mailbox:
        elsewhere = SmtpMailer(
            f"smtp://localhost:{mailbox.port}?ca_file={authority.ca_file}", SENDER
        )
        with pytest.raises(MailUnavailableError, match="certificate is not valid for 'localhost'"):
            await elsewhere.send(letter())

    assert mailbox.arrived == []


async def test_any_certificate_is_trusted_when_that_is_asked_for(authority: Authority) -> None:
    async with serving(starttls=authority.server) as mailbox:
        await through(mailbox.port, options="?verify=no").send(letter())

    assert [arrived.encrypted for arrived in mailbox.arrived] == [True]


async def test_smtps_is_encrypted_from_the_start(authority: Authority) -> None:
    async with serving(tls=authority.server) as mailbox:
        secure = through(mailbox.port, scheme="smtps", options=f"?ca_file={authority.ca_file}")
        await secure.send(letter())

    assert [arrived.encrypted for arrived in mailbox.arrived] == [True]


async def test_the_password_opens_the_server(authority: Authority) -> None:
    async with serving(
        starttls=authority.server, authenticator=authenticate, auth_required=True
    ) as mailbox:
        options = f"?ca_file={authority.ca_file}"
        await through(mailbox.port, login=LOGIN, options=options).send(letter())

    assert [arrived.user for arrived in mailbox.arrived] == [USERNAME]


async def test_a_password_is_never_sent_in_the_clear() -> None:
    async with serving(authenticator=authenticate, auth_require_tls=False) as mailbox:
        with pytest.raises(MailUnavailableError, match="STARTTLS"):
            await through(mailbox.port, login=LOGIN).send(letter())

    assert mailbox.arrived == []


async def test_a_wrong_password_is_no_fault_of_the_mail() -> None:
    async with serving(authenticator=authenticate, auth_require_tls=False) as mailbox:
        wrong = through(mailbox.port, login="earful:wrong@", options="?starttls=never")
        with pytest.raises(MailUnavailableError, match="535") as refused:
            await wrong.send(letter())

    assert PASSWORD not in str(refused.value)
    assert mailbox.arrived == []


async def test_a_server_that_wants_a_password_is_no_fault_of_the_mail(
    authority: Authority,
) -> None:
    async with serving(
        starttls=authority.server, authenticator=authenticate, auth_required=True
    ) as mailbox:
        with pytest.raises(MailUnavailableError, match="530"):
            await through(mailbox.port, options="?verify=no").send(letter())


async def test_a_mailbox_that_does_not_exist_is_final() -> None:
    async with serving() as mailbox:
        with pytest.raises(MailRejectedError, match="550 no such mailbox"):
            await through(mailbox.port).send(letter(to=REFUSED))

    assert mailbox.arrived == []


async def test_a_busy_mailbox_is_tried_again() -> None:
    async with serving() as mailbox:
        with pytest.raises(MailUnavailableError, match="450 try again later"):
            await through(mailbox.port).send(letter(to=BUSY))

    assert mailbox.arrived == []


async def test_a_mail_that_is_too_large_is_final() -> None:
    async with serving(data_size_limit=1_000) as mailbox:
        with pytest.raises(MailRejectedError, match="552"):
            await through(mailbox.port).send(letter(text="x" * 2_000))


async def test_a_name_that_is_not_ascii_is_sent_where_the_server_can() -> None:
    async with serving(enable_SMTPUTF8=True) as mailbox:
        await through(mailbox.port).send(letter(to="用户@例え.jp"))

    (arrived,) = mailbox.arrived
    assert arrived.envelope.rcpt_tos == ["用户@xn--r8jz45g.jp"]
    assert arrived.envelope.mail_options[1:] == ["SMTPUTF8", "BODY=8BITMIME"]


async def test_a_name_that_is_not_ascii_is_refused_where_the_server_cannot() -> None:
    async with serving() as mailbox:
        with pytest.raises(MailRejectedError, match="cannot write to 用户@"):
            await through(mailbox.port).send(letter(to="用户@例え.jp"))


async def test_a_host_that_is_not_ascii_needs_nothing_of_the_server() -> None:
    async with serving() as mailbox:
        await through(mailbox.port).send(letter(to="ada@bücher.example"))

    assert mailbox.arrived[0].envelope.rcpt_tos == ["ada@xn--bcher-kva.example"]
    assert "SMTPUTF8" not in mailbox.arrived[0].envelope.mail_options


async def dropping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that hangs up in the middle of the mail."""
    writer.write(b"220 mail.example\r\n")
    for answer in (b"250 mail.example", b"250 OK", b"250 OK", b"354 go on"):
        await reader.readline()
        writer.write(answer + b"\r\n")
    await reader.readline()
    writer.close()


async def test_a_server_that_hangs_up_in_the_middle_is_tried_again() -> None:
    async with listening(await asyncio.start_server(dropping, "127.0.0.1", 0)) as port:
        with pytest.raises(MailUnavailableError, match="the mail server went away"):
            await through(port).send(letter())


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that never says a word."""
    await reader.read()
    writer.close()


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async with listening(await asyncio.start_server(silent, "127.0.0.1", 0)) as port:
        with pytest.raises(MailUnavailableError):
            await SmtpMailer(f"smtp://127.0.0.1:{port}", SENDER, timeout=0.2).send(letter())


async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example\r\n")
    for answer in (b"250 mail.example", b"250 OK", b"250 OK", b"354 go on"):
        await reader.readline()
        writer.write(answer + b"\r\n")
    await reader.readuntil(b"\r\n.\r\n")
    writer.write(b"250 taken\r\n")


async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that takes the mail and hangs up instead of saying goodbye."""
    await take(reader, writer)
    writer.close()


async def sleepy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that takes the mail and never says goodbye."""
    await take(reader, writer)
    await reader.read()
    writer.close()


@pytest.mark.parametrize("serve", [rude, sleepy])
async def test_a_mail_that_was_taken_is_sent_whatever_comes_after(serve: Serving) -> None:
    async with listening(await asyncio.start_server(serve, "127.0.0.1", 0)) as port:
        await through(port).send(letter())


async def test_a_server_that_is_away_is_tried_again() -> None:
    async with serving() as mailbox:
        pass

    with pytest.raises(MailUnavailableError, match="the mail server cannot be used"):
        await through(mailbox.port).send(letter())


async def test_with_a_url_mail_goes_over_smtp(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("state") / "mail"
    async with serving() as mailbox:
        await mailer(f"smtp://127.0.0.1:{mailbox.port}", SENDER, directory).send(letter())

    assert len(mailbox.arrived) == 1
    assert not directory.exists()
