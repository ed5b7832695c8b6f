"""Providers of identities: a real one in a process of its own, and one that can be made to lie."""

import base64
import hashlib
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.warnings import InsecureKeyLengthWarning

SECONDS = 20
CLIENT, SECRET = "earful & co", "a secret: of/ours"


@contextmanager
def real(directory: Path) -> Iterator[str]:
    """The issuer of a provider that runs as a process, with every check that it has."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with (directory / "provider.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "oidc_provider_mock",
                "--port",
                str(port),
                "--require-nonce",
                "true",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(issuer, process)
        yield issuer
    finally:
        process.terminate()
        process.wait(SECONDS)


def _wait_for(issuer: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + SECONDS
    while True:
        try:
            httpx.get(f"{issuer}/.well-known/openid-configuration").raise_for_status()
        except httpx.HTTPError:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def sign_in_at(url: str, subject: str) -> str:
    """What somebody does there: name themselves; answers where the browser is sent back to."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(url, data={"sub": subject, "action": "authorize"})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def _new_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2_048)


_NEW: Mapping[str, Callable[[], Any]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@dataclass(frozen=True, slots=True)
class Key:
    """What signs, and how it is published."""

    algorithm: str
    private: Any
    kid: str | None = "first"

    @staticmethod
    def of(algorithm: str, kid: str | None = "first") -> "Key":
        return Key(algorithm, _NEW.get(algorithm, _new_rsa)(), kid)

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        named = {} if self.kid is None else {"kid": self.kid}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            return jwt.encode(
                dict(claims), self.private, algorithm=self.algorithm, headers=named | header
            )

    def published(self, **more: Any) -> dict[str, Any]:
        jwk = jwt.get_algorithm_by_name(self.algorithm).to_jwk(
            self.private.public_key(), as_dict=True
        )
        named = {} if self.kid is None else {"kid": self.kid}
        return {**jwk, "use": "sig", "alg": self.algorithm, **named, **more}


@dataclass
class Liar:
    """A provider that does as OpenID Connect says, but for what a test changes."""

    issuer: str
    key: Key = field(default_factory=lambda: Key.of("ES256"))
    claims: dict[str, Any] = field(default_factory=dict)
    """What the ID token says in place of what is true; None is left out."""
    discovery: dict[str, Any] = field(default_factory=dict)
    user_info: dict[str, Any] | None = None
    keys: list[dict[str, Any]] | None = None
    id_token: str | None = None
    down: set[str] = field(default_factory=set)
    """Paths that answer 503."""
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)

    def grant(self, url: str, subject: str = "ada") -> str:
        """Somebody signs in; where the browser is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = hashlib.sha256(url.encode()).hexdigest()
        self.codes[code] = query | {"sub": subject}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path in self.down:
            return web.Response(status=503, text="down")
        match request.path:
            case "/.well-known/openid-configuration":
                return web.json_response(self._metadata())
            case "/keys":
                return web.json_response(
                    {"keys": [self.key.published()] if self.keys is None else self.keys}
                )
            case "/token":
                return self._token(request, await request.post())
            case "/userinfo":
                return web.json_response(self.user_info)
            case _:
                return web.Response(status=404)

    def _metadata(self) -> dict[str, Any]:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        if self.user_info is not None:
            told["userinfo_endpoint"] = f"{self.issuer}/userinfo"
        return told | self.discovery

    def _token(self, request: web.Request, form: Mapping[str, Any]) -> web.Response:
        asked = self.codes.pop(str(form.get("code")), None)
        digest = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge_method"] != "S256"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
            or form.get("grant_type") != "authorization_code"
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        if request.headers.get("authorization") != basic(CLIENT, SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        token = self.id_token or self.sign(asked)
        return web.json_response({"access_token": "at", "token_type": "Bearer", "id_token": token})

    def sign(self, asked: Mapping[str, str]) -> str:
        now = int(time.time())
        told = {
            "iss": self.issuer,
            "sub": asked["sub"],
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "email": f"{asked['sub']}@example.com",
            "email_verified": True,
            "name": "Ada",
        } | self.claims
        told = {name: value for name, value in told.items() if value is not None}
        return self.key.sign(told, **self.header)


def basic(name: str, secret: str) -> str:
    """As RFC 6749 has it: each part encoded as in a form."""
    encoded = [urlencode({"": part})[1:].replace("+", "%20") for part in (name, secret)]
    return "Basic " + base64.b64encode(":".join(encoded).encode()).decode()


@asynccontextmanager
async def liar() -> AsyncIterator[Liar]:
    """Such a provider, in this process."""
    port = free_port()
    provider = Liar(f"http://127.0.0.1:{port}")
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", provider.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield provider
    finally:
        await runner.cleanup()
