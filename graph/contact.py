"""The public contact form."""

from typing import Annotated

import strawberry

from domain import contact
from domain.contact import Contact
from graph.access import public
from graph.context import Info
from graph.errors import InvalidInput, NotFound, RateLimited
from graph.job import Job
from persistence.limits import Limit

CONTACTS = Limit("contact", points=30, seconds=600)
# Anybody can have us write to anybody.
THANKS = Limit("contact-thanks", points=5, seconds=3600)


@strawberry.input(description="A message from a visitor.")
class SubmitContactInput:
    workspace_slug: str = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(
        description="The visitor's name: one line of up to 200 characters."
    )
    email: str = strawberry.field(description="Where to answer.")
    message: str = strawberry.field(description="The message, of up to 10,000 characters.")


@strawberry.type(description="The mail is queued.")
class SubmitContactSuccess:
    job: Job = strawberry.field(
        description="The job that sends the mail. Poll `node(id:)` or follow `jobUpdated`: whoever knows its id may, "
        "signed in or not."
    )


SubmitContactResult = Annotated[
    SubmitContactSuccess | InvalidInput | NotFound | RateLimited,
    strawberry.union("SubmitContactResult"),
]


@strawberry.type
class ContactMutation:
    @strawberry.mutation(
        extensions=[public],
        description="The public contact form: answers at once with the job that sends the mail to the workspace's "
        "inbox and thanks the visitor. A mail server that is away delays it; it is not lost.",
    )
    async def submit_contact(self, info: Info, input: SubmitContactInput) -> SubmitContactResult:
        context = info.context
        await context.spend(CONTACTS, context.client.ip)
        await context.spend(THANKS, input.email.strip().lower()[:254])
        async with context.transaction() as uow:
            row = await contact.submit(
                uow, input.workspace_slug, Contact(input.name, input.email, input.message)
            )
        return SubmitContactSuccess(job=row)  # type: ignore[arg-type]  # rows are jobs
