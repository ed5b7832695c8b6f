"""Accounts: who may sign in, the sessions and tokens that follow from it, and what people change about themselves."""

from domain.account.email import confirm_change as confirm_email_change
from domain.account.email import request_change as request_email_change
from domain.account.email import request_verification, verify
from domain.account.entry import Login, Register, SignedIn, add, login, register
from domain.account.identity import (
    TICKET_LIFETIME,
    Identity,
    IdentityProvider,
    IdentityRefusedError,
    Proven,
    identities,
    identities_by_ids,
    open_text,
    open_ticket,
    seal_text,
    seal_ticket,
)
from domain.account.identity import sign_in as sign_in_by_identity
from domain.account.identity import unlink as unlink_identity
from domain.account.key import forget_expired, opens_keys, replace_keys, rotate_keys, signing_keys
from domain.account.leaving import DELETE_WORKSPACE, delete, delete_some
from domain.account.linking import LIFETIME as LINK_LIFETIME
from domain.account.linking import Wish, open_wish
from domain.account.linking import link as link_identity
from domain.account.linking import start as start_linking
from domain.account.mails import ACCOUNT_MAIL, About, compose
from domain.account.password import change as change_password
from domain.account.password import request_reset
from domain.account.password import reset as reset_password
from domain.account.people import User, is_operator, me, rename, users
from domain.account.second_factor import Secret, new_recovery_codes
from domain.account.second_factor import confirm as confirm_totp
from domain.account.second_factor import disable as disable_totp
from domain.account.second_factor import start as start_totp
from domain.account.session import (
    Client,
    Session,
    SessionPolicy,
    Tokens,
    logout,
    logout_by_token,
    open_session,
    refresh,
    revoke_others,
    revoke_session,
    revoked_since,
    sessions,
    sessions_by_ids,
)

__all__ = [
    "ACCOUNT_MAIL",
    "DELETE_WORKSPACE",
    "LINK_LIFETIME",
    "TICKET_LIFETIME",
    "About",
    "Client",
    "Identity",
    "IdentityProvider",
    "IdentityRefusedError",
    "Login",
    "Proven",
    "Register",
    "Secret",
    "Session",
    "SessionPolicy",
    "SignedIn",
    "Tokens",
    "User",
    "Wish",
    "add",
    "change_password",
    "compose",
    "confirm_email_change",
    "confirm_totp",
    "delete",
    "delete_some",
    "disable_totp",
    "forget_expired",
    "identities",
    "identities_by_ids",
    "is_operator",
    "link_identity",
    "login",
    "logout",
    "logout_by_token",
    "me",
    "new_recovery_codes",
    "open_session",
    "open_text",
    "open_ticket",
    "open_wish",
    "opens_keys",
    "refresh",
    "register",
    "rename",
    "replace_keys",
    "request_email_change",
    "request_reset",
    "request_verification",
    "reset_password",
    "revoke_others",
    "revoke_session",
    "revoked_since",
    "rotate_keys",
    "seal_text",
    "seal_ticket",
    "sessions",
    "sessions_by_ids",
    "sign_in_by_identity",
    "signing_keys",
    "start_linking",
    "start_totp",
    "unlink_identity",
    "users",
    "verify",
]
