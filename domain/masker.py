"""Masking as a source says: of what it brings, before any of that is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from uuid import UUID

import orjson

from domain import masking
from domain.checks import Checks
from domain.masking import Kind
from domain.seals import Seals
from persistence.source import SourceRow

D = TypeVar("D", bound=Mapping[str, Any])
_AUTHOR = ("author_name", "author_email", "author_external_id")


@dataclass(frozen=True, slots=True)
class Rules:
    """What is masked; whether in the author's name, address and id too; whether originals are kept, sealed."""

    kinds: tuple[Kind, ...]
    authors: bool = False
    reversible: bool = False

    def check(self, checks: Checks) -> None:
        if not self.kinds:
            checks.refuse(
                ["masking", "kinds"], "must name at least one; leave out `masking` for none"
            )

    def to_json(self) -> str:
        kinds = [kind.value for kind in Kind if kind in self.kinds]
        stored = {"kinds": kinds, "authors": self.authors, "reversible": self.reversible}
        return orjson.dumps(stored).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        stored = orjson.loads(text)
        return cls(tuple(map(Kind, stored["kinds"])), stored["authors"], stored["reversible"])


class Masker:
    """Masks what one source brings."""

    def __init__(self, source: UUID, rules: Rules, seals: Seals | None) -> None:
        self._source = source
        self._rules = rules
        self._seals = seals

    @classmethod
    def of(cls, source: SourceRow, seals: Seals | None) -> "Masker | None":
        """None for a source that leaves everything as it is."""
        return cls.by(source.id, source.masking, seals)

    @classmethod
    def by(cls, source: UUID, rules: str | None, seals: Seals | None) -> "Masker | None":
        return None if rules is None else cls(source, Rules.from_json(rules), seals)

    def draft(self, draft: D) -> D:
        """The draft as it may be stored, with its original sealed where the source says so."""
        masked: dict[str, Any] = {"body": self.text(draft["body"])}
        if draft["metadata"] is not None:
            told = orjson.loads(draft["metadata"])
            kept = masking.mask_json(told, self._rules.kinds)
            if kept != told:
                masked["metadata"] = orjson.dumps(kept).decode()
        if self._rules.authors:
            masked |= self._nobody(draft)
        was = {name: draft[name] for name, value in masked.items() if value != draft[name]}
        sealed = self._sealed(was) if was and self._rules.reversible else None
        return {**draft, **masked, "sealed": sealed}  # type: ignore[return-value]  # what it was

    def text(self, text: str) -> str:
        return masking.mask(text, self._rules.kinds)

    def raw(self, body: bytes) -> bytes:
        """What cannot be stored as feedback. Of JSON it stays that, so that it can be tried again.

        A text that is nothing but an address is the author's, and stays where theirs do.
        """
        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError:
            return self.text(body.decode(errors="replace")).encode()
        kinds = self._rules.kinds
        whole = () if self._rules.authors else (Kind.EMAIL,)
        return orjson.dumps(masking.mask_json(told, kinds, kept_whole=whole))

    def _sealed(self, was: Mapping[str, Any]) -> bytes:
        if self._seals is None:
            raise RuntimeError("What is to be had again cannot be sealed here.")
        return self._seals.seal(orjson.dumps(was), _purpose(self._source))

    def _nobody(self, draft: Mapping[str, Any]) -> dict[str, str | None]:
        """An id that is personal would be the same for all of them, so it goes, as does the address."""
        name, email, external_id = (draft[each] for each in _AUTHOR)
        is_told = external_id is not None and self.text(external_id) != external_id
        return {
            "author_name": name and self.text(name),
            "author_email": None if Kind.EMAIL in self._rules.kinds else email,
            "author_external_id": None if is_told else external_id,
        }


def opened(source: UUID, sealed: bytes, seals: Seals) -> dict[str, Any]:
    """What was masked of a draft, as it was, by the names of the columns; `metadata` is a JSON text."""
    found: dict[str, Any] = orjson.loads(seals.open(sealed, _purpose(source)))
    return found


def _purpose(source: UUID) -> str:
    return f"original of {source.hex}"
