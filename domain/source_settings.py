"""What is set of a source: how a GENERIC one is signed and mapped, and who may send a FORM."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from domain.checks import Checks
from domain.provider.generic import ALGORITHMS, ENCODINGS, SCHEMES, check_mapping

FASTEST = 1_000_000
_HEADER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MOST_ORIGINS = 50
ANY_ORIGIN = "*"


@dataclass(frozen=True, slots=True)
class Generic:
    """How a sender of its own kind signs, and where its body has what. Header names are in lower case."""

    mapping: Mapping[str, str]
    scheme: str = "HMAC"
    header: str = "x-signature"
    algorithm: str = "SHA256"
    encoding: str = "HEX"
    prefix: str = ""
    timestamp_header: str | None = None

    def check(self, checks: Checks) -> None:
        for name, value, allowed in (
            ("scheme", self.scheme, SCHEMES),
            ("algorithm", self.algorithm, ALGORITHMS),
            ("encoding", self.encoding, ENCODINGS),
        ):
            if value not in allowed:
                checks.refuse(["generic", name], f"must be one of {', '.join(allowed)}")
        for name, header in (("header", self.header), ("timestampHeader", self.timestamp_header)):
            if header is not None and _HEADER.fullmatch(header) is None:
                checks.refuse(["generic", name], "must be the name of a header")
        checks.line(self.prefix, "generic", "prefix", longest=32)
        check_mapping(self.mapping, checks, "generic", "mapping")

    def to_json(self) -> str:
        values = asdict(self)
        values["timestampHeader"] = values.pop("timestamp_header")
        return orjson.dumps(values).decode()


@dataclass(frozen=True, slots=True)
class Form:
    """Which pages may send, how soon after they were opened, and how often an address may in an hour."""

    origins: tuple[str, ...]
    least_seconds: int = 2
    per_address_per_hour: int = 20

    def check(self, checks: Checks) -> None:
        if not 0 < len(self.origins) <= _MOST_ORIGINS:
            checks.refuse(["form", "origins"], f"must be 1 to {_MOST_ORIGINS} origins")
        for position, origin in enumerate(self.origins):
            if not _is_origin(origin):
                checks.refuse(
                    ["form", "origins", str(position)],
                    "must be an origin like https://www.example.com, or * for all",
                )
        checks.number(self.least_seconds, "form", "leastSeconds", least=0, most=60)
        checks.number(self.per_address_per_hour, "form", "perAddressPerHour", least=1, most=10_000)

    def to_json(self) -> str:
        return orjson.dumps(
            {
                "origins": self.origins,
                "leastSeconds": self.least_seconds,
                "perAddressPerHour": self.per_address_per_hour,
            }
        ).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        values: dict[str, Any] = orjson.loads(text)
        return cls(tuple(values["origins"]), values["leastSeconds"], values["perAddressPerHour"])

    def allows(self, origin: str | None) -> bool:
        """Whether a page of this origin may send; no page at all may where origins are named."""
        return ANY_ORIGIN in self.origins or (origin is not None and origin in self.origins)


def _is_origin(text: str) -> bool:
    if text == ANY_ORIGIN:
        return True
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return is_web and text == f"{parts.scheme}://{parts.netloc}".lower() and "@" not in text


def check(
    kind: str, provider: str, generic: Generic | None, form: Form | None, checks: Checks
) -> str:
    """The JSON text of what is set, where it fits the kind and the provider; what does not is refused."""
    is_generic = kind == "WEBHOOK" and provider == "GENERIC"
    if is_generic and generic is None:
        checks.refuse(["generic"], "is required for GENERIC webhooks")
    if not is_generic and generic is not None:
        checks.refuse(["generic"], "is for GENERIC webhooks only")
    if kind == "FORM" and form is None:
        return Form(()).to_json()  # nobody may send yet
    if kind != "FORM" and form is not None:
        checks.refuse(["form"], "is for forms only")
    chosen = generic or form
    if chosen is None:
        return "{}"
    chosen.check(checks)
    return chosen.to_json()
