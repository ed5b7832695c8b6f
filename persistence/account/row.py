"""The tables of users and of how they sign in, and their rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from persistence.database import TIMESTAMP, Record, table


class User(SQLModel, table=True):
    """A person. Addresses are kept as written and compared without case.

    Who came by a provider of identities has no password until they set one. A second factor counts from
    `totp_enabled_at` on; `totp_step` is the last of its codes that was used. `wanted_avatar_id` is the file that is
    being made into their picture.
    """

    __tablename__ = "user"
    __table_args__ = (
        Index("user_email_key", text("lower(email)"), unique=True),
        Index("user_avatar_key_key", "avatar_key", unique=True),
        CheckConstraint(
            "totp_enabled_at IS NULL OR sealed_totp_secret IS NOT NULL AND totp_step IS NOT NULL",
            name="totp",
        ),
    )

    id: UUID = Field(primary_key=True)
    email: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    password_hash: str | None = Field(default=None, sa_type=Text)
    email_verified_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    avatar_key: str | None = Field(default=None, sa_type=Text)
    wanted_avatar_id: UUID | None = Field(default=None)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    password_changed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    sealed_totp_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    totp_enabled_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    totp_step: int | None = Field(default=None, sa_type=BigInteger)


class Session(SQLModel, table=True):
    """One sign-in on one device: the family that its refresh tokens belong to. Of a user who is gone, nobody's."""

    __tablename__ = "session"

    id: UUID = Field(primary_key=True)
    user_id: UUID | None = Field(
        default=None, foreign_key="user.id", ondelete="SET NULL", index=True
    )
    user_agent: str | None = Field(default=None, sa_type=Text)
    ip: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    last_seen_at: datetime = Field(sa_type=TIMESTAMP)
    expires_at: datetime = Field(sa_type=TIMESTAMP)
    revoked_at: datetime | None = Field(default=None, sa_type=TIMESTAMP, index=True)
    device: bytes | None = Field(default=None, sa_type=LargeBinary)


class RefreshToken(SQLModel, table=True):
    """The hash of an opaque token that may be used once."""

    __tablename__ = "refresh_token"

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    session_id: UUID = Field(foreign_key="session.id", ondelete="CASCADE", index=True)
    expires_at: datetime = Field(sa_type=TIMESTAMP)
    used_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class AccountToken(SQLModel, table=True):
    """The hash of a token that was mailed to `email`, or given to a browser, and what whoever has it may do once."""

    __tablename__ = "account_token"
    __table_args__ = (
        CheckConstraint(
            "purpose IN ('VERIFY_EMAIL', 'RESET_PASSWORD', 'CHANGE_EMAIL', 'LINK_IDENTITY')",
            name="purpose",
        ),
    )

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE", index=True)
    purpose: str = Field(sa_type=Text)
    email: str = Field(sa_type=Text)
    expires_at: datetime = Field(sa_type=TIMESTAMP, index=True)


class RecoveryCode(SQLModel, table=True):
    """The hash of a code that stands in for the second factor, once."""

    __tablename__ = "recovery_code"

    user_id: UUID = Field(primary_key=True, foreign_key="user.id", ondelete="CASCADE")
    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)


class Identity(SQLModel, table=True):
    """Whom a provider knows as `subject`, and who that is here; `email` as the provider said it last."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE", index=True)
    issuer: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    email: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    last_used_at: datetime = Field(sa_type=TIMESTAMP)


class SigningKey(SQLModel, table=True):
    """A key that signs access tokens until it is retired; the private half is sealed with SECRET_KEY."""

    __tablename__ = "signing_key"

    kid: str = Field(primary_key=True, sa_type=Text)
    sealed_private_key: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    retired_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class UserRow(Record):
    id: UUID
    email: str
    name: str
    email_verified: bool
    totp_enabled: bool
    avatar_key: str | None
    created_at: datetime


class CredentialsRow(UserRow):
    """What proves that somebody is this user."""

    password_hash: str | None
    password_changed_at: datetime | None
    sealed_totp_secret: bytes | None
    totp_step: int | None


class SessionRow(Record):
    id: UUID
    user_id: UUID
    user_agent: str | None
    ip: str | None
    created_at: datetime
    last_seen_at: datetime


class IdentityRow(Record):
    id: UUID
    user_id: UUID
    issuer: str
    email: str | None
    created_at: datetime
    last_used_at: datetime


class IdRow(Record):
    id: UUID


_user = table(User).c

USER_COLUMNS = (
    _user.id,
    _user.email,
    _user.name,
    _user.email_verified_at.is_not(None).label("email_verified"),
    _user.totp_enabled_at.is_not(None).label("totp_enabled"),
    _user.avatar_key,
    _user.created_at,
)
CREDENTIALS_COLUMNS = (
    *USER_COLUMNS,
    _user.password_hash,
    _user.password_changed_at,
    _user.sealed_totp_secret,
    _user.totp_step,
)
