"""The ASGI application and the process that serves it."""

import asyncio
import contextlib
import gc
import resource
import socket
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from app import telemetry
from app.connection import HttpConnection
from app.dashboard import Dashboard
from app.forms import Forms
from app.health import Readiness, live
from app.hooks import Hooks
from app.metrics.api import of_cache, of_documents, of_graphql, of_hooks, of_live, of_replica
from app.metrics.backlog import Backlog
from app.metrics.endpoint import MetricsEndpoint, joined
from app.metrics.registry import Metrics, of_database, of_model
from app.observed import observed
from app.oidc import OidcSignIn
from app.resources import Api, open_api
from app.settings import Settings, SettingsError
from graph import manifest
from graph.authentication import context_of, headers_of, recognise
from graph.documents import RequestError
from graph.execution import Operations
from graph.http import GraphQLOverHTTP, Receive, Scope, Send
from graph.manifest import ManifestError
from graph.proxies import Proxies
from graph.schema import schema
from graph.seats import Seats
from graph.sse import EventStreams
from graph.subscribing import Subscriptions
from graph.websocket import GraphQLOverWebSocket
from graph.websocket.socket import Socket

_log = structlog.get_logger(__name__)
_CHALLENGE = {"www-authenticate": "Bearer"}
PLAYGROUND = Path(__file__).parents[1] / "web" / "graphiql" / "dist"


class Application:
    """Routes by path: GraphQL and webhooks go straight to their endpoints, the rest through Starlette.

    Starlette's request and response objects would cost a GraphQL request as much as its execution.
    """

    def __init__(self, settings: Settings, operations: type[Operations] = Operations) -> None:
        self._settings = settings
        self._operations = operations
        self._proxies = Proxies(settings.trusted_proxies)
        self._readiness = Readiness()
        self._graphql: GraphQLOverHTTP | None = None
        self.websocket: GraphQLOverWebSocket | None = None
        self._streams: EventStreams | None = None
        self._hooks: Hooks | None = None
        self._forms: Forms | None = None
        self._dashboard: Dashboard | None = None
        self._metrics: MetricsEndpoint | None = None
        self._rest = Starlette(routes=self._routes())
        # It would lead to whatever host the request names.
        self._rest.router.redirect_slashes = False
        self._rest.router.default = self._miss
        # Only where there are other origins: it looks at every request.
        self._http = _shared(self._dispatch, settings) if settings.cors_origins else self._dispatch
        self.api: Api | None = None
        self.failure: Exception | None = None
        """Why it could not start."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            self._proxies.resolve(scope)
            # Each form has origins of its own.
            forms = self._forms if scope["path"].startswith("/forms/") else None
            await observed(forms or self._http, scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/graphql" and self._graphql:
            await self._graphql(scope, receive, send)
        elif path.startswith("/hooks/") and self._hooks:
            await self._hooks(scope, receive, send)
        elif self._dashboard and self._dashboard.has(scope):
            await self._dashboard(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    async def _miss(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._dashboard and self._dashboard.may_miss(scope):
            await self._dashboard.miss(scope, send)
        else:
            await self._rest.router.not_found(scope, receive, send)

    def drain(self) -> None:
        """Tell the load balancer, and send the live clients away, some at a time."""
        self._readiness.draining = True
        if self.websocket is not None:
            self.websocket.drain()
        if self._streams is not None:
            self._streams.drain()

    def socket(self, config: uvicorn.Config, server_state: ServerState, app_state: Any) -> Socket:
        """What uvicorn takes for its WebSocket protocol class: ASGI would cost each message as much as sending it."""
        assert self.websocket is not None  # noqa: S101 - uvicorn listens after startup
        return self.websocket(config, server_state, app_state)

    def _routes(self) -> list[BaseRoute]:
        return [
            Route("/", lambda _: RedirectResponse("/graphql"), methods=["GET"]),
            Route("/healthz", live, methods=["GET"]),
            Route("/readyz", self._readiness.ready, methods=["GET"]),
            Route("/metrics", self._tell, methods=["GET"]),
            Route("/schema.graphql", self._schema, methods=["GET"]),
            Route("/.well-known/jwks.json", self._jwks, methods=["GET"]),
            *OidcSignIn(lambda: self.api).routes(),
            Mount("/graphiql", StaticFiles(directory=PLAYGROUND)),
        ]

    async def _schema(self, request: Request) -> Response:
        audience = self._settings.shows_schema_to
        if audience == "nobody":
            return Response(status_code=404)
        if audience == "signed_in":
            if self.api is None:
                return Response(status_code=503)
            headers = headers_of(request.scope)  # type: ignore[arg-type]  # a scope is a dict
            context = context_of(self.api.services, request.scope, headers)  # type: ignore[arg-type]
            if context.key_secret is not None:
                await recognise(context, context.key_secret)
            if context.viewer_or_none is None:
                return PlainTextResponse("Sign in to see the schema.\n", 401, _CHALLENGE)
        return PlainTextResponse(schema.as_str() + "\n")

    async def _jwks(self, _: Request) -> Response:
        if self.api is None:
            return Response(status_code=503)
        keys = self.api.services.policy.access.jwks()
        return JSONResponse(keys, headers={"cache-control": "public, max-age=300"})

    async def _tell(self, request: Request) -> Response:
        if self._metrics is None:
            return Response(status_code=503)
        return await self._metrics.answer(request)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            opened = open_api(self._settings)
            self.open(await opened.__aenter__())
        except Exception as error:  # noqa: BLE001 - serve() raises it
            self.failure = error
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        _settle_memory()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await opened.__aexit__(None, None, None)
        # A signal may end the process as soon as this is said.
        await asyncio.to_thread(telemetry.close)
        await send({"type": "lifespan.shutdown.complete"})

    def open(self, api: Api) -> None:
        """Serve with these resources."""
        self.api = self._readiness.api = api
        services, settings = api.services, self._settings
        operations = self._operations(
            schema._schema,  # noqa: SLF001 - Strawberry keeps graphql-core's schema there; a contract test watches it
            seconds=settings.operation_seconds,
            most_points=settings.operation_points,
            introspection=settings.shows_schema_to,
            only_trusted=settings.only_trusted_documents,
            persisted=api.persisted if settings.persisted_queries else None,
            traces_events=settings.trace_events,
        )
        if settings.trusted_documents is not None:
            _trust(operations, settings.trusted_documents)
        self._dashboard = _dashboard(operations, settings)
        subscriptions = Subscriptions(operations, services.hub, services.memberships)
        seats = Seats(
            most=settings.live_connections,
            most_per_caller=settings.live_connections_per_caller * settings.rate_limit_scale,
        )
        drain_seconds = settings.shutdown_seconds / 4
        streams = EventStreams(operations, subscriptions, seats, drain_seconds=drain_seconds)
        self._streams = streams
        self._graphql = GraphQLOverHTTP(
            operations,
            services,
            streams,
            largest=settings.max_request_bytes,
            playground=PLAYGROUND / "index.html" if settings.has_playground else None,
            most_batched=settings.batch_size,
        )
        self.websocket = GraphQLOverWebSocket(
            operations,
            services,
            subscriptions,
            largest=settings.max_request_bytes,
            seats=seats,
            scale=settings.rate_limit_scale,
            drain_seconds=drain_seconds,
            proxies=self._proxies,
            origins=settings.origins,
        )
        self._hooks = Hooks(services, largest=settings.max_request_bytes)
        self._forms = Forms(services)
        metrics, backlog = Metrics("api"), Backlog(services.database, services.clock)
        metrics.watch(
            of_graphql(operations.engine, operations.requests),
            of_documents(operations.documents),
            of_live(services.hub, seats),
            of_hooks(self._hooks),
            of_database(services.database),
            of_model(api.model),
            backlog.collect,
        )
        if services.replica is not None:
            metrics.watch(of_replica(services.replica))
        if services.cache is not None:
            metrics.watch(of_cache(services.cache))
        self._metrics = MetricsEndpoint(settings, partial(joined, metrics, backlog, settings))


def _shared(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application, for pages of other origins too: those that are named, with their cookies, and no others."""
    return CORSMiddleware(
        app,
        allow_origins=settings.cors_origins,
        allow_credentials=True,
        allow_methods=["GET", "POST"],
        allow_headers=[
            "authorization",
            "content-type",
            "idempotency-key",
            "last-event-id",
            "traceparent",
        ],
        expose_headers=["etag", "ratelimit", "ratelimit-policy", "retry-after", "x-trace-id"],
        max_age=600,
    )


def _trust(operations: Operations, path: Path) -> None:
    try:
        operations.trust(manifest.read(path))
    except (ManifestError, RequestError) as refused:
        raise SettingsError(f"TRUSTED_DOCUMENTS: {refused}") from refused


def _dashboard(operations: Operations, settings: Settings) -> Dashboard | None:
    """The dashboard, whose documents are trusted; None where none was built, or for another schema."""
    stores = (settings.s3_public_url or settings.s3_endpoint_url,)
    dashboard = Dashboard.read(settings.dashboard, stores=tuple(filter(None, stores)))
    if dashboard is not None:
        try:
            operations.trust(dashboard.documents)
        except RequestError as refused:
            _log.warning("dashboard not served", reason=str(refused))
            return None
    return dashboard


def create_app(settings: Settings, operations: type[Operations] = Operations) -> Application:
    """The application; its resources are opened by the lifespan."""
    return Application(settings, operations)


def _settle_memory() -> None:
    """Take what is there at start, which stays, out of the garbage collector's rounds, and make these rarer.

    A response makes thousands of objects and no cycles: looking through them cost a tenth of the CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _raise_open_files() -> None:
    """Each socket takes a file descriptor; what shells allow by default would do for a thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then drain: running requests end, sockets are closed with 1012."""
    _raise_open_files()
    application = create_app(settings)
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        http=HttpConnection,
        loop="uvloop",
        ws=application.socket,  # type: ignore[arg-type]  # called like a class
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        # It would believe whoever connects from this machine.
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
    try:
        _Server(config, application).run()
    except SystemExit:
        if application.failure is None:
            raise
        raise application.failure from None


class _Server(uvicorn.Server):
    """Lets the application know that it is ending while its live connections are still open."""

    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application

    async def shutdown(self, sockets: "list[socket.socket] | None" = None) -> None:
        self._application.drain()
        await super().shutdown(sockets)
