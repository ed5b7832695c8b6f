"""Every setting of Earful: read from the environment once, checked before anything starts."""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from clients import mail
from clients.address import IpNetwork


class SettingsError(Exception):
    """The environment holds a value that cannot be used; the message names the variables."""


def _scheme(*allowed: str) -> AfterValidator:
    def check(url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in allowed or not urlsplit(url).hostname):
            expected = " or ".join(f"{scheme}://host..." for scheme in allowed)
            raise ValueError(f"expected a URL like {expected}")
        return url

    return AfterValidator(check)


def _smtp(url: str | None) -> str | None:
    if url is not None:
        mail.Server.parse(url)
    return url


def _issuer(url: str) -> str:
    """An URL over TLS, but on this machine; what the provider says of itself lies below it."""
    issuer = url.removesuffix("/.well-known/openid-configuration")
    parts = urlsplit(issuer)
    if parts.query or parts.fragment or not parts.hostname:
        raise ValueError("expected an URL like https://login.example.com")
    if parts.scheme != "https" and (parts.scheme, parts.hostname) not in _ON_THIS_MACHINE:
        raise ValueError("expected https://")
    return issuer


def _dsn(dsn: SecretStr | None) -> SecretStr | None:
    parts = urlsplit("" if dsn is None else dsn.get_secret_value())
    if dsn is not None and not (parts.scheme and parts.username and parts.hostname):
        raise ValueError("expected a DSN like https://key@sentry.example.com/1")
    return dsn


def _with_openid(scopes: tuple[str, ...]) -> tuple[str, ...]:
    if "openid" not in scopes:
        raise ValueError("expected openid among the scopes")
    return scopes


def _json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except ValueError as error:
        raise ValueError(f"expected a JSON list: {error}") from None


_ON_THIS_MACHINE = {("http", host) for host in ("localhost", "127.0.0.1", "::1")}


def _sender(text: str) -> str:
    mail.parse_address(text)
    return text


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(each.strip()) for each in value.split(",") if each.strip())
    except ValueError as error:
        raise ValueError(f"expected networks like 10.0.0.0/8, fd00::/8: {error}") from None


def _addresses(value: object) -> object:
    if not isinstance(value, str):
        return value
    return frozenset(each.strip().lower() for each in value.split(",") if each.strip())


def _list(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(each.strip().lower() for each in value.split(",") if each.strip())


def _siblings(value: object) -> object:
    if not isinstance(value, str):
        return value
    addresses = tuple(each.strip() for each in value.split(",") if each.strip())
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not (host and port.isdecimal()):
            raise ValueError(f"expected addresses like 127.0.0.1:9100, not {address}")
    return addresses


def _origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    origins = tuple(each.strip() for each in value.split(",") if each.strip())
    for origin in origins:
        parts = urlsplit(origin)
        if origin != f"{parts.scheme}://{parts.netloc}" or parts.scheme not in {"http", "https"}:
            raise ValueError(f"expected origins like https://app.example.com, not {origin}")
    return origins


Audience = Literal["everybody", "signed_in", "nobody"]
Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]
PostgresUrl = Annotated[str | None, _scheme("postgres", "postgresql")]
RedisUrl = Annotated[str | None, _scheme("redis", "rediss")]
HttpUrl = Annotated[str | None, _scheme("http", "https")]
SmtpUrl = Annotated[str | None, AfterValidator(_smtp)]
Addresses = Annotated[frozenset[str], NoDecode, BeforeValidator(_addresses)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list)]
Siblings = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_siblings)]
Networks = Annotated[tuple[IpNetwork, ...], NoDecode, BeforeValidator(_networks)]


Issuer = Annotated[str, AfterValidator(_issuer)]


class OidcProvider(BaseModel):
    """A provider of identities that people sign in with. Without a secret we are a public client."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    name: str = Field(min_length=1, max_length=100)
    issuer: Issuer
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    scopes: Annotated[tuple[str, ...], AfterValidator(_with_openid)] = (
        "openid",
        "email",
        "profile",
    )


def _distinct(providers: tuple[OidcProvider, ...]) -> tuple[OidcProvider, ...]:
    if len({each.id for each in providers}) < len(providers):
        raise ValueError("expected another id for each provider")
    return providers


OidcProviders = Annotated[
    tuple[OidcProvider, ...], NoDecode, BeforeValidator(_json), AfterValidator(_distinct)
]


class Settings(BaseSettings):
    """One frozen object; `.env.example` documents every variable in the same order."""

    model_config = SettingsConfigDict(
        frozen=True, env_file=None, extra="ignore", env_ignore_empty=True
    )

    # Serving
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: HttpUrl = None
    cors_origins: Origins = ()
    trusted_proxies: Networks = ()
    environment: Literal["development", "production"] = "development"
    data_dir: Path = Path(".earful")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    seed_demo: bool = True
    dashboard: Path = Path("web/dashboard/dist")
    shutdown_seconds: float = Field(default=10.0, gt=0, le=300)
    keep_alive_seconds: int = Field(default=5, ge=1, le=3_600)

    # Stores
    database_url: PostgresUrl = None
    database_direct_url: PostgresUrl = None
    database_replica_url: PostgresUrl = None
    database_replica_seconds: float = Field(default=5.0, gt=0, le=3_600)
    database_pool_size: int = Field(default=10, ge=1, le=500)
    database_prepared_statements: bool = True
    redis_url: RedisUrl = None
    s3_endpoint_url: HttpUrl = None
    s3_public_url: HttpUrl = None
    s3_access_key_id: str | None = None
    s3_secret_access_key: SecretStr | None = None
    s3_region: str = "us-east-1"
    s3_bucket: str = Field(default="earful", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")

    # Secrets and sessions
    secrets_dir: Path | None = None
    secret_key: SecretStr | None = Field(default=None, min_length=32)
    access_token_seconds: int = Field(default=600, ge=30, le=86_400)
    refresh_token_days: int = Field(default=30, ge=1, le=365)

    operators: Addresses = frozenset()

    # Signing in by others
    oidc_providers: OidcProviders = ()
    oidc_issuer: Issuer | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None

    # Work in the background
    job_history_days: int = Field(default=30, ge=1, le=3_650)
    audit_days: int = Field(default=400, ge=1, le=36_500)

    # Logs, traces and reports of bugs
    log_requests: bool = True
    otel_exporter_otlp_endpoint: HttpUrl = None
    otel_exporter_otlp_traces_endpoint: HttpUrl = None
    otel_service_name: str = Field(default="earful", min_length=1, max_length=255)
    otel_traces_sampler: Sampler = "parentbased_always_on"
    otel_traces_sampler_arg: float = Field(default=1.0, ge=0, le=1)
    trace_events: bool = False
    sentry_dsn: Annotated[SecretStr | None, AfterValidator(_dsn)] = None

    # Metrics
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    metrics_siblings: Siblings = ()

    # Limits
    rate_limit_scale: float = Field(default=1.0, gt=0, le=1_000_000)
    max_request_bytes: int = Field(default=1_048_576, ge=1_024, le=104_857_600)
    batch_size: int = Field(default=0, ge=0, le=50)
    operation_seconds: float = Field(default=20.0, gt=0, le=600)
    operation_points: int = Field(default=25_000, ge=100, le=100_000_000)
    live_retained_events: int = Field(default=50_000, ge=100, le=10_000_000)
    live_connections: int = Field(default=50_000, ge=1, le=1_000_000)
    live_connections_per_caller: int = Field(default=10_000, ge=1, le=1_000_000)

    # Files
    largest_import_bytes: int = Field(default=2**31 - 1, ge=1_024, le=2**31 - 1)
    workspace_file_bytes: int = Field(default=10 * 2**30, ge=1_024, le=2**50)

    # Mail and requests to others
    smtp_url: SmtpUrl = None
    mail_from: Annotated[str, AfterValidator(_sender)] = "earful@localhost"
    outgoing_allowed_networks: Networks = ()

    # Documents
    trusted_documents: Path | None = None
    only_trusted_documents: bool = False
    persisted_queries: int = Field(default=2_000, ge=0, le=1_000_000)
    response_cache: bool = False
    introspection: Audience | None = None

    # Scoring
    sentiment_model: Path | None = None
    sentiment_labels: Names = ()
    sentiment_languages: Names = ()
    sentiment_models: Path | None = None
    inference_threads: int | None = Field(default=None, ge=1, le=64)

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        ours = (self.oidc_issuer, self.oidc_client_id)
        if any(ours) and not all(ours):
            raise ValueError("OIDC_ISSUER and OIDC_CLIENT_ID go together")
        if any(ours) and self.oidc_providers:
            raise ValueError("OIDC_PROVIDERS and OIDC_ISSUER exclude each other")
        return self

    @property
    def identity_providers(self) -> tuple[OidcProvider, ...]:
        """Who may sign people in."""
        if self.oidc_issuer is None or self.oidc_client_id is None:
            return self.oidc_providers
        host = urlsplit(self.oidc_issuer).hostname or self.oidc_issuer
        return (
            OidcProvider(
                id="oidc",
                name=host,
                issuer=self.oidc_issuer,
                client_id=self.oidc_client_id,
                client_secret=self.oidc_client_secret,
            ),
        )

    @property
    def traces_endpoint(self) -> str | None:
        """Where spans go; None where they are not recorded."""
        base = self.otel_exporter_otlp_endpoint
        return self.otel_exporter_otlp_traces_endpoint or (
            None if base is None else f"{base.rstrip('/')}/v1/traces"
        )

    @property
    def models(self) -> Path:
        """Where operators put sentiment models that are to be activated, each in a directory of its own."""
        return self.sentiment_models or self.data_dir / "models"

    @property
    def reachable_host(self) -> str:
        """HOST as an address to connect to: a server may listen on all of them."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared only

    @property
    def base_url(self) -> str:
        """Where clients reach this server, without a trailing slash."""
        host = f"[{self.reachable_host}]" if ":" in self.reachable_host else self.reachable_host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def shows_schema_to(self) -> Audience:
        """Who may ask for the schema."""
        default: Audience = "everybody" if self.environment == "development" else "signed_in"
        return self.introspection or default

    @property
    def has_playground(self) -> bool:
        """Whether GraphiQL is served: not where it could neither know the schema nor ask anything."""
        return self.shows_schema_to != "nobody" and not self.only_trusted_documents

    @property
    def origins(self) -> tuple[str, ...]:
        """Whose pages may use this server with their cookies: its own and those that are named."""
        ours = urlsplit(self.base_url)
        return (f"{ours.scheme}://{ours.netloc}", *self.cors_origins)


def load(**overrides: object) -> Settings:
    """Read the environment and SECRETS_DIR; raises SettingsError naming each wrong variable and what was expected."""
    directory = os.environ.get("SECRETS_DIR") or None
    if directory is not None and not Path(directory).is_dir():
        raise SettingsError(f"SECRETS_DIR: there is no directory {directory}")
    try:
        return Settings(_secrets_dir=directory, **overrides)  # type: ignore[arg-type]  # pydantic validates them
    except ValidationError as error:
        lines = [
            ": ".join((*(str(part).upper() for part in problem["loc"][:1]), _said(problem["msg"])))
            for problem in error.errors()
        ]
        raise SettingsError("\n".join(lines)) from None


def _said(message: str) -> str:
    # Pydantic counts the items of a secret, which are its characters.
    return message.replace(" items after validation", " characters")
