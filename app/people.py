"""Accounts from the command line."""

import asyncio
import getpass
import sys

from app.settings import Settings
from app.stores import open_database
from domain import account


def create_user(settings: Settings, *, email: str, name: str | None) -> None:
    """Add an account and say so. The operator vouches for the address."""
    password = _password()
    command = account.Register(email, password, name or email.partition("@")[0])
    user = asyncio.run(_add(settings, command))
    print(f"{user.email} may sign in.")


def _password() -> str:
    # Not as an argument: every user of the machine can read command lines.
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")


async def _add(settings: Settings, command: account.Register) -> account.User:
    async with open_database(settings, "earful create-user") as database:
        return await account.add(database, command)
