"""Frames as RFC 6455 has them, read whole and in pieces, and compared with another implementation's."""

import tracemalloc
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from graph.websocket import frames
from graph.websocket.frames import FrameError, Message, Reader

LARGEST = 100_000
MASK = b"\x12\x34\x56\x78"
FIN = 0x80
unhurried = settings(deadline=None)
# Each way of writing a length, at both of its ends.
LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536, 65_537)


def client() -> ClientProtocol:
    """A client whose connection is open."""
    return ClientProtocol(parse_uri("ws://earful.test/graphql"), state=State.OPEN)


def said(peer: ClientProtocol) -> bytes:
    """What it sends."""
    return b"".join(peer.data_to_send())


def heard(data: bytes) -> Sequence[object]:
    """What a client makes of the bytes."""
    peer = client()
    peer.receive_data(data)
    return peer.events_received()


def read(data: bytes, largest: int = LARGEST) -> list[Message]:
    return list(Reader(largest).feed(data))


def read_in(chunks: Iterable[bytes]) -> list[Message]:
    reader = Reader(LARGEST)
    return [message for chunk in chunks for message in reader.feed(chunk)]


def refused(data: bytes, largest: int = LARGEST) -> int:
    """The code to close with."""
    with pytest.raises(FrameError) as error:
        read(data, largest)
    return error.value.code


def raw(opcode: int, payload: bytes = b"", *, first: int = FIN, masked: bool = True) -> bytes:
    """A frame that a client may send, or may not."""
    length = len(payload)
    if length < 126:
        head = length.to_bytes()
    elif length < 65_536:
        head = b"\x7e" + length.to_bytes(2)
    else:
        head = b"\x7f" + length.to_bytes(8)
    head = bytes([first | opcode, head[0] | (0x80 if masked else 0)]) + head[1:]
    return head + (MASK + _masked(payload) if masked else payload)


def _masked(payload: bytes) -> bytes:
    return bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload))


# What we send


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_client_reads_a_frame_of_ours(opcode: Opcode, length: int) -> None:
    payload = b"x" * length

    assert heard(frames.frame(opcode, payload)) == [Frame(opcode, payload)]


@pytest.mark.parametrize("length", LENGTHS)
def test_the_head_is_all_that_comes_before_the_payload(length: int) -> None:
    payload = b"x" * length

    assert frames.head(frames.TEXT, length) + payload == frames.frame(frames.TEXT, payload)


def test_a_length_of_four_gigabytes_has_a_head() -> None:
    assert frames.head(frames.TEXT, 1 << 32) == b"\x81\x7f\x00\x00\x00\x01\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("reason", "fitting"),
    [
        ("", ""),
        ("Bye", "Bye"),
        ("x" * 123, "x" * 123),
        ("x" * 124, "x" * 123),
        ("ä" * 62, "ä" * 61),
        ("🎉" * 100, "🎉" * 30),
    ],
)
def test_a_reason_is_cut_between_its_characters(reason: str, fitting: str) -> None:
    (frame,) = heard(frames.close(4400, reason))

    assert isinstance(frame, Frame)
    assert Close.parse(frame.data) == Close(4400, fitting)


# What clients send


@pytest.mark.parametrize("length", LENGTHS)
def test_a_frame_of_a_client_is_read(length: int) -> None:
    peer, payload = client(), b"x" * length
    peer.send_text(payload)
    peer.send_binary(payload)

    assert read(said(peer)) == [Message(frames.TEXT, payload), Message(frames.BINARY, payload)]


def test_fragments_are_one_message_and_control_frames_come_between_them() -> None:
    peer = client()
    peer.send_text(b"on", fin=False)
    peer.send_ping(b"now")
    peer.send_continuation(b"", fin=False)
    peer.send_pong(b"")
    peer.send_continuation("e ä".encode()[:3], fin=False)
    peer.send_continuation("ä".encode()[1:], fin=True)
    peer.send_text(b"two")

    assert read(said(peer)) == [
        Message(frames.PING, b"now"),
        Message(frames.PONG, b""),
        Message(frames.TEXT, "one ä".encode()),
        Message(frames.TEXT, b"two"),
    ]


@st.composite
def talks(draw: st.DrawFn) -> tuple[bytes, list[Message]]:
    """What a client sends, and what that is."""
    peer, wanted = client(), list[Message]()
    for _ in range(draw(st.integers(0, 5))):
        is_text = draw(st.booleans())
        payload = (
            draw(st.text("a\0äß€🎉", max_size=60)).encode()
            if is_text
            else draw(st.binary(max_size=300))
        )
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=4)))
        pieces = [
            payload[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)
        ]
        for number, piece in enumerate(pieces):
            if draw(st.booleans()):
                ping = draw(st.binary(max_size=125))
                peer.send_ping(ping)
                wanted.append(Message(frames.PING, ping))
            is_last = number == len(pieces) - 1
            if number:
                peer.send_continuation(piece, fin=is_last)
            elif is_text:
                peer.send_text(piece, fin=is_last)
            else:
                peer.send_binary(piece, fin=is_last)
        wanted.append(Message(frames.TEXT if is_text else frames.BINARY, payload))
    return said(peer), wanted


@unhurried
@given(talks())
def test_what_a_client_says_is_read_at_once(talk: tuple[bytes, list[Message]]) -> None:
    data, wanted = talk

    assert read(data) == wanted


@unhurried
@given(talks())
def test_what_a_client_says_is_read_byte_by_byte(talk: tuple[bytes, list[Message]]) -> None:
    data, wanted = talk

    assert read_in(data[at : at + 1] for at in range(len(data))) == wanted


@unhurried
@given(talks(), st.data())
def test_what_a_client_says_is_read_in_any_pieces(
    talk: tuple[bytes, list[Message]], chance: st.DataObject
) -> None:
    data, wanted = talk
    cuts = sorted(chance.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]

    assert read_in(chunks) == wanted


@unhurried
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0x0, 0x1, 0x2, 0x3, 0x7, 0x9, 0xA, 0xB, 0xF]),
            st.sampled_from([FIN, FIN, 0x00, FIN | 0x40, FIN | 0x20, FIN | 0x10]),
            st.sampled_from([0, 1, 125, 126, 200]),
            st.sampled_from([True, True, True, False]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_is_refused_and_when_is_what_another_server_says(
    made: list[tuple[int, int, int, bool]],
) -> None:
    data = b"".join(
        raw(opcode, b"x" * length, first=first, masked=masked)
        for opcode, first, length, masked in made
    )
    judge = ServerProtocol(state=State.OPEN, max_size=None)
    judge.receive_data(data)
    reader, taken, code = Reader(LARGEST), list[Message](), None
    try:
        for message in reader.feed(data):
            taken.append(message)
    except FrameError as error:
        code = error.code

    wanted = _whole(frame for frame in judge.events_received() if isinstance(frame, Frame))
    assert taken == wanted
    assert (code == 1002) is isinstance(judge.parser_exc, ProtocolError)


def _whole(given: Iterable[Frame]) -> list[Message]:
    """The messages that frames make, control frames as they come."""
    messages: list[Message] = []
    kind, begun = Opcode.TEXT, b""
    for frame in given:
        if frame.opcode in {Opcode.PING, Opcode.PONG}:
            messages.append(Message(frame.opcode, bytes(frame.data)))
            continue
        if frame.opcode is not Opcode.CONT:
            kind, begun = frame.opcode, b""
        begun += frame.data
        if frame.fin:
            messages.append(Message(kind, begun))
    return messages


@pytest.mark.parametrize(
    "data",
    [
        raw(frames.TEXT, b"x", masked=False),
        raw(frames.PING, masked=False),
        raw(frames.TEXT, b"x", first=FIN | 0x40),
        raw(frames.TEXT, b"x", first=FIN | 0x20),
        raw(frames.PING, b"x", first=FIN | 0x10),
        *(raw(opcode) for opcode in (0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF)),
        raw(frames.PING, b"x" * 126),
        raw(frames.CLOSE, b"\x03\xe8" + b"x" * 124),
        raw(frames.PING, first=0),
        raw(frames.CLOSE, first=0),
        raw(frames.CONTINUATION),
        raw(frames.CONTINUATION, first=0),
        raw(frames.TEXT, b"x", first=0) + raw(frames.TEXT, b"y"),
        raw(frames.TEXT, b"x", first=0) + raw(frames.BINARY, b"y", first=0),
        raw(frames.TEXT, b"x") + raw(frames.CONTINUATION, b"y"),
    ],
    ids=lambda data: data[:8].hex(),
)
def test_what_no_client_may_send_is_a_protocol_error(data: bytes) -> None:
    assert refused(data) == 1002


def test_a_frame_is_refused_as_soon_as_its_head_is_there() -> None:
    assert refused(raw(frames.TEXT, b"x" * 50, masked=False)[:2]) == 1002
    assert refused(raw(frames.TEXT, b"x" * 101)[:2], largest=100) == 1009
    assert refused(raw(frames.TEXT, b"x" * 70_000)[:10], largest=69_999) == 1009


def test_what_came_before_a_bad_frame_is_read() -> None:
    messages = Reader(LARGEST).feed(raw(frames.TEXT, b"good") + raw(0x3))

    assert next(messages) == Message(frames.TEXT, b"good")
    with pytest.raises(FrameError):
        next(messages)


@pytest.mark.parametrize(
    "payload", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"ok\x80"]
)
def test_text_that_is_not_utf8_is_invalid_data(payload: bytes) -> None:
    begun = raw(frames.TEXT, payload[:1], first=0)

    assert refused(raw(frames.TEXT, payload)) == 1007
    assert refused(begun + raw(frames.CONTINUATION, payload[1:])) == 1007
    assert read(raw(frames.BINARY, payload)) == [Message(frames.BINARY, payload)]


def test_the_largest_message_is_read_and_a_larger_one_is_too_big() -> None:
    assert read(raw(frames.TEXT, b"x" * 300), largest=300) == [Message(frames.TEXT, b"x" * 300)]
    assert refused(raw(frames.TEXT, b"x" * 301), largest=300) == 1009


def test_fragments_that_add_up_to_more_are_too_big() -> None:
    first = raw(frames.TEXT, b"x" * 200, first=0)
    between = raw(frames.PING, b"p" * 125)

    whole = read(first + between + raw(frames.CONTINUATION, b"x" * 100), largest=300)
    assert whole == [Message(frames.PING, b"p" * 125), Message(frames.TEXT, b"x" * 300)]
    assert refused(first + between + raw(frames.CONTINUATION, b"x" * 101), largest=300) == 1009


def test_a_length_that_no_memory_holds_is_too_big() -> None:
    assert refused(b"\x82\xff" + b"\xff" * 8) == 1009


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_reader_holds_not_much_more_than_the_fragments_weigh(size: int) -> None:
    reader = Reader(LARGEST)
    some = raw(frames.CONTINUATION, b"x" * size, first=0) * 10_000
    list(reader.feed(raw(frames.BINARY, first=0)))
    tracemalloc.start()

    for _ in range(4):
        assert list(reader.feed(some)) == []
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 40_000 * size * 1.2 + 1_000
    assert most < held + 40_000 * size + 10_000
    assert list(reader.feed(raw(frames.CONTINUATION))) == [
        Message(frames.BINARY, b"x" * 40_000 * size)
    ]


def test_a_reader_holds_nothing_between_messages() -> None:
    reader = Reader(LARGEST)
    data = raw(frames.TEXT, b"x" * 90_000)

    assert list(reader.feed(data[:50_000])) == []
    assert list(reader.feed(data[50_000:])) == [Message(frames.TEXT, b"x" * 90_000)]
    assert (reader._buffer, reader._begun, reader._kind) == (b"", None, None)


# How clients say goodbye


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1008, 1011, 1012, 1014, 3000, 4999])
def test_a_close_code_of_a_client_is_read(code: int) -> None:
    peer = client()
    peer.send_close(code, "Bye ä")
    (message,) = read(said(peer))

    assert (message.opcode, frames.close_code(message.payload)) == (frames.CLOSE, code)


def test_a_close_frame_may_have_no_code() -> None:
    assert frames.close_code(b"") == 1005


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535])
def test_a_close_code_that_may_not_be_sent_is_a_protocol_error(code: int) -> None:
    with pytest.raises(FrameError) as error:
        frames.close_code(code.to_bytes(2))

    assert error.value.code == 1002


@pytest.mark.parametrize(("payload", "code"), [(b"\x03", 1002), (b"\x03\xe8\xff", 1007)])
def test_a_close_frame_that_cannot_be_read_is_refused(payload: bytes, code: int) -> None:
    with pytest.raises(FrameError) as error:
        frames.close_code(payload)

    assert error.value.code == code
