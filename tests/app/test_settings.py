"""Settings: every variable is documented, and a wrong value is named."""

import json
import re
from ipaddress import ip_network
from pathlib import Path

import pytest

from app import settings
from app.settings import Settings, SettingsError

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_every_setting_is_documented_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    documented = dict(re.findall(r"^([A-Z_0-9]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))
    assert list(documented) == [name.upper() for name in Settings.model_fields]

    for name, value in documented.items():
        monkeypatch.setenv(name, value)

    assert settings.load() == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PORT", "eighty", "PORT: Input should be a valid integer"),
        ("PORT", "70000", "PORT: Input should be less than or equal to 65535"),
        (
            "DATABASE_URL",
            "mysql://host/db",
            "DATABASE_URL: Value error, expected a URL like postgres",
        ),
        ("REDIS_URL", "localhost:6379", "REDIS_URL: Value error, expected a URL like redis://host"),
        ("SECRET_KEY", "short", "SECRET_KEY: Value should have at least 32 characters, not 5"),
        ("ENVIRONMENT", "test", "ENVIRONMENT: Input should be 'development' or 'production'"),
        ("S3_BUCKET", "No Bucket", "S3_BUCKET: String should match pattern"),
        (
            "CORS_ORIGINS",
            "https://app.example.com/path",
            "CORS_ORIGINS: Value error, expected origins like https://app.example.com",
        ),
        ("CORS_ORIGINS", "*", "CORS_ORIGINS: Value error, expected origins like"),
        (
            "LARGEST_IMPORT_BYTES",
            "2147483648",
            "LARGEST_IMPORT_BYTES: Input should be less than or equal to 2147483647",
        ),
        ("OIDC_PROVIDERS", "acme", "OIDC_PROVIDERS: Value error, expected a JSON list"),
        ("OIDC_PROVIDERS", '[{"id": "acme"}]', "OIDC_PROVIDERS: Field required"),
        (
            "OIDC_ISSUER",
            "http://login.example",
            "OIDC_ISSUER: Value error, expected https://",
        ),
        ("OIDC_ISSUER", "https://login.example?x=1", "OIDC_ISSUER: Value error, expected an URL"),
        (
            "OIDC_ISSUER",
            "https://login.example",
            "Value error, OIDC_ISSUER and OIDC_CLIENT_ID go together",
        ),
        ("SMTP_URL", "mail.example", "SMTP_URL: Value error, expected a URL like smtp://host"),
        ("SMTP_URL", "smtp://host?tls=1", "SMTP_URL: Value error, unknown options: tls"),
        ("MAIL_FROM", "Earful", "MAIL_FROM: Value error, expected an address like name@host"),
        (
            "OUTGOING_ALLOWED_NETWORKS",
            "10.0.0.0/8,10.0.0.1/8",
            "OUTGOING_ALLOWED_NETWORKS: Value error, expected networks like 10.0.0.0/8",
        ),
    ],
)
def test_a_wrong_value_names_the_variable_and_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as refused:
        settings.load()

    assert str(refused.value).startswith(expected)


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setenv("RATE_LIMIT_SCALE", "none")

    with pytest.raises(SettingsError) as refused:
        settings.load()

    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "PORT",
        "RATE_LIMIT_SCALE",
    ]


def test_networks_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTGOING_ALLOWED_NETWORKS", "127.0.0.0/8, fd00::/8,")

    assert settings.load().outgoing_allowed_networks == (
        ip_network("127.0.0.0/8"),
        ip_network("fd00::/8"),
    )


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://app.example.com, http://localhost:5173,")

    assert settings.load().cors_origins == ("https://app.example.com", "http://localhost:5173")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("earful.example", "http://earful.example:8000"),
    ],
)
def test_the_base_url_is_one_that_clients_can_reach(host: str, base_url: str) -> None:
    assert Settings(host=host).base_url == base_url


ACME = {"id": "acme", "name": "Acme", "issuer": "https://login.example", "client_id": "us"}


def test_providers_are_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    described = {**ACME, "issuer": "https://login.example/t/.well-known/openid-configuration"}
    local = {**ACME, "id": "local", "issuer": "http://localhost:9000", "client_secret": "s"}
    monkeypatch.setenv("OIDC_PROVIDERS", json.dumps([described, local]))

    first, second = settings.load().identity_providers

    assert (first.issuer, first.client_secret) == ("https://login.example/t", None)
    assert first.scopes == ("openid", "email", "profile")
    assert second.client_secret is not None
    assert second.client_secret.get_secret_value() == "s"


def test_one_provider_needs_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "https://login.example/")
    monkeypatch.setenv("OIDC_CLIENT_ID", "us")

    (only,) = settings.load().identity_providers

    assert (only.id, only.name, only.issuer) == ("oidc", "login.example", "https://login.example/")
    assert settings.Settings().identity_providers == (only,)


@pytest.mark.parametrize(
    ("providers", "expected"),
    [
        ([ACME, ACME], "expected another id for each provider"),
        ([{**ACME, "scopes": ["email"]}], "expected openid among the scopes"),
        ([{**ACME, "id": "A/c"}], "String should match pattern"),
        ([{**ACME, "colour": "red"}], "Extra inputs are not permitted"),
    ],
)
def test_providers_that_cannot_be_are_refused_without_their_secrets(
    monkeypatch: pytest.MonkeyPatch, providers: list[dict[str, object]], expected: str
) -> None:
    secret = [{**each, "client_secret": "very secret"} for each in providers]
    monkeypatch.setenv("OIDC_PROVIDERS", json.dumps(secret))

    with pytest.raises(SettingsError, match=f"OIDC_PROVIDERS: .*{expected}") as refused:
        settings.load()
    assert "very secret" not in str(refused.value)


def test_providers_are_said_one_way_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_PROVIDERS", json.dumps([ACME]))
    monkeypatch.setenv("OIDC_ISSUER", "https://login.example")
    monkeypatch.setenv("OIDC_CLIENT_ID", "us")

    with pytest.raises(SettingsError, match="exclude each other"):
        settings.load()
