"""Whether Redis is there, and keeps what it is given."""

from collections.abc import AsyncIterator

from app.doctor.finding import Finding, Patient, clock
from app.stores import open_redis
from persistence.inspection import redis
from persistence.inspection.redis import Cause, RedisFacts, RedisRefusedError

PART = "redis"
_OLDEST = 7
_NEARLY_FULL = 0.9
_NOTHING = "Live streams, rate limits and the workers' wake-up calls go through it."
_CURES: dict[Cause, str] = {
    "password": "Correct the password in REDIS_URL: redis://:password@host:port/0, percent-encoded.",
    "permission": "Let the user run INFO, TIME, EVAL, streams and PUBLISH: `ACL SETUSER earful +@all ~* &*`.",
    "away": "Start it, correct REDIS_URL (rediss:// where it wants TLS), or let the firewall pass.",
}


async def look(patient: Patient) -> AsyncIterator[Finding]:
    if patient.settings.redis_url is None:
        yield Finding(
            PART, "broken", "REDIS_URL is not set", _NOTHING, "Set REDIS_URL, or start `make run`."
        )
        return
    try:
        async with open_redis(patient.settings) as client:
            facts = await redis.facts(client, patient.clock)
    except RedisRefusedError as refused:
        yield Finding(
            PART, "broken", f"Redis cannot be used: {refused}", _NOTHING, _CURES[refused.cause]
        )
        return
    version = ".".join(str(part) for part in facts.version)
    yield Finding(PART, "ok", f"{facts.name} {version} answers")
    yield clock(PART, facts.ahead)
    for finding in (*_of_server(facts, version), _keeping(facts), _eviction(facts)):
        yield finding


def _of_server(facts: RedisFacts, version: str) -> list[Finding]:
    found = []
    if facts.version < (_OLDEST,):
        found.append(
            Finding(
                PART,
                "broken",
                f"{facts.name} {version} is too old",
                "Earful's scripts and streams need Redis 7 or Valkey.",
                "Upgrade to Redis 7 or newer, or to Valkey.",
            )
        )
    if facts.is_replica:
        found.append(
            Finding(
                PART,
                "broken",
                "REDIS_URL is a replica, which cannot be written to",
                "Nothing can be published.",
                "Point REDIS_URL to the primary.",
            )
        )
    if facts.is_cluster:
        found.append(
            Finding(
                PART,
                "broken",
                "Redis runs as a cluster",
                "Earful's scripts take keys of several slots.",
                "Use one primary with replicas (Sentinel or a managed one), not cluster mode.",
            )
        )
    return found


def _keeping(facts: RedisFacts) -> Finding:
    if facts.cannot_write:
        return Finding(
            PART,
            "broken",
            f"Redis cannot write to its disk ({facts.cannot_write})",
            "It refuses writes, or a restart goes back in time.",
            "Give its disk room, and see its log.",
        )
    if not facts.keeps_log:
        return Finding(
            PART,
            "warning",
            "Redis keeps no append-only file",
            "After a restart live clients are told of a gap (StreamGap) and read anew; no feedback is lost.",
            "Set `appendonly yes` and `appendfsync everysec`.",
        )
    return Finding(PART, "ok", "its append-only file is on")


def _eviction(facts: RedisFacts) -> Finding:
    if facts.policy != "noeviction":
        return Finding(
            PART,
            "broken",
            f"Redis may throw away what Earful keeps: maxmemory-policy is {facts.policy}",
            "Streams that clients follow, and their offsets, would vanish when memory is short.",
            "Set `maxmemory-policy noeviction` (CONFIG SET, and in its configuration), and enough maxmemory.",
        )
    if facts.limit and facts.used > _NEARLY_FULL * facts.limit:
        return Finding(
            PART,
            "warning",
            f"Redis uses {facts.used / facts.limit:.0%} of its maxmemory",
            "When it is full it refuses writes: nothing is delivered.",
            "Raise maxmemory, or lower LIVE_RETAINED_EVENTS.",
        )
    return Finding(PART, "ok", "it evicts nothing")
