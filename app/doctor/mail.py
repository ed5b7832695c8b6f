"""Whether mail can be sent: the server is reached, trusted, and lets us in."""

import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiosmtplib

from app.doctor.finding import Finding, Patient
from clients.mail import MailUnavailableError, SmtpMailer, parse_address

PART = "mail"
_SECONDS = 10.0
_WAITS = (
    "Invitations, password resets, alerts and reports are tried again and again, and do not arrive."
)


async def look(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    if settings.smtp_url is None:
        said = f"mails are written into {settings.data_dir / 'mail'}: there is no SMTP_URL"
        if settings.environment == "development":
            yield Finding(PART, "ok", said)
        else:
            why = "Invitations, password resets, alerts and reports reach nobody."
            yield Finding(PART, "broken", said, why, "Set SMTP_URL and MAIL_FROM.")
        return
    try:
        mailer = SmtpMailer(settings.smtp_url, settings.mail_from, timeout=_SECONDS)
        is_encrypted = await mailer.check()
    except (MailUnavailableError, ValueError) as error:
        yield Finding(PART, "broken", f"SMTP_URL: {error}", _WAITS, _cure(error))
        return
    yield Finding(PART, "ok", f"the mail server {urlsplit(settings.smtp_url).hostname} lets us in")
    if not is_encrypted and not _is_local(settings.smtp_url):
        yield Finding(
            PART,
            "warning",
            "mails go to the server unencrypted",
            "Links that let people in can be read on the way.",
            "Add ?starttls=required to SMTP_URL, or use smtps://.",
        )
    if parse_address(settings.mail_from).domain == "localhost":
        yield Finding(
            PART,
            "warning",
            f"mails come from {settings.mail_from}",
            "Most mail servers refuse them or take them for spam.",
            "Set MAIL_FROM to an address of a domain whose SPF and DKIM name your mail server.",
        )


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}


def _cure(error: Exception) -> str:
    cause = error.__cause__
    causes = {type(each) for each in (cause, getattr(cause, "__cause__", None))}
    if any(issubclass(each, aiosmtplib.SMTPAuthenticationError) for each in causes):
        return "Correct user and password in SMTP_URL, percent-encoded; some services want a password made for apps."
    if (
        any(issubclass(each, ssl.SSLError) for each in causes)
        or "certificate" in str(error).lower()
    ):
        return "Use the name that is in the server's certificate, or trust its authority by ?ca_file=/path/to/ca.pem."
    if "STARTTLS" in str(error):
        return "Use a server that offers STARTTLS, or smtps://; ?starttls=never sends the password in the clear."
    return "Start it, correct host and port in SMTP_URL (25, 465 for smtps, 587), or let the firewall pass."
