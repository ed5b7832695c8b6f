"""Compiles GraphQL operations into plans: README.md says how."""

from graph.engine.arguments import VariableErrors
from graph.engine.document import Engine, Plan, Result
from graph.engine.info import Info
from graph.engine.outline import Entry, Fragment, Outline
from graph.engine.resolution import (
    EVENTS,
    RESOLUTION,
    SOURCES,
    SPELLING,
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
    "SPELLING",
    "UNCHANGED",
    "WEIGHT",
    "Attribute",
    "Batch",
    "Call",
    "Computed",
    "Engine",
    "Entry",
    "Fragment",
    "Info",
    "Outline",
    "Plan",
    "Resolution",
    "Result",
    "Source",
    "Unchanged",
    "VariableErrors",
]
