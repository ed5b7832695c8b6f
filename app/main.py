"""The ASGI application and the process that serves it."""

from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from app.health import Readiness, live
from app.hooks import Hooks
from app.resources import Api, open_api
from app.settings import Settings
from graph.execution import Operations
from graph.http import GraphQLOverHTTP, Receive, Scope, Send
from graph.schema import schema
from graph.websocket import GraphQLOverWebSocket

PLAYGROUND = Path(__file__).parents[1] / "web" / "graphiql" / "dist"


class Application:
    """Routes by path: GraphQL and webhooks go straight to their endpoints, the rest through Starlette.

    Starlette's request and response objects would cost a GraphQL request as much as its execution.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._readiness = Readiness()
        self._graphql: GraphQLOverHTTP | None = None
        self._websocket: GraphQLOverWebSocket | None = None
        self._hooks: Hooks | None = None
        self._rest = Starlette(routes=self._routes())
        self.api: Api | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(receive, send)
        elif kind == "websocket" and scope["path"] == "/graphql" and self._websocket:
            await self._websocket(scope, receive, send)
        elif kind == "http" and scope["path"] == "/graphql" and self._graphql:
            await self._graphql(scope, receive, send)
        elif kind == "http" and scope["path"].startswith("/hooks/") and self._hooks:
            await self._hooks(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    def _routes(self) -> list[BaseRoute]:
        return [
            Route("/", lambda _: RedirectResponse("/graphql"), methods=["GET"]),
            Route("/healthz", live, methods=["GET"]),
            Route("/readyz", self._readiness.ready, methods=["GET"]),
            Route("/schema.graphql", _schema, methods=["GET"]),
            Route("/.well-known/jwks.json", self._jwks, methods=["GET"]),
            Mount("/graphiql", StaticFiles(directory=PLAYGROUND)),
        ]

    async def _jwks(self, _: Request) -> Response:
        if self.api is None:
            return Response(status_code=503)
        keys = self.api.services.policy.access.jwks()
        return JSONResponse(keys, headers={"cache-control": "public, max-age=300"})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            opened = open_api(self._settings)
            self.open(await opened.__aenter__())
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._readiness.draining = True
        await opened.__aexit__(None, None, None)
        await send({"type": "lifespan.shutdown.complete"})

    def open(self, api: Api) -> None:
        """Serve with these resources."""
        self.api = self._readiness.api = api
        services, settings = api.services, self._settings
        operations = Operations(schema._schema, seconds=settings.operation_seconds)  # noqa: SLF001 - Strawberry keeps graphql-core's schema there; a contract test watches it
        self._graphql = GraphQLOverHTTP(
            operations,
            services,
            largest=settings.max_request_bytes,
            playground=PLAYGROUND / "index.html",
        )
        self._websocket = GraphQLOverWebSocket(operations, services)
        self._hooks = Hooks(services, largest=settings.max_request_bytes)


async def _schema(_: Request) -> Response:
    return PlainTextResponse(schema.as_str() + "\n")


def create_app(settings: Settings) -> Application:
    """The application; its resources are opened by the lifespan."""
    return Application(settings)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then drain: running requests end, sockets are closed with 1012."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        http="httptools",
        loop="uvloop",
        ws="websockets-sansio",
        ws_max_size=settings.max_request_bytes,
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
    uvicorn.Server(config).run()
