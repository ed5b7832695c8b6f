"""What there is to say where nothing runs yet."""

from collections.abc import AsyncIterator

from app.doctor.finding import Finding, Patient

PART = "stores"


async def look(patient: Patient) -> AsyncIterator[Finding]:
    yield Finding(
        PART,
        "broken",
        f"none is named, and no `make run` runs on {patient.settings.data_dir.absolute()}",
        "There is no Postgres, no Redis and no bucket to look at.",
        "Start `make run` in another terminal and ask again, in the same folder or with the same DATA_DIR; for servers"
        " of your own set DATABASE_URL, REDIS_URL, S3_ENDPOINT_URL and SECRET_KEY.",
    )
