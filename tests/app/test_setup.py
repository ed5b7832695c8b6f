"""A store that cannot be used is named by its variable, before anything is changed."""

import pytest

from app.settings import Settings, SettingsError
from app.setup import prepare

NOWHERE = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"database_url": f"postgresql://earful@{NOWHERE}/earful"}, "DATABASE_URL"),
        ({"redis_url": f"redis://{NOWHERE}/0"}, "REDIS_URL"),
        ({"s3_endpoint_url": f"http://{NOWHERE}"}, "S3_ENDPOINT_URL"),
    ],
)
def test_an_unreachable_store_is_named(
    settings: Settings, given: dict[str, str], variable: str
) -> None:
    with pytest.raises(SettingsError, match=rf"^{variable}: .* cannot be "):
        prepare(settings.model_copy(update=given))


def test_a_wrong_password_is_said(settings: Settings) -> None:
    assert settings.database_url is not None
    wrong = settings.database_url.replace("earful:", "earful:wrong", 1)

    with pytest.raises(SettingsError, match=r"^DATABASE_URL: .*password authentication failed"):
        prepare(settings.model_copy(update={"database_url": wrong}))


def test_preparing_twice_changes_nothing(settings: Settings) -> None:
    prepare(settings)
    prepare(settings)
