"""Compiles GraphQL operations into plans: README.md says how."""

from graph.engine.arguments import VariableErrors
from graph.engine.document import Engine, Plan, Result
from graph.engine.info import Info
from graph.engine.resolution import (
    EVENTS,
    RESOLUTION,
    SOURCES,
    UNCHANGED,
    WEIGHT,
    Attribute,
    Batch,
    Call,
    Computed,
    Resolution,
    Source,
    Unchanged,
)

__all__ = [
    "EVENTS",
    "RESOLUTION",
    "SOURCES",
    "UNCHANGED",
    "WEIGHT",
    "Attribute",
    "Batch",
    "Call",
    "Computed",
    "Engine",
    "Info",
    "Plan",
    "Resolution",
    "Result",
    "Source",
    "Unchanged",
    "VariableErrors",
]
