"""Secrets as files: SECRETS_DIR."""

from pathlib import Path

import pytest

from app import settings
from app.settings import SettingsError


def test_settings_are_read_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret_key").write_text("a secret key that only this test uses\n")
    (tmp_path / "METRICS_TOKEN").write_text("a token of this test")
    (tmp_path / "tls_key").write_text("of no concern")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))

    found = settings.load()

    assert found.secret_key is not None
    assert found.secret_key.get_secret_value() == "a secret key that only this test uses"
    assert found.metrics_token is not None
    assert found.metrics_token.get_secret_value() == "a token of this test"


def test_the_environment_counts_before_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "redis_url").write_text("redis://file:6379/0")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", "redis://environment:6379/0")
    assert settings.load().redis_url == "redis://environment:6379/0"


def test_a_wrong_value_in_a_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "database_url").write_text("mysql://host/db")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    with pytest.raises(SettingsError, match="DATABASE_URL: Value error, expected a URL"):
        settings.load()


def test_a_directory_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "nothing"))
    with pytest.raises(SettingsError, match="SECRETS_DIR: there is no directory"):
        settings.load()
