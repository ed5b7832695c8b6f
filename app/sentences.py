"""What an operator is told of an error that is no bug."""

from app.embedded import EmbeddedError
from domain.errors import DomainError, InvalidInputError
from graph.manifest import ManifestError
from inference.sentiment import ModelError
from persistence.bus import BusUnavailableError
from persistence.database import StoreUnavailableError
from persistence.migrate import MigrationError
from persistence.objects import ObjectsUnavailableError

_SAY_IT_THEMSELVES = (
    BusUnavailableError,
    DomainError,
    EmbeddedError,
    ManifestError,
    MigrationError,
    ModelError,
    ObjectsUnavailableError,
    StoreUnavailableError,
)


def sentence(error: Exception) -> str | None:
    """One sentence, for people; None for a bug."""
    if isinstance(error, InvalidInputError) and error.fields:
        wrong = [f"{'.'.join(field.path)} {field.message}" for field in error.fields]
        return f"{error} {'; '.join(wrong)}."
    if isinstance(error, _SAY_IT_THEMSELVES):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return None
