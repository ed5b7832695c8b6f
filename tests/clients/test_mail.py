"""Mail: what may stand in a header, what an SMTP URL says, and the files of a server without SMTP."""

import stat
from pathlib import Path

import pytest

from clients.mail import (
    FileMailer,
    MailRejectedError,
    MailUnavailableError,
    Server,
    compose,
    mailer,
    parse_address,
)
from tests.clients.mailboxes import SENDER, letter, read

# What `email` would unfold into "Subject: a", a line break and "Bcc: eve@evil.example".
SMUGGLED = "=?utf-8?q?a=0D=0ABcc=3A_eve@evil.example?="


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("subject", "a\r\nBcc: eve@evil.example"),
        ("subject", "a\nb"),
        ("subject", "a\x00b"),
        ("subject", "a\u2028b"),
        ("subject", "a\ud800b"),
        ("to", "ada@partner.example\r\nBcc: eve@evil.example"),
        ("to", "Ada\r\nBcc: eve@evil.example <ada@partner.example>"),
        ("to", "Ada\x00 <ada@partner.example>"),
        ("to", "Ada\u2028 <ada@partner.example>"),
        ("to", "ada@partner.example, eve@evil.example"),
        ("to", "Ada <ada@partner.example>, eve@evil.example"),
        ("to", "ada@partner.example> <eve@evil.example"),
        ("to", "ada@@partner.example"),
        ("to", "ada@"),
        ("to", "@partner.example"),
        ("to", "ada@-partner.example"),
        ("to", "ada love@partner.example"),
        ("to", ""),
        ("reply_to", "eve@evil.example\nBcc: eve@evil.example"),
        ("message_id", "invitation-1@mail.example"),
        ("message_id", "<a@b>\r\nBcc: eve@evil.example"),
        ("message_id", "<a b@c>"),
        ("message_id", ""),
        ("text", "\ud800"),
        ("html", "\ud800"),
    ],
)
def test_what_no_header_or_text_can_hold_is_refused(part: str, value: str) -> None:
    with pytest.raises(MailRejectedError):
        compose(letter(**{part: value}), parse_address(SENDER))


@pytest.mark.parametrize(
    "parts",
    [
        {"subject": SMUGGLED},
        {"subject": SMUGGLED + "x" * 200},
        {"to": f"{SMUGGLED} <ada@partner.example>"},
        {"reply_to": f'"{SMUGGLED}" <ada@partner.example>'},
    ],
)
def test_no_header_can_be_smuggled_in_an_encoded_word(parts: dict[str, str]) -> None:
    message = read(compose(letter(**parts), parse_address(SENDER)).as_bytes())

    assert message["Bcc"] is None
    assert "Bcc" in str([message["Subject"], message["To"], message["Reply-To"]])
    assert message.get_content() == "Hello.\r\n"


@pytest.mark.parametrize(
    "subject", ["why? =? yes", "👨‍👩‍👧 is one family", "a\u00a0b", "x" * 990, "=?", "ü" * 500]
)
def test_a_subject_arrives_as_it_was_written(subject: str) -> None:
    message = read(compose(letter(subject=subject), parse_address(SENDER)).as_bytes())

    assert message["Subject"] == subject.replace("=?", "= ?")


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("ada@partner.example", "", "ada@partner.example"),
        ("Ada <ada@partner.example>", "Ada", "ada@partner.example"),
        ('"Lovelace, Ada" <ada@partner.example>', "Lovelace, Ada", "ada@partner.example"),
        ("<ada@partner.example>", "", "ada@partner.example"),
        ("Ada+x_y.z@Partner.Example", "", "Ada+x_y.z@partner.example"),
        ("ada@localhost", "", "ada@localhost"),
        ("Jürgen <j@bücher.example>", "Jürgen", "j@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_read(text: str, name: str, address: str) -> None:
    read_as = parse_address(text)

    assert (read_as.display_name, read_as.addr_spec) == (name, address)


def test_an_smtp_url_says_everything() -> None:
    url = "smtp://us%40er:p%2Fw@mail.example:2525?starttls=auto&verify=no&ca_file=/ca.pem"

    assert Server.parse(url) == Server(
        host="mail.example",
        port=2525,
        username="us@er",
        password="p/w",
        tls=False,
        starttls=None,
        verify=False,
        ca_file="/ca.pem",
    )


@pytest.mark.parametrize(
    ("url", "port", "tls", "starttls"),
    [
        ("smtp://mail.example", 25, False, None),
        ("smtp://mail.example:587", 587, False, None),
        ("smtp://user:password@mail.example:587", 587, False, True),
        ("smtp://user:password@mail.example?starttls=never", 25, False, False),
        ("smtps://user:password@mail.example", 465, True, False),
        ("smtp://[::1]:2525/", 2525, False, None),
    ],
)
def test_what_an_smtp_url_leaves_out_is_sensible(
    url: str, port: int, tls: bool, starttls: bool | None
) -> None:
    server = Server.parse(url)

    assert (server.port, server.tls, server.starttls) == (port, tls, starttls)
    assert server.verify


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mail.example:25", "expected a URL like smtp"),
        ("http://mail.example", "expected a URL like smtp"),
        ("smtp://", "expected a URL like smtp"),
        ("smtp://mail.example/inbox", "has no path"),
        ("smtp://mail.example?starttls=maybe", "starttls is auto, required or never"),
        ("smtps://mail.example?starttls=required", "only for smtp://"),
        ("smtp://mail.example?verify=false", "verify is yes or no"),
        ("smtp://mail.example?ssl=1&auth=2", "unknown options: auth, ssl"),
        ("smtp://mail.example?starttls", "bad query field"),
    ],
)
def test_an_smtp_url_of_no_use_is_named(url: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Server.parse(url)


def test_a_password_that_is_not_encoded_is_not_told() -> None:
    with pytest.raises(ValueError, match="its password is percent-encoded") as refused:
        Server.parse("smtp://user:hunter2/3@mail.example")

    assert "hunter2" not in str(refused.value)


def test_a_ca_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ca_file cannot be read"):
        mailer(f"smtps://mail.example?ca_file={tmp_path}/none.pem", SENDER, tmp_path)


@pytest.mark.parametrize("smtp_url", [None, "smtp://mail.example"])
def test_a_sender_of_no_use_is_refused(smtp_url: str | None, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected an address"):
        mailer(smtp_url, "Earful", tmp_path)


async def test_without_a_server_mail_lands_in_files(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "mail"

    await mailer(None, SENDER, directory).send(letter(html="<p>Hello.</p>"))

    (path,) = directory.iterdir()
    message = read(path.read_bytes())
    assert path.suffix == ".eml"
    assert (message["To"], message["Subject"]) == ("ada@partner.example", "Welcome")
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_files_are_sorted_by_time(tmp_path: Path) -> None:
    files = FileMailer(tmp_path, SENDER)

    for number in range(20):
        await files.send(letter(subject=f"{number}", message_id=f"<{number}@mail.example>"))

    subjects = [read(path.read_bytes())["Subject"] for path in sorted(tmp_path.iterdir())]
    assert subjects == [f"{number}" for number in range(20)]


async def test_the_same_mail_again_is_the_same_file(tmp_path: Path) -> None:
    files = FileMailer(tmp_path, SENDER)

    await files.send(letter(text="first"))
    await files.send(letter(text="other", message_id="<invitation-2@mail.example>"))
    await files.send(letter(text="second"))

    texts = [read(path.read_bytes()).get_content() for path in sorted(tmp_path.iterdir())]
    assert texts == ["second\r\n", "other\r\n"]


async def test_a_directory_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file, where a directory should be")

    with pytest.raises(MailUnavailableError, match="the mail cannot be written"):
        await FileMailer(tmp_path / "mail", SENDER).send(letter())


async def test_a_mail_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    files = FileMailer(tmp_path, SENDER)
    await files.send(letter())
    (path,) = tmp_path.iterdir()
    path.unlink()
    (path / "in the way").mkdir(parents=True)

    with pytest.raises(MailUnavailableError, match="the mail cannot be written"):
        await files.send(letter())

    assert list(tmp_path.iterdir()) == [path]
