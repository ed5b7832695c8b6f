"""`earful doctor`: what is wrong with settings, stores and machine, why it matters, and what to do."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

import orjson

from app import settings as configuration
from app.doctor import machine, mail, model, oidc, postgres, redis, s3, stores
from app.doctor.finding import Finding, Look, Patient
from app.running import completed
from app.settings import SettingsError
from app.stores import now

__all__ = ["Finding", "Patient", "examine", "findings"]

_SECONDS = 30
_STORES: dict[str, Look] = {
    postgres.PART: postgres.look,
    redis.PART: redis.look,
    s3.PART: s3.look,
}
_NO_STORES: dict[str, Look] = {stores.PART: stores.look}
_OTHERS: dict[str, Look] = {
    mail.PART: mail.look,
    oidc.PART: oidc.look,
    model.PART: model.look,
}
_MARKS = {"ok": "ok      ", "warning": "WARNING ", "broken": "BROKEN  "}
_INDENT = " " * 12


def examine(*, as_json: bool) -> int:
    """Print what is found; 1 when something is broken."""
    try:
        settings = completed(configuration.load())
    except SettingsError as error:
        found = [_wrong_setting(line) for line in str(error).splitlines()]
    else:
        found = asyncio.run(findings(Patient(settings, now)))
    print(_json(found) if as_json else _text(found))
    return int(any(finding.state == "broken" for finding in found))


async def findings(patient: Patient) -> list[Finding]:
    """Of every part, in order; the parts are looked at side by side."""
    looks = {
        machine.PART: machine.look,
        **(_NO_STORES if patient.is_nowhere else _STORES),
        **_OTHERS,
    }
    of_parts = await asyncio.gather(*(_look(part, look, patient) for part, look in looks.items()))
    return [finding for of_part in of_parts for finding in of_part]


async def _look(part: str, look: Look, patient: Patient) -> list[Finding]:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(_SECONDS):
            async for finding in look(patient):
                found.append(finding)  # noqa: PERF401 - what was found before a failure counts
    except TimeoutError:
        found.append(_failed(part, f"it did not answer in {_SECONDS} s"))
    except Exception as error:  # noqa: BLE001 - the other parts are to be heard
        found.append(_failed(part, f"{type(error).__name__}: {error}"))
    return found


def _failed(part: str, said: str) -> Finding:
    why = "What is wrong with it is not known to the doctor."
    return Finding(part, "broken", f"the look at it failed: {said}", why, "See its own log.")


def _wrong_setting(line: str) -> Finding:
    why = "No process starts with it."
    cure = "Correct it in the environment; .env.example says what it may be."
    return Finding("settings", "broken", line, why, cure)


def _json(found: Sequence[Finding]) -> str:
    broken = sum(finding.state == "broken" for finding in found)
    said = {"broken": broken, "findings": [asdict(finding) for finding in found]}
    return orjson.dumps(said, option=orjson.OPT_INDENT_2).decode()


def _text(found: Sequence[Finding]) -> str:
    lines = []
    for finding in found:
        lines.append(f"  {_MARKS[finding.state]}  {finding.part}: {finding.text}")
        if finding.state != "ok":
            lines += [f"{_INDENT}Why: {finding.why}", f"{_INDENT}Do:  {finding.cure}"]
    counts = {state: sum(each.state == state for each in found) for state in ("broken", "warning")}
    lines.append(f"\n  {counts['broken']} broken, {counts['warning']} to look at.")
    return "\n".join(lines)
