"""Sources in the schema."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import strawberry

from domain import ids, masking, source
from domain.ids import Kind
from domain.masker import Rules
from graph.context import Info
from graph.fields import batch, column, computed, rows
from graph.node import Node, id_field
from graph.quarantine import QuarantineConnection, quarantine_of
from graph.scalars import JSON, json_text
from graph.source_health import SourceHealth, health_of


@strawberry.enum(
    description="How feedback comes in: signed webhooks of an outside service, calls of `submitFeedback`, "
    "a form on a web page, or files."
)
class SourceKind(StrEnum):
    WEBHOOK = "WEBHOOK"
    API = "API"
    FORM = "FORM"
    IMPORT = "IMPORT"


@strawberry.enum(description="Whose webhook style a source speaks.")
class SourceProvider(StrEnum):
    STANDARD = "STANDARD"
    STRIPE = "STRIPE"
    GITHUB = "GITHUB"
    SLACK = "SLACK"
    TYPEFORM = "TYPEFORM"
    INTERCOM = "INTERCOM"
    ZENDESK = "ZENDESK"
    GENERIC = "GENERIC"


def _ingest_url(root: strawberry.Parent[source.Source], info: Info) -> str | None:
    if root.kind != SourceKind.WEBHOOK:
        return None
    return f"{info.context.services.base_url}/hooks/{ids.write(Kind.SOURCE, root.id)}"


def _form_script_url(root: strawberry.Parent[source.Source], info: Info) -> str | None:
    if root.publishable_key is None:
        return None
    return f"{info.context.services.base_url}/forms/{root.publishable_key}.js"


async def _last_received_at(
    parents: Sequence[source.Source], info: Info
) -> Sequence[datetime | None]:
    async with info.context.reader() as reader:
        times = await source.last_received(
            reader, info.context.viewer, [parent.id for parent in parents]
        )
    return [times.get(parent.id) for parent in parents]


PersonalData = strawberry.enum(
    masking.Kind,
    name="PersonalData",
    description="What can be told from other text by its form: e-mail addresses, telephone numbers, numbers of "
    "payment cards (by Luhn) and bank accounts (IBAN), and secrets such as API keys, tokens and passwords.",
)


@strawberry.type(description="What a source masks before anything it brings is stored.")
class Masking:
    kinds: list[masking.Kind] = strawberry.field(
        graphql_type=list[PersonalData],  # type: ignore[valid-type]  # an enum of Strawberry's
        description="What is replaced in texts and metadata, by words such as `[email]`.",
    )
    authors: bool = strawberry.field(
        description="Whether the author's name is masked too, and their address and id left out where they are such "
        "data. Then they cannot be found by these for `exportAuthorData` and `eraseAuthor`."
    )
    reversible: bool = strawberry.field(
        description="Whether what was there is kept, sealed, for `revealFeedback`."
    )


def _masking(text: str) -> Masking:
    rules = Rules.from_json(text)
    return Masking(kinds=list(rules.kinds), authors=rules.authors, reversible=rules.reversible)


@strawberry.type(description="A place that feedback comes from.")
@rows(source.Source)
class Source(Node):
    id: strawberry.ID = id_field(Kind.SOURCE)
    name: str = strawberry.field(description="Its name, for people.")
    kind: SourceKind = strawberry.field(description="How feedback comes in.")
    provider: SourceProvider = strawberry.field(description="Whose webhook style it speaks.")
    ingest_url: str | None = computed(
        _ingest_url,
        reads=("id", "kind"),
        description="Where the outside service posts its webhooks; null for kinds that have none.",
    )
    last_received_at: datetime | None = batch(
        _last_received_at,
        reads=("id",),
        description="When it last brought something; null before the first.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    publishable_key: str | None = strawberry.field(
        description="What the pages of a form name it by, for everybody to see: `pk_...`. Null for other kinds."
    )
    form_script_url: str | None = computed(
        _form_script_url,
        reads=("publishable_key",),
        description="The script that makes the form in a page; null for other kinds.",
    )
    deliveries_per_minute: int | None = strawberry.field(
        description="So many messages are taken in a minute at most, others are answered 429; null for the server's "
        "own limit."
    )
    settings: JSON = column(
        "settings",
        json_text,
        graphql_type=JSON,
        description="What is set of a GENERIC webhook or of a form, by the names of their inputs. Of a source that an "
        "import made, and nobody has changed since, `import` is the id of its job. Else an empty object. No secrets.",
    )
    masking: Masking | None = column(
        "masking",
        _masking,
        graphql_type=Masking | None,
        description="What it masks of personal data; null where everything is stored as it was sent.",
    )
    health: SourceHealth = batch(
        health_of,
        reads=("id",),
        graphql_type=SourceHealth,
        description="What comes in, what is refused, and whether it has gone quiet.",
    )
    quarantine: QuarantineConnection = batch(
        quarantine_of,
        reads=("id",),
        graphql_type=QuarantineConnection,
        description="What it sent that is no feedback, for those who manage sources; empty for others.",
    )
