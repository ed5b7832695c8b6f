"""A receiver of webhooks, a process of its own, that believes nothing it cannot verify.

    python -m tests.jobs.receiver <log>

It prints its port, reads what to verify with (`whsec_...` or `whpk_...`), and writes a line of JSON for each request.
"""

import base64
import json
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

Verify = Callable[[bytes, dict[str, str]], object]


def with_secret(secret: str) -> Verify:
    webhook = Webhook(secret)
    return webhook.verify


def with_public_key(public_key: str) -> Verify:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))

    def verify(body: bytes, headers: dict[str, str]) -> None:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        version, _, signature = headers["webhook-signature"].partition(",")
        if version != "v1a":
            raise WebhookVerificationError(version)
        key.verify(base64.b64decode(signature), signed)

    return verify


class _Handler(BaseHTTPRequestHandler):
    verify: Verify
    log: Path

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            type(self).verify(body, headers)
            status = 204
        except (WebhookVerificationError, InvalidSignature):
            status = 401
        seen: dict[str, Any] = {"status": status, "headers": headers, "body": body.decode()}
        with self.log.open("a") as log:
            log.write(json.dumps(seen) + "\n")
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)  # noqa: T201 - whoever started it waits for that
    key = sys.stdin.readline().strip()
    _Handler.verify = staticmethod(
        with_secret(key) if key.startswith("whsec_") else with_public_key(key)
    )
    _Handler.log = Path(sys.argv[1])
    server.serve_forever()


if __name__ == "__main__":
    main()
