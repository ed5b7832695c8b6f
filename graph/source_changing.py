"""Sources made, changed, keyed anew, taken away, and what they sent tried again."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from domain import ids, masking, quarantine, source, source_preview, source_settings
from domain.ids import Kind
from domain.masker import Rules
from domain.provider import Heard, Unheard
from domain.scopes import Scope
from graph.access import scoped
from graph.context import Info
from graph.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from graph.job import Job
from graph.node import read_id, read_ids
from graph.scalars import JSON, json_text
from graph.source import PersonalData, Source, SourceKind, SourceProvider

_UNSET: Any = strawberry.UNSET


@strawberry.enum(description="How a GENERIC sender proves who it is.")
class GenericScheme(StrEnum):
    BEARER = "BEARER"
    HMAC = "HMAC"


@strawberry.enum(description="The hash function of an HMAC.")
class GenericAlgorithm(StrEnum):
    SHA1 = "SHA1"
    SHA256 = "SHA256"
    SHA512 = "SHA512"


@strawberry.enum(description="How an HMAC is written.")
class GenericEncoding(StrEnum):
    HEX = "HEX"
    BASE64 = "BASE64"


@strawberry.input(
    description="Where a body has what: JMESPath expressions, each up to 500 characters. https://jmespath.org"
)
class MappingInput:
    body: str = strawberry.field(description="The text.")
    items: str | None = strawberry.field(
        default=None,
        description="A list of feedback in the body, 1 to 500; what follows but `deliveryId` begins at an item.",
    )
    delivery_id: str | None = strawberry.field(
        default=None, description="The sender's own id of the delivery: the same is stored once."
    )
    external_id: str | None = strawberry.field(
        default=None,
        description="The sender's own id of the feedback: the same id is stored once, and changed by what comes later.",
    )
    rating: str | None = strawberry.field(default=None, description="A whole number from 0 to 10.")
    author_name: str | None = strawberry.field(default=None, description="The author's name.")
    author_email: str | None = strawberry.field(default=None, description="The author's address.")
    author_external_id: str | None = strawberry.field(
        default=None, description="The sender's own id of the author."
    )
    occurred_at: str | None = strawberry.field(
        default=None,
        description="When it was said: ISO 8601 with an offset, or seconds since 1970.",
    )
    metadata: str | None = strawberry.field(
        default=None, description="Anything else, such as `{plan: account.plan}`."
    )

    def values(self) -> Mapping[str, str]:
        given = {
            "items": self.items,
            "deliveryId": self.delivery_id,
            "body": self.body,
            "externalId": self.external_id,
            "rating": self.rating,
            "authorName": self.author_name,
            "authorEmail": self.author_email,
            "authorExternalId": self.author_external_id,
            "occurredAt": self.occurred_at,
            "metadata": self.metadata,
        }
        return {name: value for name, value in given.items() if value is not None}


@strawberry.input(description="How a GENERIC webhook is verified and read.")
class GenericInput:
    mapping: MappingInput = strawberry.field(description="Where its body has what.")
    scheme: GenericScheme = strawberry.field(
        default=GenericScheme.HMAC,
        description="HMAC: of the body, in a header. BEARER: the secret itself in a header, which a replay has too.",
    )
    header: str | None = strawberry.field(
        default=None,
        description="The header with the signature or the token; X-Signature or Authorization where it is missing.",
    )
    algorithm: GenericAlgorithm = strawberry.field(
        default=GenericAlgorithm.SHA256, description="For HMAC."
    )
    encoding: GenericEncoding = strawberry.field(
        default=GenericEncoding.HEX, description="For HMAC."
    )
    prefix: str = strawberry.field(
        default="", description="What stands before the signature, such as `sha256=`."
    )
    timestamp_header: str | None = strawberry.field(
        default=None,
        description="A header with the seconds since 1970. Then these, a full stop and the body are signed, and they "
        "must be within five minutes.",
    )

    def settings(self) -> source_settings.Generic:
        usual = "authorization" if self.scheme is GenericScheme.BEARER else "x-signature"
        stamp = self.timestamp_header
        return source_settings.Generic(
            mapping=self.mapping.values(),
            scheme=self.scheme.value,
            header=(self.header or usual).lower(),
            algorithm=self.algorithm.value,
            encoding=self.encoding.value,
            prefix=self.prefix,
            timestamp_header=None if stamp is None else stamp.lower(),
        )


@strawberry.input(description="Who may send a form.")
class FormInput:
    origins: list[str] = strawberry.field(
        description="The pages that may send it, such as `https://www.example.com`, or `*` for all: 1 to 50."
    )
    least_seconds: int = strawberry.field(
        default=2,
        description="Who sends it sooner after the page was opened is refused: 0 to 60 seconds.",
    )
    per_address_per_hour: int = strawberry.field(
        default=20, description="So many messages an address may send in an hour: 1 to 10,000."
    )

    def settings(self) -> source_settings.Form:
        return source_settings.Form(
            tuple(self.origins), self.least_seconds, self.per_address_per_hour
        )


@strawberry.input(
    description="What to mask before anything is stored. It concerns what comes from now on."
)
class MaskingInput:
    kinds: list[masking.Kind] = strawberry.field(
        graphql_type=list[PersonalData],  # type: ignore[valid-type]  # an enum of Strawberry's
        description="What is replaced in texts and metadata, by words such as `[email]`: at least one.",
    )
    authors: bool = strawberry.field(
        default=False,
        description="Mask the author's name too, and leave out their address (with EMAIL) and an id that is personal.",
    )
    reversible: bool = strawberry.field(
        default=False,
        description="Keep what was there, sealed, for `revealFeedback`. Where this is taken back, what was kept goes.",
    )

    def rules(self) -> Rules:
        return Rules(tuple(self.kinds), self.authors, self.reversible)


_GIVEN = (
    "The secret that the provider has made: 8 to 512 printable characters. STRIPE, SLACK, INTERCOM and ZENDESK make "
    "it themselves; for others one is made here where it is missing."
)
_RATE = "So many messages are taken in a minute at most, 1 to 1,000,000; null for the server's own limit."


@strawberry.input(description="A new source.")
class CreateSourceInput:
    workspace_id: strawberry.ID = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(description="Up to 200 characters.")
    kind: SourceKind = strawberry.field(
        default=SourceKind.WEBHOOK, description="How feedback comes in."
    )
    provider: SourceProvider = strawberry.field(
        default=SourceProvider.STANDARD,
        description="Whose webhook style it speaks; STANDARD for other kinds.",
    )
    secret: str | None = strawberry.field(
        default=None, description=_GIVEN + " It can be given later, by `rotateSourceSecret`."
    )
    generic: GenericInput | None = strawberry.field(
        default=None, description="Required for GENERIC webhooks, and for these only."
    )
    form: FormInput | None = strawberry.field(
        default=None, description="For forms only; until it is set nobody may send."
    )
    deliveries_per_minute: int | None = strawberry.field(default=None, description=_RATE)
    masking: MaskingInput | None = strawberry.field(
        default=None, description="What to mask; nothing where it is missing."
    )

    def command(self) -> source.CreateSource:
        return source.CreateSource(
            workspace_id=read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            name=self.name,
            kind=self.kind.value,
            provider=self.provider.value,
            secret=self.secret,
            generic=None if self.generic is None else self.generic.settings(),
            form=None if self.form is None else self.form.settings(),
            deliveries_per_minute=self.deliveries_per_minute,
            masking=None if self.masking is None else self.masking.rules(),
        )


@strawberry.type(description="The source was made.")
class CreateSourceSuccess:
    source: Source = strawberry.field(description="The new source.")
    signing_secret: str | None = strawberry.field(
        description="To sign with; shown this once. Null for kinds that sign nothing, and where the provider makes it "
        "and has not been asked yet."
    )


@strawberry.input(description="What is to be other than it is.")
class UpdateSourceInput:
    source_id: strawberry.ID = strawberry.field(description="The source.")
    name: str | None = strawberry.field(default=_UNSET, description="Up to 200 characters.")
    generic: GenericInput | None = strawberry.field(
        default=_UNSET, description="Of a GENERIC webhook: all of it."
    )
    form: FormInput | None = strawberry.field(default=_UNSET, description="Of a form: all of it.")
    deliveries_per_minute: int | None = strawberry.field(default=_UNSET, description=_RATE)
    masking: MaskingInput | None = strawberry.field(
        default=_UNSET, description="What to mask: all of it; null for nothing."
    )

    def command(self) -> source.UpdateSource:
        values: dict[str, Any] = {
            "name": self.name,
            "generic": self.generic and self.generic.settings(),
            "form": self.form and self.form.settings(),
            "deliveries_per_minute": self.deliveries_per_minute,
            "masking": self.masking and self.masking.rules(),
        }
        return source.UpdateSource(
            read_id(Kind.SOURCE, self.source_id, "sourceId"),
            {name: value for name, value in values.items() if value is not _UNSET},
        )


@strawberry.type(description="The source is like this now.")
class UpdateSourceSuccess:
    source: Source = strawberry.field(description="The source.")


@strawberry.input(
    description="Which source gets another secret, or a form another publishable key."
)
class RotateSourceSecretInput:
    source_id: strawberry.ID = strawberry.field(description="The source.")
    secret: str | None = strawberry.field(default=None, description=_GIVEN)
    overlap_hours: int = strawberry.field(
        default=24,
        description="So long the secret before is good beside the new one, from 0 to 168 hours; 0 ends all older ones "
        "at once. Five are good at once at most. A form's key before is void at once.",
    )


@strawberry.type(description="The source has another secret, or another publishable key.")
class RotateSourceSecretSuccess:
    source: Source = strawberry.field(description="The source.")
    signing_secret: str | None = strawberry.field(
        description="The new secret, shown this once; null for a form."
    )


@strawberry.input(description="Which source to take away.")
class DeleteSourceInput:
    source_id: strawberry.ID = strawberry.field(description="The source.")


@strawberry.type(description="Nothing comes in from this source any more.")
class DeleteSourceSuccess:
    source_id: strawberry.ID = strawberry.field(description="The source that was taken away.")
    job: Job | None = strawberry.field(
        description="The job that deletes its feedback; null where it had none, and is gone."
    )


@strawberry.input(description="What to try again.")
class ReplayQuarantinedInput:
    source_id: strawberry.ID = strawberry.field(description="The source.")
    ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Up to 100 of what it sent; all where it is missing."
    )


@strawberry.type(
    description="It was tried again. What was stored has left the quarantine. Of more than 100 a job tries all."
)
class ReplayQuarantinedSuccess:
    source: Source = strawberry.field(description="The source.")
    stored: int = strawberry.field(description="How many were stored now.")
    duplicates: int = strawberry.field(description="How many were stored already.")
    failed: int = strawberry.field(description="How many are still no feedback.")
    job: Job | None = strawberry.field(
        description="The job that does it where there are many; its `result` has the same numbers."
    )


@strawberry.input(description="A body to try.")
class PreviewSourceInput:
    workspace_id: strawberry.ID = strawberry.field(
        description="A workspace whose sources you may manage."
    )
    body: str = strawberry.field(description="A sample of what is sent, up to 262,144 characters.")
    provider: SourceProvider = strawberry.field(
        default=SourceProvider.GENERIC, description="Whose style it is in."
    )
    mapping: MappingInput | None = strawberry.field(
        default=None, description="Required for GENERIC, and for it only."
    )

    def command(self) -> source_preview.PreviewSource:
        return source_preview.PreviewSource(
            read_id(Kind.WORKSPACE, self.workspace_id, "workspaceId"),
            self.provider.value,
            None if self.mapping is None else self.mapping.values(),
            self.body,
        )


@strawberry.type(description="What a part of the sample would become.")
class SourcePreviewEntry:
    feedback: JSON | None = strawberry.field(
        description="The feedback as it would be stored, by the fields of `SubmitFeedbackInput`; null where it is none."
    )
    reason: str | None = strawberry.field(description="Why it is no feedback; null where it is.")
    problems: list[FieldProblem] = strawberry.field(
        description="What is wrong, by place: a field of the mapping, or of the feedback."
    )


@strawberry.type(description="What the sample would become. Nothing was stored.")
class PreviewSourceSuccess:
    entries: list[SourcePreviewEntry] = strawberry.field(description="The first 20.")
    count: int = strawberry.field(description="How many there are.")
    delivery_id: str | None = strawberry.field(
        description="The sender's id of the delivery; null where it has none."
    )
    answer: JSON | None = strawberry.field(
        description="What it would be answered, where it is a question of the provider's and no event."
    )


CreateSourceResult = Annotated[
    CreateSourceSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("CreateSourceResult"),
]
UpdateSourceResult = Annotated[
    UpdateSourceSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("UpdateSourceResult"),
]
RotateSourceSecretResult = Annotated[
    RotateSourceSecretSuccess | InvalidInput | Conflict | Forbidden | NotFound,
    strawberry.union("RotateSourceSecretResult"),
]
DeleteSourceResult = Annotated[
    DeleteSourceSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("DeleteSourceResult"),
]
ReplayQuarantinedResult = Annotated[
    ReplayQuarantinedSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("ReplayQuarantinedResult"),
]
PreviewSourceResult = Annotated[
    PreviewSourceSuccess | InvalidInput | Forbidden | NotFound,
    strawberry.union("PreviewSourceResult"),
]


def _shown(entry: Heard | Unheard) -> SourcePreviewEntry:
    if isinstance(entry, Unheard):
        problems = [FieldProblem(path=list(e.path), message=e.message) for e in entry.problems]
        return SourcePreviewEntry(feedback=None, reason=entry.reason, problems=problems)
    return SourcePreviewEntry(feedback=JSON(source_preview.shown(entry)), reason=None, problems=[])


@strawberry.type
class SourceMutation:
    @strawberry.mutation(
        extensions=[scoped(Scope.SOURCES_MANAGE)],
        description="Make a source. Needs the role ADMIN.",
    )
    async def create_source(self, info: Info, input: CreateSourceInput) -> CreateSourceResult:
        async with info.context.transaction() as uow:
            created = await source.create(
                uow, info.context.viewer, input.command(), info.context.services.seals
            )
        return CreateSourceSuccess(source=created.source, signing_secret=created.secret)  # type: ignore[arg-type]  # rows are sources

    @strawberry.mutation(
        extensions=[scoped(Scope.SOURCES_MANAGE)],
        description="Change a source. Needs the role ADMIN.",
    )
    async def update_source(self, info: Info, input: UpdateSourceInput) -> UpdateSourceResult:
        async with info.context.transaction() as uow:
            changed = await source.update(uow, info.context.viewer, input.command())
        return UpdateSourceSuccess(source=changed)  # type: ignore[arg-type]  # rows are sources

    @strawberry.mutation(
        extensions=[scoped(Scope.SOURCES_MANAGE)],
        description="Give a webhook another secret, with some time in which both are good, or a form another "
        "publishable key. Needs the role ADMIN.",
    )
    async def rotate_source_secret(
        self, info: Info, input: RotateSourceSecretInput
    ) -> RotateSourceSecretResult:
        async with info.context.transaction() as uow:
            rotated = await source.rotate_secret(
                uow,
                info.context.viewer,
                read_id(Kind.SOURCE, input.source_id, "sourceId"),
                secret=input.secret,
                overlap_hours=input.overlap_hours,
                seals=info.context.services.seals,
            )
        return RotateSourceSecretSuccess(source=rotated.source, signing_secret=rotated.secret)  # type: ignore[arg-type]  # rows are sources

    @strawberry.mutation(
        extensions=[scoped(Scope.SOURCES_MANAGE)],
        description="Take a source away with its feedback: it is closed at once, and a job deletes what it brought. "
        "Needs the role ADMIN.",
    )
    async def delete_source(self, info: Info, input: DeleteSourceInput) -> DeleteSourceResult:
        async with info.context.transaction() as uow:
            id_, asked = await source.delete(
                uow, info.context.viewer, read_id(Kind.SOURCE, input.source_id, "sourceId")
            )
        return DeleteSourceSuccess(source_id=strawberry.ID(ids.write(Kind.SOURCE, id_)), job=asked)  # type: ignore[arg-type]  # rows are jobs

    @strawberry.mutation(
        extensions=[scoped(Scope.SOURCES_MANAGE)],
        description="Try again what lies in quarantine, after the mapping was mended. Needs the role ADMIN.",
    )
    async def replay_quarantined(
        self, info: Info, input: ReplayQuarantinedInput
    ) -> ReplayQuarantinedResult:
        async with info.context.transaction() as uow:
            replayed = await quarantine.replay(
                uow,
                info.context.viewer,
                read_id(Kind.SOURCE, input.source_id, "sourceId"),
                read_ids(Kind.QUARANTINED, input.ids, "ids"),
                info.context.services.seals,
            )
        return ReplayQuarantinedSuccess(
            source=replayed.source,  # type: ignore[arg-type]  # rows are sources
            stored=replayed.tried.stored,
            duplicates=replayed.tried.duplicates,
            failed=replayed.tried.failed,
            job=replayed.job,  # type: ignore[arg-type]  # rows are jobs
        )

    @strawberry.mutation(
        extensions=[scoped(Scope.SOURCES_MANAGE)],
        description="See what a body would become, and what is wrong with a mapping, before it is saved. Needs the "
        "role ADMIN.",
    )
    async def preview_source(self, info: Info, input: PreviewSourceInput) -> PreviewSourceResult:
        async with info.context.transaction() as uow:
            found = await source_preview.preview(uow, info.context.viewer, input.command())
        return PreviewSourceSuccess(
            entries=[_shown(entry) for entry in found.entries],
            count=found.count,
            delivery_id=found.delivery,
            answer=None if found.answer is None else json_text(found.answer),
        )
