"""Rows for tests: each has what the schema wants, and a test states only what it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain import audit, ids
from domain import feedback as feedbacks
from domain import schedule as schedules
from domain.alert import Channels, Definition, QuietHours
from domain.alert import Kind as AlertKind
from domain.events import JobsUpdated
from domain.ids import Kind
from domain.job import Kind as JobKind
from domain.schedule import Every, Plan
from domain.sentiment import Judgement, Span, Unscored
from domain.viewer import Viewer
from domain.webhook import event as webhooks
from persistence import alert as alert_store
from persistence import audit as audit_store
from persistence import erasure as erasure_store
from persistence import export_schedule as export_schedule_store
from persistence import feedback as feedback_store
from persistence import file as file_store
from persistence import job as job_store
from persistence import note as note_store
from persistence import saved_view as saved_view_store
from persistence import source as source_store
from persistence import tag as tag_store
from persistence import webhook as webhook_store
from persistence.database import Record, Statement, new_id
from tests.people import NOON, PASSWORD, WEBHOOK_SECRET, Partner, PeopleFactory, Person, Tenant

__all__ = [
    "NEGATIVE",
    "NEUTRAL",
    "NOON",
    "PASSWORD",
    "POSITIVE",
    "UNKNOWN",
    "WEBHOOK_SECRET",
    "Factory",
    "GivenScore",
    "Partner",
    "Person",
    "Tenant",
]


@dataclass(frozen=True, slots=True)
class GivenScore:
    label: str
    score: float
    confidence: float
    spans: Sequence[Span] = ()
    language: str | None = None
    model: str = "test-model-1"


@dataclass(frozen=True, slots=True)
class GivenNone:
    """Why there is no score."""

    reason: str
    language: str | None = None
    model: str = "test-model-1"


UNKNOWN = GivenNone("UNKNOWN_LANGUAGE", "ja")


@dataclass(frozen=True, slots=True)
class GivenSpan:
    start: int
    end: int
    label: str
    score: float
    confidence: float


POSITIVE = GivenScore("POSITIVE", 0.8, 0.9, (GivenSpan(0, 9, "POSITIVE", 0.8, 0.9),))
NEUTRAL = GivenScore("NEUTRAL", 0.1, 0.6)
NEGATIVE = GivenScore("NEGATIVE", -0.7, 0.8)

_LINK: Statement[Record] = Statement(
    text(
        "INSERT INTO feedback_tag (feedback_id, tag_id, workspace_id)"
        " SELECT id, :tag, :workspace FROM unnest(:feedback ::uuid[]) AS id"
    ),
    Record,
)


class Factory(PeopleFactory):
    """Inserts rows through the persistence layer and commits them."""

    async def feedback(
        self,
        tenant: Tenant,
        body: str = "It works.",
        *,
        source_id: UUID | None = None,
        score: Judgement | Unscored | None = None,
        **columns: Any,
    ) -> str:
        """A feedback, scored if a score is given; answers its id as the outside sees it."""
        id_ = new_id()
        values: dict[str, Any] = {
            "external_id": None,
            "author_name": None,
            "author_email": None,
            "author_external_id": None,
            "rating": None,
            "metadata": None,
            "occurred_at": NOON,
            "sealed": None,
        }
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            await feedback_store.add(
                uow,
                id=id_,
                workspace=tenant.id,
                source=source_id or tenant.source_id,
                body=body,
                **(values | columns),
            )
            if score is not None:
                said = feedbacks.said_by_model(id_, score, None)
                await feedback_store.score(uow, tenant.id, [said], model=score.model)
        return ids.write(Kind.FEEDBACK, id_)

    async def original(self, tenant: Tenant, feedback: str, **was: Any) -> None:
        """What of a feedback of the tenant's webhook source was masked."""
        id_ = ids.read(Kind.FEEDBACK, feedback)
        assert id_ is not None
        purpose = f"original of {tenant.source_id.hex}"
        sealed = self._services.seals.seal(orjson.dumps(was), purpose)
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            await feedback_store.keep_originals(uow, tenant.id, {id_: sealed})

    async def tag(self, tenant: Tenant, name: str, *feedback: str) -> str:
        """A tag, on these feedback too; answers its id as the outside sees it."""
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            tag = await tag_store.add(uow, workspace=tenant.id, name=name, color="#112233")
            await uow.execute(
                _LINK,
                tag=tag.id,
                workspace=tenant.id,
                feedback=[ids.read(Kind.FEEDBACK, id_) for id_ in feedback],
            )
        return ids.write(Kind.TAG, tag.id)

    async def webhook(
        self, tenant: Tenant, url: str = "http://receiver.example/hook", **values: Any
    ) -> str:
        """An endpoint with a secret; answers its id as the outside sees it."""
        given: dict[str, Any] = {"name": "Receiver", "url": url, "event_types": ["feedback.added"]}
        nothing = dict.fromkeys(("source_ids", "tag_ids", "sentiments", "selection"))
        id_ = new_id()
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            await webhook_store.add(
                uow,
                webhook=id_,
                workspace=tenant.id,
                algorithm="HMAC",
                created_by=tenant.owner.id,
                values=nothing | {"rate_per_second": 200} | given | values,
            )
            sealed = self._services.seals.seal(
                WEBHOOK_SECRET.encode(), f"webhook secret of {id_.hex}"
            )
            await webhook_store.add_secret(uow, tenant.id, id_, sealed)
        return ids.write(Kind.WEBHOOK, id_)

    async def deliveries(
        self, tenant: Tenant, webhook: str, count: int, feedback: str | None = None
    ) -> list[str]:
        """What an endpoint is to get, of the type `feedback.added`; answers the ids as the outside sees them."""
        endpoint = ids.read(Kind.WEBHOOK, webhook)
        about = feedback and ids.read(Kind.FEEDBACK, feedback)
        payload = orjson.dumps({"id": about and about.hex}).decode()
        assert endpoint is not None
        planned = [
            webhook_store.Planned(endpoint, new_id(), "feedback.added", payload, NOON)
            for _ in range(count)
        ]
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            await webhooks.ask(uow, tenant.id, endpoint)
            rows = await webhook_store.plan(uow, tenant.id, planned)
        return [ids.write(Kind.WEBHOOK_DELIVERY, row.id) for row in rows]

    async def delivery(self, tenant: Tenant, webhook: str, feedback: str | None = None) -> str:
        """One of them, perhaps of this feedback."""
        (delivery,) = await self.deliveries(tenant, webhook, 1, feedback)
        return delivery

    async def file(self, tenant: Tenant, *, feedback: str | None = None) -> str:
        """An attachment of the owner's that is READY, on this feedback if one is given; the bucket has no such object.

        Answers its id as the outside sees it.
        """
        id_ = new_id()
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            tomorrow = uow.now + timedelta(days=1)
            await file_store.add(
                uow,
                workspace=tenant.id,
                quota=2**40,
                id=id_,
                name="shot.png",
                content_type="image/png",
                size=10,
                sha256=None,
                purpose="ATTACHMENT",
                key=f"files/{id_.hex}",
                upload=None,
                created_by=tenant.owner.id,
                expires_at=tomorrow,
            )
            await file_store.settle(
                uow, tenant.id, id_, status="READY", reason=None, expires_at=tomorrow
            )
            if feedback is not None:
                feedback_id = ids.read(Kind.FEEDBACK, feedback)
                assert feedback_id is not None
                await file_store.attach(uow, tenant.id, feedback_id, [id_])
        return ids.write(Kind.FILE, id_)

    async def quarantined(
        self, tenant: Tenant, raw: bytes = b"{}", *, delivery: str = "msg_0"
    ) -> str:
        """What the tenant's webhook source sent that is no feedback; answers its id as the outside sees it."""
        id_ = new_id()
        await self.change(
            "INSERT INTO quarantined (id, source_id, workspace_id, delivery, reason, problems, raw,"
            " size, is_part, times, received_at) VALUES (:id, :source, :workspace, :delivery,"
            " 'The body is no feedback.', '[]', :raw, :size, false, 1, now())",
            within=tenant,
            id=id_,
            source=tenant.source_id,
            workspace=tenant.id,
            delivery=delivery,
            raw=raw,
            size=len(raw),
        )
        return ids.write(Kind.QUARANTINED, id_)

    async def spare_source(self, tenant: Tenant) -> str:
        """A source that has brought nothing; answers its id as the outside sees it."""
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            row = await source_store.add(
                uow, workspace=tenant.id, name="Spare", kind="API", provider="STANDARD"
            )
        return ids.write(Kind.SOURCE, row.id)

    async def webhook_attempt(self, tenant: Tenant, delivery: str, number: int = 1) -> None:
        """In the log, and nowhere else: an attempt that was answered 500."""
        await self.change(
            "INSERT INTO webhook_attempt (delivery_id, number, workspace_id, at, duration_ms,"
            " request_headers, request_body, status, response_headers, response_body)"
            " VALUES (:delivery, :number, :workspace, now(), 12, '{}', 'sent', 500, '{}', 'no')",
            within=tenant,
            delivery=ids.read(Kind.WEBHOOK_DELIVERY, delivery),
            number=number,
            workspace=tenant.id,
        )

    async def job(self, tenant: Tenant, kind: str = "score") -> str:
        """A queued job; answers its id as the outside sees it."""
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            row = await job_store.add(
                uow, workspace=tenant.id, kind=kind, arguments="{}", created_by=None
            )
        return ids.write(Kind.JOB, row.id)

    async def table(self, tenant: Tenant, body: bytes = b"text\nLate again.\n") -> str:
        """A CSV file to import, which the bucket has; answers its id as the outside sees it."""
        id_ = new_id()
        key = f"files/{tenant.id.hex}/{id_.hex}"
        await self._services.objects.put(key, body, "text/csv")
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            tomorrow = uow.now + timedelta(days=1)
            await file_store.add(
                uow,
                workspace=tenant.id,
                quota=2**40,
                id=id_,
                name="reviews.csv",
                content_type="text/csv",
                size=len(body),
                sha256=None,
                purpose="IMPORT",
                key=key,
                upload=None,
                created_by=tenant.owner.id,
                expires_at=tomorrow,
            )
            await file_store.settle(
                uow, tenant.id, id_, status="READY", reason=None, expires_at=tomorrow
            )
        return ids.write(Kind.FILE, id_)

    async def alert(self, tenant: Tenant, *samples: str) -> tuple[str, str]:
        """A rule of the workspace that tells its admins, and its firing alert; their ids as the outside sees them."""
        definition = Definition(
            AlertKind.COUNT, threshold=1, quiet_hours=QuietHours("22:00", "07:00")
        )
        rule = new_id()
        note: dict[str, Any] = {"event": "FIRED", "channel": "MAIL", "to": "a@example.com"}
        note |= {"status": "SENT", "at": NOON.isoformat(), "error": None}
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            await alert_store.keeping.add(
                uow,
                workspace=tenant.id,
                rule=rule,
                name="Much",
                kind="COUNT",
                definition=definition.to_json(),
                channels=Channels(admins=True).to_json(),
                sealed_urls=None,
                enabled=True,
                created_by=None,
            )
            row = await alert_store.raising.add(
                uow,
                workspace=tenant.id,
                rule=rule,
                name="Much",
                kind="COUNT",
                value=1.0,
                threshold=1.0,
                baseline=None,
                window=(NOON, NOON),
                query=definition.to_json(),
                sample_ids=[each for id_ in samples if (each := ids.read(Kind.FEEDBACK, id_))],
            )
            assert row is not None
            await alert_store.raising.note(
                uow, tenant.id, row.id, orjson.dumps({"FIRED MAIL": note}).decode()
            )
        return ids.write(Kind.ALERT_RULE, rule), ids.write(Kind.ALERT, row.id)

    async def note(self, tenant: Tenant, feedback: str, body: str = "Called back.") -> str:
        """What the owner has written on a feedback; answers its id as the outside sees it."""
        feedback_id = ids.read(Kind.FEEDBACK, feedback)
        assert feedback_id is not None
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            row = await note_store.add(
                uow,
                workspace=tenant.id,
                feedback=feedback_id,
                body=body,
                actor=tenant.owner.id,
            )
        return ids.write(Kind.FEEDBACK_NOTE, row.id)

    async def saved_view(
        self, tenant: Tenant, name: str = "All", *, is_private: bool = False, filter: str = "{}"
    ) -> str:
        """A view that the owner has saved, for all unless it is private; its id as the outside sees it."""
        owner = ids.read(Kind.MEMBER, await self.membership(tenant, tenant.owner))
        assert owner is not None
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            row = await saved_view_store.add(
                uow,
                workspace=tenant.id,
                name=name,
                filter=filter,
                order_by="NEWEST_FIRST",
                private_to={True: owner, False: None}[is_private],
                created_by=owner,
            )
        return ids.write(Kind.SAVED_VIEW, row.id)

    async def receipt(self, tenant: Tenant) -> str:
        """That the owner has erased an author of whom nothing was there; its id as the outside sees it."""
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            id_ = await erasure_store.add(
                uow,
                workspace=tenant.id,
                mode="ERASE",
                author=erasure_store.Author("EMAIL", "ada@example.com"),
                identifier_hash="00",
                by=tenant.owner.id,
                feedback=0,
                files=0,
                log_entries=0,
            )
        return ids.write(Kind.ERASURE, id_)

    async def entry(self, tenant: Tenant) -> str:
        """In the audit log, and nowhere else: that the owner has changed the workspace."""
        owner = Viewer(tenant.owner.id, tenant.owner.session_id, NOON)
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            what = audit.Action.WORKSPACE_UPDATED
            await audit.record(uow, owner, what, tenant.id, tenant.id, more={"name": "New"})
            entries = await audit_store.pages(
                uow,
                owner.id,
                ["OWNER"],
                [tenant.id],
                where=audit_store.Where(),
                limit=1,
                after=None,
            )
        return ids.write(Kind.AUDIT_ENTRY, entries[0].id)

    async def export_schedule(self, tenant: Tenant, name: str = "Yesterday") -> str:
        """An export of each day for the owner, who has asked for it; answers its id as the outside sees it."""
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            row = await export_schedule_store.add(
                uow,
                workspace=tenant.id,
                name=name,
                format="CSV",
                filter="{}",
                period="DAY",
                hour=7,
                time_zone="UTC",
                user_ids=[tenant.owner.id],
                enabled=True,
                updated_by=tenant.owner.id,
            )
        return ids.write(Kind.EXPORT_SCHEDULE, row.id)

    async def schedule(self, tenant: Tenant, name: str = "hourly", kind: str = "score") -> str:
        """A schedule of the workspace; answers its id as the outside sees it."""
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            row = await schedules.put(
                uow, Plan(name, JobKind(kind), Every(3600)), workspace=tenant.id
            )
        return ids.write(Kind.SCHEDULE, row.id)

    async def job_changed(
        self, tenant: Tenant, job: str, status: str, *, told: bool = True, **columns: Any
    ) -> None:
        """A job goes on as its worker would have it, and it is told; of `columns` the values."""
        id_ = ids.read(Kind.JOB, job)
        assert id_ is not None
        settings = "".join(f", {name} = :{name}" for name in columns)
        async with self._database.transaction() as uow:
            await uow.enter(tenant.id)
            statement: Statement[Record] = Statement(
                text(f"UPDATE job SET status = :status{settings} WHERE id = :id"), Record
            )
            await uow.execute(statement, id=id_, status=status, **columns)
            if told:
                event = JobsUpdated((id_,))
                uow.emit(tenant.id, event.kind, event.to_json())
