"""What an import of a file would do, found out from its beginning."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.checks import Checks
from domain.errors import FieldError, InvalidInputError
from domain.imports import columns
from domain.imports.asking import admit
from domain.imports.fetching import LARGEST_LOOKED_INTO, sample
from domain.imports.layout import Layout, detect
from domain.imports.opening import opened
from domain.imports.row import Reading, Refusal, Row
from domain.viewer import Viewer
from persistence.database import Database
from persistence.objects import Objects

_MOST_LOOKED_AT = 1_000
_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class PreviewImport:
    file_id: UUID
    columns: Any = None


@dataclass(frozen=True, slots=True)
class Preview:
    """How a file is written, which column is which field, and what becomes of its first rows.

    `errors` is what is wrong with the columns, and then there are no rows.
    """

    layout: Layout
    mapping: Mapping[str, str]
    errors: tuple[FieldError, ...] = ()
    looked_at: int = 0
    refused: int = 0
    rows: tuple[Row, ...] = ()
    refusals: tuple[Refusal, ...] = ()


async def preview(
    database: Database, objects: Objects, viewer: Viewer, command: PreviewImport, now: datetime
) -> Preview:
    """Read the beginning of a file as an import would; nothing is stored."""
    said = columns.check(command.columns)
    async with database.transaction() as uow:
        row = await admit(uow, viewer, command.file_id, None)
    with tempfile.TemporaryDirectory(prefix="earful-import-") as directory:
        path = Path(directory) / "sample"
        if not await sample(objects, row, path):
            checks = Checks()
            most = f"{LARGEST_LOOKED_INTO // 2**20} MiB"
            checks.refuse(["fileId"], f"must be at most {most} for a preview of an XLSX file")
            checks.done()
        return await asyncio.to_thread(_look, path, row.size, said, now)


def _look(path: Path, size: int, said: Mapping[str, str | None], now: datetime) -> Preview:
    layout = detect(path)
    try:
        mapping = columns.resolve(said, layout.columns)
    except InvalidInputError as error:
        return Preview(layout, columns.guess(layout.columns), error.fields)
    times: Counter[bytes] = Counter()

    def occurrence(digest: bytes) -> int:
        times[digest] += 1
        return times[digest] - 1

    with opened(path, layout, is_cut=path.stat().st_size < size) as (raw, _):
        found = list(islice(Reading(layout, mapping, occurrence, now).of(raw), _MOST_LOOKED_AT))
    rows = [each for each in found if isinstance(each, Row)]
    refusals = [each for each in found if isinstance(each, Refusal)]
    return Preview(
        layout,
        mapping,
        looked_at=len(found),
        refused=len(refusals),
        rows=tuple(rows[:_MOST_SHOWN]),
        refusals=tuple(refusals[:_MOST_SHOWN]),
    )
