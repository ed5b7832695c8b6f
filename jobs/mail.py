"""Sending mail."""

from clients.mail import Attachment, Mail, MailRejectedError, MailUnavailableError
from domain import mail
from domain.mail import SEND_MAIL, Message
from jobs.attempt import Attempt, FailedError, HopelessError
from jobs.metrics import Arrived
from jobs.resources import WorkerResources
from jobs.runner import Task
from persistence.objects import ObjectsUnavailableError
from telemetry import trace
from telemetry.trace import Kind


async def deliver(
    resources: WorkerResources, attempt: Attempt, message: Message, part: str = ""
) -> None:
    """Hand a message to the mail server; of a job that sends several each has a `part` of its own.

    A mail that is sent again, because nobody could record that it was sent, has the Message-ID that it had.
    """
    sent = Mail(
        to=message.to,
        subject=message.subject,
        text=message.text,
        html=message.html,
        reply_to=message.reply_to,
        attachment=await _attachment(resources, message.attachment),
        message_id=f"<job.{attempt.id.hex}{part and '.' + part}@{resources.mail_domain}>",
    )
    mails = resources.metrics.mails
    try:
        with trace.part("send mail", Kind.CLIENT):
            await resources.mailer.send(sent)
    except MailRejectedError as error:
        mails.labels(Arrived.REFUSED).inc()
        raise HopelessError(f"the mail was rejected: {error}") from error
    except MailUnavailableError as error:
        mails.labels(Arrived.UNREACHABLE).inc()
        raise FailedError(f"the mail server does not take mail: {error}") from error
    mails.labels(Arrived.ACCEPTED).inc()


async def _attachment(
    resources: WorkerResources, asked: mail.Attachment | None
) -> Attachment | None:
    """The file's bytes; None where it has been deleted since."""
    if asked is None:
        return None
    try:
        if await resources.objects.find(asked.key) is None:
            return None
        content = b"".join([chunk async for chunk in resources.objects.chunks(asked.key)])
    except ObjectsUnavailableError as error:
        raise FailedError(str(error)) from error
    return Attachment(asked.name, asked.content_type, content)


async def _send_mail(resources: WorkerResources, attempt: Attempt) -> None:
    await deliver(resources, attempt, Message.of(attempt.arguments))


TASKS = (Task(SEND_MAIL, _send_mail),)
