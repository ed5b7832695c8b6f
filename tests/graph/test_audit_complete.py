"""No mutation forgets to say what it has done: each is carried out, and the logs are looked at."""

import re

import httpx

from app.resources import Api
from domain import ids
from domain.ids import Kind
from tests.factories import Factory
from tests.graph.account_queries import PROBLEM
from tests.graph.ways import ARGUMENTS, SCHEMA
from tests.graph.ways_world import VARIABLES, World, world

ELSEWHERE = {
    "confirmTotp": "takes a code: test_audit_people.py",
    "disableTotp": "takes a code: test_audit_people.py",
    "regenerateRecoveryCodes": "takes a code: test_audit_people.py",
    "activateSentimentModel": "is for operators of the server, and is in no workspace's log: test_models.py",
    "completeUpload": "takes bytes in the bucket: test_audit.py",
    "acceptInvitation": "takes a letter: test_invitation_accepting.py",
    "completeSignIn": "takes a provider: tests/app/test_oidc.py",
    "startIdentityLink": "takes a provider: tests/app/test_oidc_linking.py",
    "transferOwnership": "leaves nothing to do it with: test_ownership.py",
    "deleteAccount": "the last owner cannot: test_audit.py",
}
"""Mutations that take more than one request; other tests look for what they write."""
SILENT = {
    "addFeedbackNote": "says itself who wrote it",
    "deleteFeedbackNote": "one's own: of others it is told, test_notes.py",
    "editFeedbackNote": "one's own: of others it is told, test_notes.py",
    "updateFeedback": "feedback itself, whose history and events tell its changes",
    "previewAlertRule": "changes nothing",
    "previewImport": "changes nothing",
    "previewSource": "changes nothing",
    "previewWebhookPayload": "changes nothing",
    "refreshSession": "goes on with a session, every ten minutes: only the reuse of a token is told",
    "requestEmailVerification": "changes nothing: it mails a link once more",
    "requestPasswordReset": "must not know whose address it is; the reset is told",
    "setFeedbackTags": "feedback itself, whose changes the feedback's own events tell",
    "submitContact": "what a visitor writes: it changes nothing of the workspace",
    "submitFeedback": "feedback itself, whose changes the feedback's own events tell",
    "submitFeedbackBatch": "feedback itself, whose changes the feedback's own events tell",
}
"""Mutations that write into no log, and why."""

CALLS = {
    "attachFiles": "(input: {feedbackId: $first, fileIds: [$unattached]})",
    "changePassword": "(input: {currentPassword: $password, newPassword: $new})",
    "revokeSession": "(input: {sessionId: $session})",
    "startTotp": "(input: {password: $password})",
}
"""How to call those with success that tests/graph/ways.py has refused."""
_TYPES = VARIABLES | {"unattached": "ID!", "session": "ID!"}

LAST = ("revokeOtherSessions", "changePassword")
"""After these the world is another one."""

assert SCHEMA.mutation_type is not None
MUTATIONS = sorted(SCHEMA.mutation_type.fields)


def _call(name: str) -> str:
    return name + CALLS.get(name, ARGUMENTS.get(f"Mutation.{name}", ""))


def _used(name: str) -> list[str]:
    return sorted(set(re.findall(r"\$(\w+)", _call(name))))


def _operation(name: str) -> str:
    call, used = _call(name), _used(name)
    variables = ", ".join(f"${each}: {_TYPES[each]}" for each in used)
    return f"mutation{f'({variables})' if used else ''} {{ it: {call} {{ {PROBLEM} }} }}"


async def _logged(factory: Factory) -> int:
    ((number,),) = await factory.rows(
        "SELECT (SELECT count(*) FROM audit_entry) + (SELECT count(*) FROM security_event)"
    )
    return int(number)


async def _prepared(here: World, factory: Factory) -> str:
    """The id of a file that is attached to nothing."""
    await factory.change(
        'UPDATE "user" SET email_verified_at = now() WHERE id = :id', id=here.owner.id
    )
    return await factory.file(here.first)


def test_the_exceptions_are_mutations() -> None:
    assert (ELSEWHERE.keys() | SILENT.keys()) <= set(MUTATIONS)


async def test_what_a_mutation_has_done_is_in_a_log(
    factory: Factory, api: Api, http: httpx.AsyncClient
) -> None:
    here = await world(factory, api.services, 1)
    unattached = await _prepared(here, factory)
    session = ids.write(Kind.SESSION, here.owner.session_id)
    told = [name for name in MUTATIONS if name not in {*ELSEWHERE, *SILENT, *LAST}]

    became = {}
    for name in (*told, *LAST):
        caller, variables = await here.visitor(http, _used(name))
        before = await _logged(factory)
        answer = await caller.ask(
            _operation(name), **variables, unattached=unattached, session=session
        )
        became[name] = (answer["it"]["__typename"], await _logged(factory) > before)

    assert became == {name: (_success(name), True) for name in became}


async def test_an_exception_writes_nothing(
    factory: Factory, api: Api, http: httpx.AsyncClient
) -> None:
    here = await world(factory, api.services, 1)

    became = {}
    for name in SILENT.keys() - {"submitContact"}:
        caller, variables = await here.visitor(http, _used(name))
        before = await _logged(factory)
        answer = await caller.ask(_operation(name), **variables)
        became[name] = (answer["it"]["__typename"], await _logged(factory) > before)

    assert became == {name: (_success(name), False) for name in became}


def _success(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}Success"
