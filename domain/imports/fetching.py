"""Bringing a file from the bucket to the local disk, or as much of it as tells how it is written."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import cast

from domain.file import File
from domain.imports.layout import SAMPLE, is_workbook
from persistence.objects import Objects

LARGEST_LOOKED_INTO = 8 * 2**20
"""Of a workbook, of which a part tells nothing, in bytes."""


async def fetch(objects: Objects, row: File, path: Path) -> None:
    """All of it, a piece at a time."""
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in objects.chunks(row.key):
            await asyncio.to_thread(file.write, chunk)


async def sample(objects: Objects, row: File, path: Path) -> bool:
    """The beginning of a file, or all of a workbook; False for a workbook that is too large for that."""
    head = bytearray()
    wanted = SAMPLE
    async with aclosing(cast("AsyncGenerator[bytes]", objects.chunks(row.key))) as chunks:
        async for chunk in chunks:
            head += chunk
            if is_workbook(bytes(head[:8])):
                if row.size > LARGEST_LOOKED_INTO:
                    return False
                wanted = row.size
            if len(head) >= wanted:
                break
    await asyncio.to_thread(path.write_bytes, head[:wanted])
    return True
