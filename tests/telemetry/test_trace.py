"""How a trace comes in, goes along and goes out; and that where nothing records it costs nothing but an id."""

import json

import pytest

from telemetry import trace
from telemetry.trace import Kind, Part
from tests.telemetry.recording import parent_of, recording

ID, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = f"00-{ID}-{PARENT}-01"
UNSAMPLED = f"00-{ID}-{PARENT}-00"


@pytest.mark.parametrize("given", [SENT, SENT.encode(), f"{SENT}-and-what-a-later-version-has"])
def test_the_trace_is_the_senders(given: str | bytes) -> None:
    trace.begin(given)
    assert trace.current() == ID


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        f"ff-{ID}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID.upper()}-{PARENT}-01",
    ],
)
def test_without_a_good_one_it_is_one_of_its_own_that_stays(given: str | None) -> None:
    trace.begin(given)
    first = trace.current()
    assert len(first) == 32
    assert trace.current() == first != ID


def test_where_nothing_records_nothing_is_carried_and_spans_are_none() -> None:
    trace.begin(SENT)
    with trace.span("a") as span, trace.part("b") as part, trace.together("c", ()) as joint:
        assert (span, part, joint) == (None, None, None)
        assert trace.carried() is None
        assert trace.here() is None
    with trace.each({1: Part("d", SENT)}, Kind.CONSUMER) as carried:
        assert carried == {}


def test_spans_within_each_other_are_parts_of_the_senders_trace() -> None:
    with recording() as kept:
        trace.begin(SENT)
        with trace.span("outer", Kind.SERVER, http__route="/hooks"), trace.part("inner"):
            carried = trace.carried()
    inner, outer = kept.get_finished_spans()
    assert (outer.name, inner.name) == ("outer", "inner")
    assert parent_of(outer) == PARENT
    assert carried == f"00-{ID}-{inner.context.span_id:016x}-01"
    assert parent_of(inner) == f"{outer.context.span_id:016x}"
    assert outer.attributes == {"http.route": "/hooks"}


def test_a_part_of_what_is_not_recorded_or_is_over_is_not_recorded() -> None:
    with recording() as kept:
        trace.begin(UNSAMPLED)
        with trace.span("unsampled"), trace.part("of it"):
            assert trace.current() == ID
        with trace.part("of nothing"):
            pass
    assert kept.get_finished_spans() == ()


def test_an_error_is_told_by_its_type_alone() -> None:
    with recording() as kept, pytest.raises(ValueError, match="Mrs Quibble"), trace.span("broken"):
        raise ValueError("Mrs Quibble, quibble@kettles.example")
    (span,) = kept.get_finished_spans()
    assert span.attributes == {"error.type": "ValueError"}
    assert span.status.description == "ValueError"
    assert span.events == ()


def test_what_is_done_for_several_is_in_the_first_trace_and_linked_to_the_others() -> None:
    with recording() as kept:
        places = []
        for sent in (None, SENT, f"00-{'a' * 32}-{PARENT}-01"):
            trace.begin(sent)
            places.append(trace.here())
        with trace.together("together", places, number=3):
            pass
    (span,) = kept.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == ID
    assert [f"{link.context.trace_id:032x}" for link in span.links] == ["a" * 32]


def test_several_at_once_are_each_in_a_trace_of_their_own() -> None:
    other = f"00-{'a' * 32}-{PARENT}-01"
    parts = {1: Part("one", SENT), 2: None, 3: Part("three", other), 4: Part("four", UNSAMPLED)}
    with recording() as kept, trace.each(parts, Kind.CONSUMER) as carried:
        assert sorted(carried) == [1, 3]
    spans = {span.name: span for span in kept.get_finished_spans()}
    assert sorted(spans) == ["one", "three"]
    assert carried[3] == f"00-{'a' * 32}-{spans['three'].context.span_id:016x}-01"


@pytest.mark.parametrize("payload", ["{}", '{"id": 1, "trace": "not ours"}'])
def test_a_payload_brings_the_trace_that_it_belongs_to(payload: str) -> None:
    sent = trace.within('{"id": 1}', SENT)
    assert json.loads(sent) == {"trace": SENT, "id": 1}
    assert trace.within(payload, None) == payload
    assert json.loads(trace.within("{}", SENT)) == {"trace": SENT}
    with recording() as kept:
        with trace.received(sent.encode(), "event"):
            pass
        with trace.received(payload.encode(), "of no trace") as nothing:
            assert nothing is None
    (span,) = kept.get_finished_spans()
    assert parent_of(span) == PARENT
