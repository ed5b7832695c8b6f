"""Accounts in the schema: users, sessions, signing in and out, and what people change about themselves."""

import strawberry

from graph.account.email import EmailMutation
from graph.account.entry import ACCESS_COOKIE, REFRESH_COOKIE, AuthTokens, EntryMutation
from graph.account.identity import IdentityQuery
from graph.account.linking import LinkingMutation
from graph.account.password import PasswordMutation
from graph.account.profile import ProfileMutation
from graph.account.second_factor import SecondFactorMutation
from graph.account.user import Session, User

__all__ = [
    "ACCESS_COOKIE",
    "REFRESH_COOKIE",
    "AccountMutation",
    "AuthTokens",
    "IdentityQuery",
    "Session",
    "User",
]


@strawberry.type
class AccountMutation(
    EntryMutation,
    EmailMutation,
    PasswordMutation,
    ProfileMutation,
    SecondFactorMutation,
    LinkingMutation,
):
    pass
