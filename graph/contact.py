"""The public contact form. Not yet available."""

from typing import Annotated

import strawberry

from graph import unavailable
from graph.access import public
from graph.errors import InvalidInput, NotFound, RateLimited
from graph.job import Job


@strawberry.input(description="A message from a visitor.")
class SubmitContactInput:
    workspace_slug: str = strawberry.field(description="The workspace it is for.")
    name: str = strawberry.field(description="The visitor's name.")
    email: str = strawberry.field(description="Where to answer.")
    message: str = strawberry.field(description="The message.")


@strawberry.type(description="The mail is queued.")
class SubmitContactSuccess:
    job: Job = strawberry.field(description="The job that sends the mail.")


SubmitContactResult = Annotated[
    SubmitContactSuccess | InvalidInput | NotFound | RateLimited,
    strawberry.union("SubmitContactResult"),
]


@strawberry.type
class ContactMutation:
    @strawberry.mutation(
        extensions=[public],
        description="The public contact form: answers at once with the job that sends the mail. "
        "Not yet available.",
    )
    def submit_contact(self, input: SubmitContactInput) -> SubmitContactResult:  # noqa: ARG002
        unavailable.refuse("submitContact")
