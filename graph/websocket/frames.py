"""WebSocket frames (RFC 6455) as bytes: what a server sends, and what it reads of a client."""

from collections.abc import Iterator
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

_FIN = 0x80
_RESERVED = 0x70
_MASKED = 0x80
_CONTROL = 0x8
_LONGEST_CONTROL = 125
_SHORT, _LONG = 126, 127
# A close frame's payload begins with its code.
_LONGEST_REASON = _LONGEST_CONTROL - 2
_KNOWN = {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}
_CLOSE_CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}

NORMAL, PROTOCOL_ERROR, INVALID_DATA, TOO_BIG, RESTART, TRY_LATER = (
    1000,
    1002,
    1007,
    1009,
    1012,
    1013,
)


class FrameError(Exception):
    """What came is no frame that a client may send; carries the code to close with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message, or a control frame. TEXT is valid UTF-8."""

    opcode: int
    payload: bytes


def head(opcode: int, length: int) -> bytes:
    """The header of an unfragmented frame with so many bytes of payload."""
    first = (_FIN | opcode).to_bytes()
    if length < _SHORT:
        return first + length.to_bytes()
    if length < 1 << 16:
        return first + _SHORT.to_bytes() + length.to_bytes(2)
    return first + _LONG.to_bytes() + length.to_bytes(8)


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame."""
    return head(opcode, len(payload)) + payload


def close(code: int, reason: str) -> bytes:
    """A close frame, its reason cut to what fits."""
    fitting = reason.encode()[:_LONGEST_REASON].decode(errors="ignore").encode()
    return frame(CLOSE, code.to_bytes(2) + fitting)


def close_code(payload: bytes) -> int:
    """The code of a client's close frame, 1005 where it has none; FrameError for one that may not be sent."""
    if not payload:
        return 1005
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or not (code in _CLOSE_CODES or 3000 <= code < 5000):  # noqa: PLR2004 - RFC 6455, 7.4.2
        raise FrameError(PROTOCOL_ERROR, "Invalid close code")
    _text(payload[2:])
    return code


class Reader:
    """Makes messages of the bytes of a client. Holds nothing between whole messages."""

    __slots__ = ("_begun", "_buffer", "_kind", "_largest")

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._buffer: bytes | bytearray = b""
        """The beginning of a frame."""
        self._kind: int | None = None
        """Of the message whose fragments are coming."""
        self._begun: bytearray | None = None
        """What they had. Kept one by one, small ones would take many times what they weigh."""

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are complete with these bytes; FrameError, after which nothing more is read."""
        given: bytes | bytearray = data
        if self._buffer:
            # In place: a frame that comes a few bytes at a time is not copied each time.
            given = bytearray(self._buffer) if isinstance(self._buffer, bytes) else self._buffer
            given += data
        position = 0
        try:
            while (end := self._frame_end(given, position)) is not None:
                first, payload = given[position], self._payload(given, position, end)
                position = end
                message = self._assembled(first, payload)
                if message is not None:
                    yield message
        finally:
            self._buffer = bytes(given[position:]) if position else given

    def _frame_end(self, data: bytes | bytearray, start: int) -> int | None:
        """Where the frame that begins here ends; None while it is not all there."""
        there = len(data) - start
        if there < 2:  # noqa: PLR2004 - the shortest header
            return None
        opcode, length = self._checked(data[start], data[start + 1])
        header = 2
        if length >= _SHORT:
            width = 2 if length == _SHORT else 8
            header += width
            if there < header:
                return None
            length = int.from_bytes(data[start + 2 : start + header])
        if not opcode & _CONTROL and len(self._begun or b"") + length > self._largest:
            raise FrameError(TOO_BIG, f"A message may have at most {self._largest:,} bytes")
        end = start + header + 4 + length
        return end if end <= len(data) else None

    def _checked(self, first: int, second: int) -> tuple[int, int]:
        opcode, length = first & 0xF, second & 0x7F
        if first & _RESERVED or opcode not in _KNOWN:
            raise FrameError(PROTOCOL_ERROR, "Reserved bits or opcode")
        if not second & _MASKED:
            raise FrameError(PROTOCOL_ERROR, "Frames of a client are masked")
        if opcode & _CONTROL:
            if not first & _FIN or length > _LONGEST_CONTROL:
                raise FrameError(PROTOCOL_ERROR, "A control frame is short and whole")
        elif (opcode == CONTINUATION) != (self._kind is not None):
            raise FrameError(PROTOCOL_ERROR, "Fragments out of order")
        return opcode, length

    @staticmethod
    def _payload(data: bytes | bytearray, start: int, end: int) -> bytes:
        length = data[start + 1] & 0x7F
        begin = start + 2 + (0 if length < _SHORT else 2 if length == _SHORT else 8) + 4
        size = end - begin
        mask = data[begin - 4 : begin]
        repeated = (mask * (size // 4 + 1))[:size]
        return (int.from_bytes(data[begin:end]) ^ int.from_bytes(repeated)).to_bytes(size)

    def _assembled(self, first: int, payload: bytes) -> Message | None:
        opcode = first & 0xF
        if opcode & _CONTROL:
            return Message(opcode, payload)
        if self._begun is not None:
            self._begun += payload
        if not first & _FIN:
            if self._begun is None:
                self._kind, self._begun = opcode, bytearray(payload)
            return None
        if self._begun is not None:
            assert self._kind is not None  # noqa: S101 - set with the first fragment
            opcode, payload = self._kind, bytes(self._begun)
            self._kind = self._begun = None
        if opcode == TEXT:
            _text(payload)
        return Message(opcode, payload)


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise FrameError(INVALID_DATA, "Text is UTF-8") from None
