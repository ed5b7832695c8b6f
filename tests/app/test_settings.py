"""Settings: every variable is documented, and a wrong value is named."""

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
        ("SECRET_KEY", "short", "SECRET_KEY: Value should have at least 32 items"),
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
