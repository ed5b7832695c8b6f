"""How often accounts may be tried: by one address, and against one account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.errors import InvalidCredentialsError
from graph.context import Context
from persistence.limits import Limit

REGISTRATIONS = Limit("register", points=300, seconds=3600)
LOGINS = Limit("login", points=300, seconds=60)
REFRESHES = Limit("refresh", points=300, seconds=60)
RESETS = Limit("reset", points=60, seconds=3600)
LINKS = Limit("account-link", points=120, seconds=3600)
CHANGES = Limit("account-change", points=300, seconds=3600)
"""By the address that asks: who registers, signs in, refreshes, has forgotten, opens a link, changes their account."""

FAILED_LOGINS = Limit("failed-login", points=10, seconds=300)
FAILED_CODES = Limit("failed-code", points=5, seconds=900)
FAILED_PASSWORDS = Limit("failed-password", points=10, seconds=300)
RESETS_OF_ONE = Limit("reset-of-one", points=5, seconds=3600)
MAILS = Limit("account-mail", points=5, seconds=3600)
"""Against one account: of codes five in a quarter of an hour, so that all of them would take years."""


@asynccontextmanager
async def guessing(context: Context, who: str, *limits: Limit) -> AsyncIterator[None]:
    """For what may be a guess at somebody's password or code: those that are wrong count, and the others do not.

    They are counted before it is known which they are, so that many at once are no more than one after the other.
    """
    spent: list[Limit] = []
    try:
        for limit in limits:
            await context.spend(limit, who)
            spent.append(limit)
        yield
    except InvalidCredentialsError:
        raise
    except BaseException:
        await _give_back(context, who, spent)
        raise
    await _give_back(context, who, spent)


def address_key(email: str) -> str:
    """One key for all ways to write an address."""
    return email.strip().lower()[:254]


async def _give_back(context: Context, who: str, limits: list[Limit]) -> None:
    for limit in limits:
        await context.services.limiter.give_back(limit, who)
