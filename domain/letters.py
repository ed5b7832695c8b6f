"""How mail of ours reads: one letter, as plain text and as HTML that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from domain.mail import Message

_WIDTH = "max-width:34em"
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    '<body style="margin:0;padding:2em 1em;font:16px/1.5 system-ui,sans-serif;color:#1c2733">'
    f'<div style="{_WIDTH};margin:auto">{{body}}</div></body></html>'
)
_QUOTE = (
    '<blockquote style="margin:1em 0;padding:.2em 1em;border-left:3px solid #b8c4d0;'
    'white-space:pre-wrap">{}</blockquote>'
)
_BUTTON = (
    '<p><a href="{url}" style="display:inline-block;padding:.6em 1.2em;border-radius:.4em;'
    'background:#1c5d99;color:#fff;text-decoration:none">{text}</a></p>'
)


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's words, as they wrote them."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where to go on."""

    text: str
    url: str


Part = str | Quote | Link


def letter(to: str, subject: str, parts: Sequence[Part], *, reply_to: str | None = None) -> Message:
    """A letter of paragraphs, quotes and links."""
    body = "".join(map(_as_html, parts))
    return Message(
        to=to,
        subject=subject,
        text="\n\n".join(map(_as_text, parts)) + "\n",
        html=_PAGE.format(title=escape(subject), body=body),
        reply_to=reply_to,
    )


def _as_text(part: Part) -> str:
    match part:
        case Quote(text):
            return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
        case Link(text, url):
            return f"{text}: {url}"
        case paragraph:
            return paragraph


def _as_html(part: Part) -> str:
    match part:
        case Quote(text):
            return _QUOTE.format(escape(text))
        case Link(text, url):
            return _BUTTON.format(url=escape(url), text=escape(text))
        case paragraph:
            return f"<p>{escape(paragraph)}</p>"
