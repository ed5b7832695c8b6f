"""The instance that commands work on: as the settings name it or, where they do not, what `make run` has started."""

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.embedded.state import State, is_free
from app.settings import Settings


def completed(settings: Settings) -> Settings:
    """The settings, with the stores and the secret key of a `make run` on the same DATA_DIR where none are named."""
    found = _started(settings.data_dir)
    missing = {name: value for name, value in found.items() if getattr(settings, name) is None}
    return settings.model_copy(update=missing)


def _started(directory: Path) -> dict[str, Any]:
    state = State(directory.absolute())
    found: dict[str, Any] = {}
    if (postgres := _address(state, "postgres", "sql")) is not None:
        password = state.get("postgres.password")
        found["database_url"] = f"postgresql://earful:{password}@{postgres}/earful"
    if (valkey := _address(state, "valkey", "redis")) is not None:
        found["redis_url"] = f"redis://:{state.get('valkey.password')}@{valkey}/0"
    if (s3 := _address(state, "s3", "s3.port")) is not None:
        found["s3_endpoint_url"] = f"http://{s3}"
        found["s3_access_key_id"] = state.get("s3.access_key_id")
        found["s3_secret_access_key"] = SecretStr(state.get("s3.secret_access_key") or "")
    key = directory / "secret.key"
    if found and key.exists():
        found["secret_key"] = SecretStr(key.read_text().strip())
    return found


def _address(state: State, server: str, port: str) -> str | None:
    """Where it listens; None when nothing does."""
    kept = state.get(f"{server}.port.{port}")
    return None if kept is None or is_free(int(kept)) else f"127.0.0.1:{kept}"
