"""Accounts in the schema: users, sessions, signing in and out, and what people change about themselves."""

import strawberry

from graph.account.email import EmailMutation
from graph.account.entry import ACCESS_COOKIE, REFRESH_COOKIE, EntryMutation
from graph.account.password import PasswordMutation
from graph.account.profile import ProfileMutation
from graph.account.second_factor import SecondFactorMutation
from graph.account.user import Session, User

__all__ = ["ACCESS_COOKIE", "REFRESH_COOKIE", "AccountMutation", "Session", "User"]


@strawberry.type
class AccountMutation(
    EntryMutation, EmailMutation, PasswordMutation, ProfileMutation, SecondFactorMutation
):
    pass
