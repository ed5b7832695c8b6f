"""Whether the machine and the settings fit what is to be served."""

import os
import resource
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from app.doctor.finding import Finding, Patient
from app.settings import Settings

PART = "machine"
_TIMEOUT = aiohttp.ClientTimeout(total=5)
_FEW_BYTES, _TOO_FEW_BYTES = 2 * 2**30, 200 * 2**20
# Beside the live connections: stores, requests, files.
_OTHER_FILES = 1_000
_FEWEST_CHARACTERS = 12
_LOCAL = {"localhost", "127.0.0.1", "::1"}


async def look(patient: Patient) -> AsyncIterator[Finding]:
    settings = patient.settings
    folder = _nearest(settings.data_dir)
    if folder.is_dir() and os.access(folder, os.W_OK):
        yield disk(folder, shutil.disk_usage(folder).free)
    else:
        yield Finding(
            PART,
            "broken",
            f"DATA_DIR={settings.data_dir} cannot be written to",
            "Mails without a server, and the stores of `make run`, are kept there.",
            f"Let DATA_DIR name a folder that the user {os.geteuid()} may write to.",
        )
    yield open_files(settings, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    if patient.is_nowhere:
        return
    for finding in (*_secret_key(settings), *_addresses(settings)):
        yield finding
    yield await _served(settings)


def disk(folder: Path, free: int) -> Finding:
    """What it means that so many bytes are free."""
    said = f"{free / 2**30:.1f} GiB are free below {folder}"
    if free >= _FEW_BYTES:
        return Finding(PART, "ok", said)
    return Finding(
        PART,
        "broken" if free < _TOO_FEW_BYTES else "warning",
        said,
        "When the disk is full Postgres stops, and what is not stored is refused.",
        "Make room, or let DATA_DIR name a larger disk.",
    )


def open_files(settings: Settings, most: int) -> Finding:
    """What it means that a process may have so many files open."""
    needed = settings.live_connections + _OTHER_FILES
    if most == resource.RLIM_INFINITY or most >= needed:
        return Finding(PART, "ok", "enough files may be open for LIVE_CONNECTIONS")
    return Finding(
        PART,
        "warning",
        f"a process may have {most:,} files open",
        f"Each live connection is one: LIVE_CONNECTIONS={settings.live_connections:,} cannot be reached, and beyond"
        " the limit nobody is let in.",
        f"Raise it to {needed:,} (`ulimit -Hn`, LimitNOFILE= of systemd, ulimits of compose), or lower"
        " LIVE_CONNECTIONS.",
    )


def _nearest(path: Path) -> Path:
    """The folder that is there, or would be made in."""
    path = path.absolute()
    return path if path.exists() or path.parent == path else _nearest(path.parent)


def _secret_key(settings: Settings) -> list[Finding]:
    if settings.secret_key is None:
        return [
            Finding(
                "settings",
                "broken",
                "SECRET_KEY is not set",
                "It seals the keys of access tokens and the secrets of webhooks.",
                "Set the same SECRET_KEY for all processes: `openssl rand -base64 48` makes one, once.",
            )
        ]
    if len(set(settings.secret_key.get_secret_value())) < _FEWEST_CHARACTERS:
        return [
            Finding(
                "settings",
                "broken",
                "SECRET_KEY can be guessed: it is made of few characters",
                "Whoever has a copy of the database and guesses it can sign in as anybody.",
                "Make one by `openssl rand -base64 48`, then `earful replace-keys` and new secrets for the sources.",
            )
        ]
    return [Finding("settings", "ok", "SECRET_KEY is long enough")]


def _addresses(settings: Settings) -> list[Finding]:
    url = urlsplit(settings.base_url)
    is_local = url.hostname in _LOCAL
    found = []
    if settings.environment == "production" and (is_local or url.scheme != "https"):
        found.append(
            Finding(
                "settings",
                "broken",
                f"in production PUBLIC_URL is {settings.base_url}",
                "Cookies are sent over https:// only, and links in mails name this address.",
                "Set PUBLIC_URL=https://... as people reach Earful.",
            )
        )
    if settings.environment == "development" and not is_local:
        found.append(
            Finding(
                "settings",
                "warning",
                f"ENVIRONMENT=development, and PUBLIC_URL is {settings.base_url}",
                "Everybody may ask for the schema, cookies go over http:// too, and webhooks may be sent to it.",
                "Set ENVIRONMENT=production.",
            )
        )
    if url.scheme == "https" and not settings.trusted_proxies:
        found.append(
            Finding(
                "settings",
                "warning",
                "TRUSTED_PROXIES is not set, and PUBLIC_URL is https://",
                "Something in between ends TLS; without its word all clients have its address, and share its limits.",
                "Name the networks of the proxies, as in TRUSTED_PROXIES=10.0.0.0/8.",
            )
        )
    return found or [Finding("settings", "ok", f"PUBLIC_URL is {settings.base_url}")]


async def _served(settings: Settings) -> Finding:
    url = f"{settings.base_url}/readyz"
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http, http.get(url) as answer:
            said = (await answer.text())[:300]
            if answer.ok:
                return Finding("api", "ok", f"{url} says that it is ready")
            text = f"{url} answers with {answer.status}: {said}"
    except (aiohttp.ClientError, TimeoutError) as error:
        text = f"{url} cannot be reached from here: {str(error) or 'no answer'}"
    return Finding(
        "api",
        "warning",
        text,
        "That is where clients, webhooks and links in mails go.",
        "Start `earful serve`, let the gateway pass to it, or correct PUBLIC_URL, HOST and PORT.",
    )
