"""Whether Postgres is there, good for Earful, and at this version."""

from collections.abc import AsyncIterator

from app.doctor.finding import Finding, Patient, clock
from app.settings import Settings
from app.stores import open_database, seals
from domain import account
from persistence import migrate
from persistence.inspection import postgres
from persistence.inspection.postgres import Cause, PostgresFacts, PostgresRefusedError

PART = "postgres"
_OLDEST = 150_000
_LATE_SECONDS = 60
_NOTHING = "Nothing works without it."
_CURES: dict[Cause, str] = {
    "password": "Correct user and password in DATABASE_URL (percent-encode what is no letter or digit), or the"
    " server's pg_hba.conf.",
    "database": "Create it, owned by Earful's role: CREATE DATABASE earful OWNER earful; or correct the name at the"
    " end of DATABASE_URL.",
    "full": "Raise max_connections, lower DATABASE_POOL_SIZE, or put PgBouncer in between.",
    "tls": "Make DATABASE_URL's sslmode fit the server: ?sslmode=require, or verify-full with sslrootcert=.",
    "host": "Correct the host in DATABASE_URL: its name is not known here.",
    "away": "Start it, correct host and port in DATABASE_URL, or let the firewall pass.",
}


async def look(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    if settings.database_url is None:
        yield Finding(
            PART,
            "broken",
            "DATABASE_URL is not set",
            _NOTHING,
            "Set DATABASE_URL, or start `make run`.",
        )
        return
    try:
        facts = await postgres.facts(settings.database_url, patient.clock)
    except PostgresRefusedError as refused:
        yield _refused("DATABASE_URL", refused)
        return
    yield Finding(PART, "ok", f"Postgres {facts.version} answers")
    yield clock(PART, facts.ahead)
    for finding in (*_of_server(facts, settings), _migrations(facts)):
        yield finding
    async for finding in _through_proxy(facts, patient):
        yield finding
    if settings.database_replica_url is not None:
        yield await _replica(settings.database_replica_url, patient)
    if facts.migration == migrate.known()[0]:
        if settings.secret_key is not None:
            yield await _secret_key(patient)
        yield await _progress(settings.database_url)


def _refused(variable: str, refused: PostgresRefusedError) -> Finding:
    said = f"Postgres cannot be used by {variable}: {refused}"
    return Finding(
        PART, "broken", said, _NOTHING, _CURES[refused.cause].replace("DATABASE_URL", variable)
    )


def _of_server(facts: PostgresFacts, settings: Settings) -> list[Finding]:
    found = []
    if facts.version_number < _OLDEST:
        found.append(
            Finding(
                PART,
                "broken",
                f"Postgres {facts.version} is too old",
                "Earful's statements need Postgres 15.",
                "Upgrade the server to 15 or newer (pg_upgrade).",
            )
        )
    if not facts.is_bound:
        found.append(
            Finding(
                PART,
                "broken",
                f"the role {facts.role} bypasses row-level security",
                "The wall between tenants that Postgres keeps, whatever a statement says, is not there.",
                f"ALTER ROLE {facts.role} NOSUPERUSER NOBYPASSRLS; or connect as another role that owns the tables.",
            )
        )
    if facts.is_standby:
        found.append(
            Finding(
                PART,
                "broken",
                "DATABASE_URL is a standby, which cannot be written to",
                "Every mutation and every job fails.",
                "Point DATABASE_URL to the primary.",
            )
        )
    if facts.encoding != "UTF8":
        found.append(
            Finding(
                PART,
                "broken",
                f"the database's encoding is {facts.encoding}",
                "Feedback in other scripts cannot be stored.",
                "Create the database with ENCODING 'UTF8' TEMPLATE template0 and restore into it.",
            )
        )
    free = facts.most_connections - facts.connections
    if free < settings.database_pool_size and not facts.is_proxied:
        found.append(
            Finding(
                PART,
                "warning",
                f"{free} of {facts.most_connections} connections are free",
                f"Each process opens up to DATABASE_POOL_SIZE={settings.database_pool_size}; one that gets none"
                " answers with 503.",
                "Raise max_connections, lower DATABASE_POOL_SIZE, or put PgBouncer in between.",
            )
        )
    return found


def _migrations(facts: PostgresFacts) -> Finding:
    known = migrate.known()
    if facts.migration == known[0]:
        return Finding(PART, "ok", f"all {len(known)} migrations are applied")
    if facts.migration is not None and facts.migration not in known:
        return Finding(
            PART,
            "warning",
            f"the database is ahead: migration {facts.migration} is not known to this Earful",
            "The version right before the one that migrated it goes on working; older ones may miss what is gone.",
            "Run the Earful that migrated it, or see docs/upgrading.md on going back.",
        )
    missing = known if facts.migration is None else known[: known.index(facts.migration)]
    return Finding(
        PART,
        "broken",
        f"{len(missing)} of {len(known)} migrations are missing, from {missing[-1]} on",
        "This code reads and writes what they add.",
        "Run `earful migrate`; it may run while the version before serves.",
    )


async def _through_proxy(facts: PostgresFacts, patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    assert settings.database_url is not None  # noqa: S101 - it was reached
    if facts.is_proxied:
        yield Finding(PART, "ok", "DATABASE_URL goes through a pooler")
        if settings.database_prepared_statements and not (
            await postgres.keeps_prepared_statements(settings.database_url)
        ):
            yield Finding(
                PART,
                "broken",
                "the pooler loses prepared statements",
                "In transaction mode the next statement may reach another server, where nothing is prepared:"
                " operations fail at random.",
                "Set DATABASE_PREPARED_STATEMENTS=false, or use PgBouncer 1.21 with max_prepared_statements = 200.",
            )
        if settings.database_direct_url is None:
            yield Finding(
                PART,
                "broken",
                "DATABASE_DIRECT_URL is not set, and DATABASE_URL goes through a pooler",
                "LISTEN and session locks do not survive a pooler in transaction mode: events wait, and two relays"
                " may lead.",
                "Set DATABASE_DIRECT_URL to Postgres itself.",
            )
    if settings.database_direct_url is None:
        return
    try:
        direct = await postgres.facts(settings.database_direct_url, patient.clock)
    except PostgresRefusedError as refused:
        yield _refused("DATABASE_DIRECT_URL", refused)
        return
    if direct.is_proxied:
        yield Finding(
            PART,
            "broken",
            "DATABASE_DIRECT_URL goes through a pooler",
            "LISTEN and session locks do not survive a pooler in transaction mode: events wait, and two relays"
            " may lead.",
            "Let DATABASE_DIRECT_URL name Postgres itself.",
        )


async def _replica(url: str, patient: Patient) -> Finding:
    why = "Queries are read from the primary as long as that is so."
    try:
        facts = await postgres.facts(url, patient.clock)
    except PostgresRefusedError as refused:
        said = f"the replica cannot be used by DATABASE_REPLICA_URL: {refused}"
        cure = _CURES[refused.cause].replace("DATABASE_URL", "DATABASE_REPLICA_URL")
        return Finding(PART, "warning", said, why, cure)
    if not facts.is_standby:
        said = "DATABASE_REPLICA_URL is no standby"
        cure = "Let it name a streaming replica of DATABASE_URL's server, or leave it empty."
        return Finding(PART, "warning", said, why, cure)
    return Finding(PART, "ok", "the replica answers")


async def _secret_key(patient: Patient) -> Finding:
    settings = patient.settings
    async with open_database(settings, "earful doctor") as store:
        opens = await account.opens_keys(store, seals(settings), patient.clock())
    if opens:
        return Finding("settings", "ok", "SECRET_KEY opens what the database has sealed")
    return Finding(
        "settings",
        "broken",
        "SECRET_KEY is not the one that this database's secrets were sealed with",
        "Nobody can sign in, and signed webhooks are refused.",
        "Give all processes the SECRET_KEY of before. If it is lost: `earful replace-keys`, and rotate each source's"
        " secret.",
    )


async def _progress(url: str) -> Finding:
    found = await postgres.progress(url)
    if found.oldest_event_seconds > _LATE_SECONDS:
        return Finding(
            PART,
            "broken",
            f"the oldest event has waited for {found.oldest_event_seconds:.0f} s to be delivered",
            "Live screens stand still, and jobs begin late.",
            "See that `earful relay` runs, and what it logs.",
        )
    if found.workers == 0:
        return Finding(
            PART,
            "warning",
            "no worker has been seen for two minutes",
            "Feedback is not scored, and mails, exports and webhooks wait.",
            "Start `earful worker`, or see what it logs.",
        )
    return Finding(PART, "ok", f"events are delivered, and {found.workers} workers work")
