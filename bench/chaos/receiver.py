"""`python -m bench.chaos.receiver HTTP SMTP FILE`: takes webhooks and mail, and notes each before it answers.

Now and then it refuses for the moment, as servers do. A line of the file is what came (`post` or `mail`), its id, and
which job it was for.
"""

import asyncio
import random
import sys
from email import message_from_bytes
from pathlib import Path
from typing import IO

import orjson
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

_REFUSED = 0.03


class _Receiver:
    def __init__(self, noted: IO[str]) -> None:
        self._noted = noted

    def note(self, what: str, id_: str, number: str) -> None:
        self._noted.write(f"{what}\t{id_}\t{number}\n")
        self._noted.flush()

    async def post(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        if _is_refused():
            return web.Response(status=503)
        self.note("post", request.headers["webhook-id"], str(body["number"]))
        return web.Response(text="taken")

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        if _is_refused():
            return "451 try again later"
        content = envelope.original_content
        assert content is not None
        message = message_from_bytes(content)
        self.note("mail", message["message-id"].strip(), message["subject"].strip())
        return "250 taken"


def _is_refused() -> bool:
    return random.random() < _REFUSED  # noqa: S311 - not for secrets


async def _serve(http: int, smtp: int, noted: IO[str]) -> None:
    receiver = _Receiver(noted)
    loop = asyncio.get_running_loop()
    await loop.create_server(
        lambda: SMTP(receiver, hostname="mail.example", loop=loop), "127.0.0.1", smtp
    )
    application = web.Application()
    application.router.add_post("/", receiver.post)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", http).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with Path(sys.argv[3]).open("a") as file:
        asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), file))
