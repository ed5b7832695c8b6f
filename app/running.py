"""The instance that commands work on: as the settings name it or, where they do not, what `make run` has started."""

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.embedded.state import State, is_free
from app.settings import Settings

_ADDRESS = {"host", "port", "public_url"}


def completed(settings: Settings) -> Settings:
    """The settings, with what `make run` on the same DATA_DIR has where they say nothing: stores, key, address."""
    state = State(settings.data_dir.absolute())
    found = _started(state, settings.data_dir)
    missing = {name: value for name, value in found.items() if getattr(settings, name) is None}
    if not settings.model_fields_set & _ADDRESS:
        missing |= _served(state)
    return settings.model_copy(update=missing)


def note_address(settings: Settings) -> None:
    """Keep where `make run` serves, for `completed`."""
    state = State(settings.data_dir.absolute())
    state.put("api.host", settings.host)
    state.put("api.port", str(settings.port))


def _started(state: State, directory: Path) -> dict[str, Any]:
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


def _served(state: State) -> dict[str, Any]:
    host, port = state.get("api.host"), state.get("api.port")
    return (
        {}
        if host is None or port is None or is_free(int(port))
        else {"host": host, "port": int(port)}
    )


def _address(state: State, server: str, port: str) -> str | None:
    """Where it listens; None when nothing does."""
    kept = state.get(f"{server}.port.{port}")
    return None if kept is None or is_free(int(kept)) else f"127.0.0.1:{kept}"
