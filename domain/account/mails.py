"""Mail about accounts: asked for by what happens, composed by the worker with the links that it holds.

No name stands in mail to an address that is not proven to be that person's: anybody can write anything there.
A link's token is made when its mail is composed: until then it is nowhere, and afterwards in the mail alone, its hash
in the database. So no job and no log ever holds one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain import job, tokens
from domain.job import Kind, Once, Priority
from domain.letters import Link, Part, letter
from domain.mail import Message
from persistence import account as store
from persistence.account import CredentialsRow
from persistence.database import UnitOfWork

ACCOUNT_MAIL = Kind(
    "account_mail",
    priority=Priority.HIGH,
    most_failures=30,
    first_pause=timedelta(seconds=2),
    longest_pause=timedelta(hours=1),
)
_NOT_YOU = "If this was not you, change your password now: that ends all other sessions."


class About(StrEnum):
    """What a mail is about. The first three hold a link whose token is good for that, and for nothing else."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 - a name
    CHANGE_EMAIL = "CHANGE_EMAIL"
    EMAIL_CHANGE_ASKED = "EMAIL_CHANGE_ASKED"
    NEW_DEVICE = "NEW_DEVICE"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - a name
    TOTP_ENABLED = "TOTP_ENABLED"
    TOTP_DISABLED = "TOTP_DISABLED"
    IDENTITY_LINKED = "IDENTITY_LINKED"
    IDENTITY_UNLINKED = "IDENTITY_UNLINKED"


LIFETIMES = {
    About.VERIFY_EMAIL: timedelta(days=7),
    About.RESET_PASSWORD: timedelta(hours=1),
    About.CHANGE_EMAIL: timedelta(days=1),
}
"""How long the link of a mail works."""


async def ask(uow: UnitOfWork, about: About, user: UUID, **facts: str | None) -> None:
    """Mail a user once this transaction has committed."""
    arguments = {"about": about.value, "user": user.hex} | facts
    await job.enqueue(uow, ACCOUNT_MAIL, workspace=None, arguments=arguments)


async def ask_for_reset(uow: UnitOfWork, email: str) -> None:
    """Mail whoever has this address, if anybody has: that is looked up by the worker, and takes nobody's time here."""
    await job.enqueue(
        uow,
        ACCOUNT_MAIL,
        workspace=None,
        arguments={"about": About.RESET_PASSWORD.value, "email": email},
        once=Once(email.lower()),
    )


async def compose(
    uow: UnitOfWork, arguments: Mapping[str, Any], *, base_url: str
) -> Message | None:
    """The mail that was asked for, or None when there is no reason for it any more."""
    about = About(arguments["about"])
    if "user" in arguments:
        user = await store.credentials_of(uow, UUID(hex=arguments["user"]))
    else:
        user = await store.credentials(uow, arguments["email"])
    if user is None:
        return None
    match about:
        case About.VERIFY_EMAIL:
            return None if user.email_verified else await _to_verify(uow, user, base_url)
        case About.RESET_PASSWORD:
            return await _to_reset(uow, user, base_url)
        case About.CHANGE_EMAIL:
            return await _to_change(uow, user, arguments, base_url)
        case _:
            # Before it is proven whose an address is, it is told nothing about the account.
            return await _notice(uow, about, user, arguments) if user.email_verified else None


async def _link(
    uow: UnitOfWork, about: About, user: CredentialsRow, email: str, text: str, base: str
) -> Link:
    token = tokens.new_mailed_token()
    await store.add_token(
        uow,
        token_hash=tokens.hash_token(token),
        user=user.id,
        purpose=about.value,
        email=email,
        expires_at=uow.now + LIFETIMES[about],
    )
    return Link(text, f"{base}?token={token}")


async def _to_verify(uow: UnitOfWork, user: CredentialsRow, base_url: str) -> Message:
    base = f"{base_url}/account/verify"
    link = await _link(uow, About.VERIFY_EMAIL, user, user.email, "Confirm this address", base)
    return letter(
        user.email,
        "Confirm your e-mail address",
        [
            "Hello,",
            f"an account was made at {base_url} with this address. Confirm that it is yours:",
            link,
            "The link works for seven days. If you made no account, there is nothing to do.",
        ],
    )


async def _to_reset(uow: UnitOfWork, user: CredentialsRow, base_url: str) -> Message:
    base = f"{base_url}/account/reset-password"
    link = await _link(uow, About.RESET_PASSWORD, user, user.email, "Set a new password", base)
    return letter(
        user.email,
        "Set a new password",
        [
            f"Hello {user.name}," if user.email_verified else "Hello,",
            f"somebody asked for a new password for your account at {base_url}. Set one here:",
            link,
            "The link works once, for an hour. If it was not you who asked, there is nothing to do.",
        ],
    )


async def _to_change(
    uow: UnitOfWork, user: CredentialsRow, arguments: Mapping[str, Any], base_url: str
) -> Message | None:
    changed = user.password_changed_at
    # Whoever asked may have been locked out by then, and could have kept the mail waiting.
    if changed is not None and changed >= datetime.fromisoformat(arguments["at"]):
        return None
    email, base = arguments["email"], f"{base_url}/account/confirm-email"
    link = await _link(uow, About.CHANGE_EMAIL, user, email, "Confirm this address", base)
    return letter(
        email,
        "Confirm your new e-mail address",
        [
            "Hello,",
            f"your account at {base_url} is to have this address from now on. Confirm that it is yours:",
            link,
            "The link works for a day. If you have no account there, there is nothing to do.",
        ],
    )


async def _other_ways(uow: UnitOfWork, user: CredentialsRow) -> list[Part]:
    """What a new password does not end: somebody else may have linked it."""
    issuers = sorted({each.issuer for each in await store.identities(uow, user.id)})
    if not issuers:
        return []
    return [
        f"It can be signed in to through {' and '.join(issuers)} as before. Unlink what is not yours."
    ]


async def _notice(
    uow: UnitOfWork, about: About, user: CredentialsRow, facts: Mapping[str, Any]
) -> Message:
    subject, parts = _words(about, facts)
    more = await _other_ways(uow, user) if about is About.PASSWORD_CHANGED else []
    return letter(user.email, subject, [f"Hello {user.name},", *parts, *more, _NOT_YOU])


def _words(about: About, facts: Mapping[str, Any]) -> tuple[str, list[Part]]:
    match about:
        case About.EMAIL_CHANGE_ASKED:
            return "Your e-mail address is to change", [
                f"your account is to have the address {facts['email']} instead of this one, once that is confirmed."
            ]
        case About.NEW_DEVICE:
            return "A new device has signed in", [
                "somebody signed in to your account from a device or a network that we had not seen there before.",
                f"When: {facts['at']}",
                f"Address: {facts['ip']}",
                f"Device: {facts['user_agent'] or 'unknown'}",
            ]
        case _:
            subject, sentence = _SENTENCES[about]
            return subject, [sentence.format(**facts)]


_SENTENCES = {
    About.PASSWORD_CHANGED: ("Your password was changed", "your account has a new password."),
    About.TOTP_ENABLED: (
        "Signing in takes a code now",
        "from now on your account takes a code of your authenticator app to sign in.",
    ),
    About.TOTP_DISABLED: (
        "Signing in takes no code any more",
        "your account takes no code of an authenticator app to sign in any more.",
    ),
    About.IDENTITY_LINKED: (
        "Another way to sign in",
        "from now on your account can be signed in to through {issuer} too, whatever its password. You can unlink it.",
    ),
    About.IDENTITY_UNLINKED: (
        "A way to sign in is gone",
        "your account cannot be signed in to through {issuer} any more.",
    ),
}
