"""The sentiment models that a process can find, and the one that its scorer uses: what the operators have chosen."""

import asyncio
from pathlib import Path

import structlog

from app.scoring import load_model
from app.settings import Settings
from domain import models
from domain.models import USUAL, Available, UnusableModelError
from inference.batcher import Scorer
from inference.sentiment import DEFAULT_DIRECTORY, ModelError, name_of
from persistence.database import Database, StoreUnavailableError

log = structlog.get_logger(__name__)

_EVERY = 2.0


class Models:
    """Lets a scorer take another model while it works."""

    def __init__(self, settings: Settings, scorer: Scorer) -> None:
        self._settings = settings
        self._scorer = scorer
        self._name = USUAL
        self._refused: str | None = None
        self._taking = asyncio.Lock()

    async def available(self) -> list[Available]:
        """That of the settings, and those that lie in the directory of models."""
        return await asyncio.to_thread(self._look)

    async def take(self, name: str) -> str:
        """Use a model from now on; UnusableModelError where it cannot be: then everything is as before."""
        async with self._taking:
            directory = None if name == USUAL else self._settings.models / name
            try:
                model = await asyncio.to_thread(load_model, self._settings, directory)
            except ModelError as error:
                raise UnusableModelError(str(error)) from error
            self._scorer.swap(model)
            self._name = name
            log.info("sentiment model taken", model=model.name)
            return model.name

    async def keep_up(self, database: Database) -> None:
        """Take the model that is wanted, unless it is in use, or could not be used here."""
        async with database.reader() as reader:
            wanted = await models.wanted(reader)
        if wanted == self._name:
            self._refused = None
        elif wanted != self._refused:
            try:
                await self.take(wanted)
            except UnusableModelError as error:
                self._refused = wanted
                log.error("sentiment model cannot be used", model=wanted, reason=str(error))  # noqa: TRY400

    async def run(self, database: Database) -> None:
        """Keep up for as long as the process works."""
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self.keep_up(database)
            except StoreUnavailableError:
                log.debug("cannot look for another sentiment model: the store is away")

    def _look(self) -> list[Available]:
        found = [_available(USUAL, self._settings.sentiment_model or DEFAULT_DIRECTORY)]
        directory = self._settings.models
        if directory.is_dir():
            inside = sorted(each for each in directory.iterdir() if each.is_dir())
            found += [_available(each.name, each) for each in inside if each.name != USUAL]
        return found


def _available(name: str, directory: Path) -> Available:
    try:
        return Available(name, name_of(directory), None)
    except ModelError as error:
        return Available(name, None, str(error))
