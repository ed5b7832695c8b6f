"""The dashboard's built files, and the page that all of its paths show; without a build there is none."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import orjson

from graph.http import Receive, Scope, Send

_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".webmanifest": b"application/manifest+json",
}
# In the order in which they are preferred.
_ENCODINGS = ((b"br", ".br"), (b"gzip", ".gz"))
# What else is written for the server or for checks of the build.
_UNSERVED = {"server.json"}
# The service worker: its own policy binds what it fetches, and every page is its to answer for.
_WORKER = "sw.js"
_READING = {"GET", "HEAD"}
_PARAMETER = re.compile(r":\w+")

Pairs = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class _Body:
    content: bytes
    headers: Pairs


@dataclass(frozen=True, slots=True)
class _File:
    """A file in every encoding there is of it, under one tag each."""

    bodies: Mapping[bytes, _Body]

    def answer(self, accepted: bytes) -> _Body:
        for encoding, _ in _ENCODINGS:
            if encoding in self.bodies and _accepts(accepted, encoding):
                return self.bodies[encoding]
        return self.bodies[b""]


class Dashboard:
    """Answers for the paths of its pages and files; they are few and small, and kept in memory."""

    def __init__(
        self, files: Mapping[str, _File], pages: re.Pattern[str], documents: Mapping[str, str]
    ) -> None:
        self._files = files
        self._pages = pages
        self.documents = documents

    @classmethod
    def read(cls, folder: Path, *, stores: tuple[str, ...] = ()) -> Self | None:
        """What was built there; None where nothing was. `stores`: URLs that pages send files to and get them from."""
        if not (folder / "server.json").is_file():
            return None
        told = orjson.loads((folder / "server.json").read_bytes())
        policy = (b"content-security-policy", _policy(stores))
        files = {
            f"/{path.relative_to(folder).as_posix()}": _file(path, policy)
            for path in folder.rglob("*")
            if path.suffix in _TYPES and path.name not in _UNSERVED and ".vite" not in path.parts
        }
        pages = "|".join(_PARAMETER.sub("[^/]+", re.escape(each)) for each in told["paths"])
        return cls(files, re.compile(pages), told["documents"])

    def has(self, scope: Scope) -> bool:
        """Whether this is for it to answer: GET and HEAD of what it has, and nothing else."""
        return scope["method"] in _READING and self._found(scope["path"]) is not None

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        file = self._found(scope["path"])
        assert file is not None  # noqa: S101 - asked before
        headers = dict(scope["headers"])
        body = file.answer(headers.get(b"accept-encoding", b""))
        tags = dict(body.headers)[b"etag"]
        known = tags in [
            each.strip().removeprefix(b"W/")
            for each in headers.get(b"if-none-match", b"").split(b",")
        ]
        sized = (*body.headers, (b"content-length", b"%d" % len(body.content)))
        status, told = (304, body.headers) if known else (200, sized)
        content = b"" if known or scope["method"] == "HEAD" else body.content
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": content})

    def may_miss(self, scope: Scope) -> bool:
        """Whether somebody looks for a page, and is to see by one that there is none."""
        return (
            scope["type"] == "http"
            and scope["method"] in _READING
            and "." not in scope["path"].rpartition("/")[2]
            and b"text/html" in dict(scope["headers"]).get(b"accept", b"")
        )

    async def miss(self, scope: Scope, send: Send) -> None:
        """The page on which nothing is found."""
        body = self._files["/index.html"].bodies[b""]
        told = [pair for pair in body.headers if pair[0] != b"etag"]
        told.append((b"content-length", b"%d" % len(body.content)))
        content = b"" if scope["method"] == "HEAD" else body.content
        await send({"type": "http.response.start", "status": 404, "headers": told})
        await send({"type": "http.response.body", "body": content})

    def _found(self, path: str) -> _File | None:
        if self._pages.fullmatch(path):
            return self._files["/index.html"]
        return self._files.get(path) if path != "/index.html" else None


def _file(path: Path, policy: tuple[bytes, bytes]) -> _File:
    content = path.read_bytes()
    tag = hashlib.sha256(content).hexdigest()[:32].encode()
    # Vite writes a hash of the content into the names below assets/.
    lasting = (
        b"public, max-age=31536000, immutable" if path.parent.name == "assets" else b"no-cache"
    )
    always: Pairs = (
        (b"content-type", _TYPES[path.suffix]),
        (b"cache-control", lasting),
        (b"vary", b"accept-encoding"),
        *((policy,) if path.suffix == ".html" or path.name == _WORKER else ()),
        *(((b"service-worker-allowed", b"/"),) if path.name == _WORKER else ()),
    )
    bodies = {b"": _Body(content, (*always, (b"etag", b'"%b"' % tag)))}
    for encoding, suffix in _ENCODINGS:
        packed = path.with_name(path.name + suffix)
        if packed.is_file():
            own = ((b"etag", b'"%b-%b"' % (tag, encoding)), (b"content-encoding", encoding))
            bodies[encoding] = _Body(packed.read_bytes(), (*always, *own))
    return _File(bodies)


def _policy(stores: tuple[str, ...]) -> bytes:
    """What the page may load: what comes from here, and files from the bucket."""
    parts = [urlsplit(each) for each in stores]
    origins = " ".join(("'self'", *(f"{part.scheme}://{part.netloc}" for part in parts)))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        f"img-src {origins} data: blob:; connect-src {origins}; manifest-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ).encode()


def _accepts(accepted: bytes, encoding: bytes) -> bool:
    """Whether an Accept-Encoding names it, and not with `q=0`."""
    for each in accepted.lower().split(b","):
        name, _, quality = each.partition(b";")
        if name.strip() == encoding:
            return quality.replace(b" ", b"") not in {b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"}
    return False
