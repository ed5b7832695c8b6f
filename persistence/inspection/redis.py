"""What Redis says of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import redis.asyncio
from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

Cause = Literal["password", "permission", "away"]


class RedisRefusedError(Exception):
    """No answer: which kind of refusal, and what Redis or the network said."""

    def __init__(self, cause: Cause, said: str) -> None:
        super().__init__(said)
        self.cause: Cause = cause


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """`ahead`: of how much its clock is ahead of ours. `limit` is in bytes, and 0 where there is none."""

    name: str
    version: tuple[int, ...]
    policy: str
    used: int
    limit: int
    keeps_log: bool
    cannot_write: str
    is_replica: bool
    is_cluster: bool
    ahead: timedelta


async def facts(client: "redis.asyncio.Redis", clock: Callable[[], datetime]) -> RedisFacts:
    """What it says; RedisRefusedError."""
    asked: Any = client
    try:
        info: dict[str, Any] = await asked.info()
        before = clock()
        seconds, micros = await asked.time()
        ahead = datetime.fromtimestamp(seconds, UTC) - (before + (clock() - before) / 2)
    except (AuthenticationError, AuthenticationWrongNumberOfArgsError) as error:
        raise RedisRefusedError("password", str(error)) from error
    except NoPermissionError as error:
        raise RedisRefusedError("permission", str(error)) from error
    except (RedisError, OSError) as error:
        # "NOAUTH" comes as one of these where no password was sent.
        cause: Cause = "away"
        if isinstance(error, ResponseError) and "uthentication" in str(error):
            cause = "password"
        raise RedisRefusedError(cause, str(error)) from error
    is_valkey = info.get("server_name") == "valkey"
    version = info["valkey_version"] if is_valkey else info["redis_version"]
    failed = [name for name in _WRITES if info.get(name, "ok") != "ok"]
    return RedisFacts(
        "Valkey" if is_valkey else "Redis",
        tuple(int(part) for part in str(version).split(".") if part.isdecimal()),
        str(info.get("maxmemory_policy", "noeviction")),
        int(info.get("used_memory", 0)),
        int(info.get("maxmemory", 0)),
        bool(info.get("aof_enabled")),
        ", ".join(failed),
        info.get("role") == "slave",
        bool(info.get("cluster_enabled")),
        ahead + timedelta(microseconds=micros),
    )


_WRITES = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
