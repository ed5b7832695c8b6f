"""What providers' events mean: which are feedback and of whom, and why the others are none."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from domain.feedback import Author
from domain.provider import PROVIDERS, Heard, Reading, Unheard
from domain.provider.generic import problem_with
from tests.provider_samples import MAPPING, SAMPLES


def read(provider: str, document: Any, settings: Any = None) -> Reading:
    return PROVIDERS[provider].read(orjson.dumps(document), settings or SAMPLES[provider].settings)


def heard(reading: Reading) -> Heard:
    (entry,) = reading.entries
    assert isinstance(entry, Heard), entry
    return entry


def unheard(reading: Reading) -> Unheard:
    (entry,) = reading.entries
    assert isinstance(entry, Unheard), entry
    return entry


def changed(provider: str, *path: str, to: Any) -> Any:
    """A sample's document with another value at the end of the path."""
    document = orjson.loads(SAMPLES[provider].body)
    inside = document
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = to
    return document


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_feedback(name: str) -> None:
    sample = SAMPLES[name]

    message = heard(PROVIDERS[sample.provider].read(sample.body, sample.settings)).message

    assert (message.body, message.external_id, message.rating) == sample.said


@pytest.mark.parametrize(
    ("provider", "author", "delivery"),
    [
        ("STRIPE", Author(external_id="cus_Na6dX7aXxi11N4"), "evt_1NG8Du2eZvKYlo2CUI79vXWy"),
        ("GITHUB", Author("octocat", external_id="583231"), None),
        ("SLACK", Author(external_id="U123ABC456"), "Ev123ABC456"),
        ("TYPEFORM", Author(email="ada@example.com"), "LtWXD3crgy"),
        (
            "INTERCOM",
            Author("Hoban Washburne", "hoban@example.com", "5ba682d23d7cf92bef87bfd4"),
            "notif_78c122d0-23ba-11e4-9464-79b01267cc2e",
        ),
        (
            "ZENDESK",
            Author(external_id="8447388090494"),
            "cbe4028c-7239-495d-b020-f22348516046",
        ),
        ("GENERIC", Author("Ada", "ada@example.com"), None),
    ],
)
def test_who_wrote_it_and_the_senders_id_are_read(
    provider: str, author: Author, delivery: str | None
) -> None:
    reading = read(provider, SAMPLES[provider].document)

    assert heard(reading).message.author == author
    assert reading.delivery == delivery


@pytest.mark.parametrize(
    ("provider", "document", "reason"),
    [
        ("STRIPE", changed("STRIPE", "type", to="charge.failed"), "charge.failed"),
        (
            "STRIPE",
            changed("STRIPE", "data", "object", "cancellation_details", "comment", to=None),
            "no comment",
        ),
        ("GITHUB", changed("GITHUB", "action", to="labeled"), "labeled"),
        ("GITHUB", changed("GITHUB", "issue", "user", "type", to="Bot"), "bot"),
        ("GITHUB", {"action": "opened", "pull_request": {"id": 1}}, "another kind"),
        ("SLACK", changed("SLACK", "event", "bot_id", to="B1"), "bot"),
        ("SLACK", changed("SLACK", "event", "type", to="reaction_added"), "reaction_added"),
        ("SLACK", changed("SLACK", "event", "subtype", to="channel_join"), "channel_join"),
        ("SLACK", changed("SLACK", "event", "text", to=" "), "no text"),
        ("TYPEFORM", changed("TYPEFORM", "event_type", to="form_response_partial"), "complete"),
        ("TYPEFORM", changed("TYPEFORM", "form_response", "answers", to=[]), "No question"),
        ("INTERCOM", changed("INTERCOM", "topic", to="user.created"), "user.created"),
        (
            "INTERCOM",
            changed("INTERCOM", "data", "item", "source", "author", "type", to="admin"),
            "customer",
        ),
        ("ZENDESK", changed("ZENDESK", "type", to="zen:event-type:user.created"), "user.created"),
        ("ZENDESK", {"ticket": 5}, "no feedback"),
        ("GENERIC", {"review": {"stars": 5}}, "does not fit"),
    ],
)
def test_what_is_no_feedback_says_why(provider: str, document: Any, reason: str) -> None:
    assert reason in unheard(read(provider, document)).reason


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("document", [None, [], {}, 5, "x", [1], {"event": []}, {"data": "x"}])
def test_anything_can_be_read(provider: str, document: Any) -> None:
    assert all(isinstance(entry, Unheard) for entry in read(provider, document).entries)


@pytest.mark.parametrize("provider", set(PROVIDERS) - {"STANDARD"})
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"payload=%7B%7D"])
def test_what_is_no_json_is_no_feedback(provider: str, body: bytes) -> None:
    assert "no JSON" in unheard(PROVIDERS[provider].read(body, SAMPLES[provider].settings)).reason


@pytest.mark.parametrize(
    ("provider", "document", "answer"),
    [
        ("SLACK", {"type": "url_verification", "challenge": "3eZbrw1a"}, {"challenge": "3eZbrw1a"}),
        ("GITHUB", {"zen": "Keep it logically awesome.", "hook": {}}, {"pong": True}),
        ("INTERCOM", {"topic": "ping", "data": {}}, {"pong": True}),
    ],
)
def test_what_providers_ask_is_answered(provider: str, document: Any, answer: Any) -> None:
    reading = read(provider, document)

    assert (reading.answer, list(reading.entries)) == (answer, [])


def test_an_edited_message_takes_the_place_of_the_first() -> None:
    document = changed(
        "SLACK",
        "event",
        to={
            "type": "message",
            "subtype": "message_changed",
            "channel": "C123ABC456",
            "message": {"user": "U123ABC456", "text": "Hate it", "ts": "1355517523.000005"},
        },
    )

    entry = heard(read("SLACK", document))

    assert entry.edits
    assert entry.message.external_id == SAMPLES["SLACK"].said[1]


def test_a_comment_is_not_taken_for_its_issue() -> None:
    document = changed("GITHUB", "action", to="created") | {
        "comment": {"id": 5, "body": "Me too.", "user": {"login": "eve", "type": "User"}}
    }

    entry = heard(read("GITHUB", document))

    assert (entry.message.body, entry.message.external_id) == ("Me too.", "issue_comment:5")


def test_a_rating_with_a_remark_is_a_feedback() -> None:
    item = {
        "type": "conversation",
        "id": "147",
        "conversation_rating": {"rating": 5, "remark": "Great help", "created_at": 1671028894},
    }
    document = {"topic": "conversation.rating.added", "data": {"item": item}}

    message = heard(read("INTERCOM", document)).message

    assert (message.body, message.rating) == ("Great help", 5)
    assert message.occurred_at == datetime.fromtimestamp(1671028894, UTC)


def test_several_answers_stand_under_their_questions() -> None:
    answers = [
        {"type": "text", "text": "Slow.", "field": {"id": "DlXFaesGBpoF"}},
        {"type": "text", "text": "Nothing else.", "field": {"id": "SMEUb7VJz92Q"}},
    ]

    message = heard(read("TYPEFORM", changed("TYPEFORM", "form_response", "answers", to=answers)))

    assert message.message.body == (
        "What went wrong?\nSlow.\n\nWould you recommend us?\nNothing else."
    )


def test_a_public_comment_of_a_customer_is_a_feedback_and_an_agents_is_none() -> None:
    author = {"id": "8", "is_staff": False, "name": "Ada"}
    comment = {"id": "9", "body": "Still broken.", "is_public": True, "author": author}
    document = changed("ZENDESK", "type", to="zen:event-type:ticket.comment_added")
    of_agent = document | {"event": {"comment": comment | {"author": author | {"is_staff": True}}}}

    message = heard(read("ZENDESK", document | {"event": {"comment": comment}})).message

    assert (message.body, message.external_id) == ("Still broken.", "comment:9")
    assert "customer" in unheard(read("ZENDESK", of_agent)).reason


def test_the_first_comment_of_a_ticket_is_the_ticket() -> None:
    author = {"id": "8447388090494", "is_staff": False, "name": "Ada"}
    comment = {"id": "9", "body": "The code\r\nnever comes. ", "is_public": True, "author": author}
    document = changed("ZENDESK", "type", to="zen:event-type:ticket.comment_added")
    document |= {"event": {"comment": comment, "meta": {"sequence": {"id": "7", "position": 2}}}}
    opened = heard(read("ZENDESK", orjson.loads(SAMPLES["ZENDESK"].body))).message

    first = heard(read("ZENDESK", document)).message
    later = heard(read("ZENDESK", document | {"time": "2026-06-15T12:05:00Z"})).message

    assert first == replace(opened, author=Author("Ada", external_id="8447388090494"))
    assert (later.external_id, later.body) == ("comment:9", "The code\r\nnever comes. ")


def test_a_trigger_of_zendesk_may_send_our_own_fields() -> None:
    message = heard(read("ZENDESK", {"body": "Late.", "external_id": "5", "rating": 2})).message

    assert (message.body, message.external_id, message.rating) == ("Late.", "5", 2)


def test_items_are_read_each_by_itself() -> None:
    settings = {"mapping": {"items": "reviews", "body": "text", "deliveryId": "@.batch"}}
    document = {"batch": 7, "reviews": [{"text": "One."}, {"stars": 1}]}

    reading = PROVIDERS["GENERIC"].read(orjson.dumps(document), settings)

    first, second = reading.entries
    assert isinstance(first, Heard)
    assert isinstance(second, Unheard)
    assert (reading.delivery, first.message.body) == ("7", "One.")
    assert (second.part, second.problems[0].path) == (b'{"stars":1}', ("body",))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rating", "five", "must be a whole number, is 'five'"),
        ("rating", 4.5, "must be a whole number, is 4.5"),
        ("text", ["a"], "must be a text, is ['a']"),
        ("at", "yesterday", "must be ISO 8601"),
        ("text", None, "`review.text` finds nothing"),
    ],
)
def test_what_the_mapping_finds_and_cannot_use_is_said_with_its_field(
    field: str, value: Any, message: str
) -> None:
    names = {"rating": "stars", "text": "text", "at": "at"}
    document = changed("GENERIC", "review", names[field], to=value)

    (problem,) = unheard(read("GENERIC", document)).problems

    assert message in problem.message
    assert MAPPING[problem.path[0]] == f"review.{names[field]}"


@pytest.mark.parametrize(
    "expression",
    ["review.", "a" * 501, "[", "[@,@] | [@,@] | [@,@]", "[" + ",".join("@" * 25) + "]", ""],
)
def test_an_expression_that_cannot_be_used_is_refused(expression: str) -> None:
    assert problem_with(expression) is not None


@pytest.mark.parametrize("expression", ["a.b[0].c", "{a: b, c: d}", "join(' ', [title, text])"])
def test_an_expression_that_can_be_used_is_not(expression: str) -> None:
    assert problem_with(expression) is None
