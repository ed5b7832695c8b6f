"""Sending mail."""

from clients.mail import Mail, MailRejectedError, MailUnavailableError
from domain.mail import SEND_MAIL, Message
from jobs.attempt import Attempt, FailedError, HopelessError
from jobs.metrics import Arrived
from jobs.resources import WorkerResources
from jobs.runner import Task


async def deliver(
    resources: WorkerResources, attempt: Attempt, message: Message, part: str = ""
) -> None:
    """Hand a message to the mail server; of a job that sends several each has a `part` of its own.

    A mail that is sent again, because nobody could record that it was sent, has the Message-ID that it had.
    """
    mail = Mail(
        to=message.to,
        subject=message.subject,
        text=message.text,
        html=message.html,
        reply_to=message.reply_to,
        message_id=f"<job.{attempt.id.hex}{part and '.' + part}@{resources.mail_domain}>",
    )
    mails = resources.metrics.mails
    try:
        await resources.mailer.send(mail)
    except MailRejectedError as error:
        mails.labels(Arrived.REFUSED).inc()
        raise HopelessError(f"the mail was rejected: {error}") from error
    except MailUnavailableError as error:
        mails.labels(Arrived.UNREACHABLE).inc()
        raise FailedError(f"the mail server does not take mail: {error}") from error
    mails.labels(Arrived.ACCEPTED).inc()


async def _send_mail(resources: WorkerResources, attempt: Attempt) -> None:
    await deliver(resources, attempt, Message(**attempt.arguments))


TASKS = (Task(SEND_MAIL, _send_mail),)
