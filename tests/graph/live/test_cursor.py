"""Cursors: opaque, written and read without loss, and nothing else is taken for one."""

import base64

import pytest

from graph.live.cursor import BadCursorError, Cursor


@pytest.mark.parametrize("offset", [0, 1, 10**12])
def test_a_cursor_is_read_as_it_was_written(offset: int) -> None:
    cursor = Cursor("a1b2c3d4", offset)

    assert Cursor.parse(str(cursor)) == cursor


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "ä",
        "\x00",
        "YTE6MQ==",
        _encoded("no offset"),
        _encoded("epoch:"),
        _encoded("epoch:x"),
        _encoded("epoch:-1"),
        _encoded("epoch:+1"),
        _encoded("epoch: 1"),
        _encoded("epoch:1_0"),
        _encoded("epoch:01"),
        _encoded("epoch:1:2"),
        _encoded("epoch:" + "9" * 5_000),
        "/" * 8,
    ],
)
def test_what_no_topic_gave_is_no_cursor(text: str) -> None:
    with pytest.raises(BadCursorError):
        Cursor.parse(text)
