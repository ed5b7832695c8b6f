"""Postgres, Valkey and S3 from pip wheels, for `make run` and `make test`; docs in each module."""

from app.embedded.parts import EmbeddedParts, Endpoints, Part
from app.embedded.state import EmbeddedError

__all__ = ["EmbeddedError", "EmbeddedParts", "Endpoints", "Part"]
