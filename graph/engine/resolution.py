"""How a field is resolved: said in the `extensions` of graphql-core's own field and type objects.

A field without a word of this is resolved as graphql-core does it, by its `resolve` or the default resolver,
once for each object.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

RESOLUTION = "resolution"
"""Key in `GraphQLField.extensions` of an Attribute, Computed, Batch or Call."""

EVENTS = "events"
"""Key in a subscription field's `extensions` of the Call that is asked, once, for where its events come from."""

WEIGHT = "weight"
"""Key in a field's `extensions` of what each object that it answers adds to the weight of a result; 1 without it."""

SPELLING = "spelling"
"""Key in a field's `extensions` of whatever tells a store how to write its value; hashable, and not None."""

UNCHANGED = "unchanged"
"""Key in a scalar's `extensions` of an Unchanged."""

SOURCES = "sources"
"""Key in `GraphQLObjectType.extensions` of the Sources that its objects come from."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """The parent's attribute or, where its Source says so, item of that name: a plain value.

    `convert(value)` makes the field's value of it, unless it is None; pure, as a Computed's function.
    """

    name: str
    convert: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Computed:
    """`function(parent)`: synchronous, without side effects, cheap; it may be called again for the same parent.

    `reads` are the attributes it looks at; None means any.
    """

    function: Callable[[Any], Any]
    reads: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """`await load(parents, info, **arguments)`: one call a level, one answer for each parent in their order.

    An answer that is an exception fails its own parent only; an exception raised fails them all. `reads` are
    the attributes that it looks at in the parents; None means any. `first`: the other fields of its parents, below
    them too, are not begun before it has answered.
    """

    load: Callable[..., Awaitable[Sequence[Any]]]
    reads: tuple[str, ...] | None = None
    first: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """`function(parent, info, **arguments)` for each object, plain or awaitable, with the engine's light Info."""

    function: Callable[..., Any]
    reads: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What a scalar's `serialize` answers as it is: instances of just this class whose attribute is this object.

    It spares them the call.
    """

    cls: type
    attribute: str
    value: object


Resolution = Attribute | Computed | Batch | Call


@dataclass(frozen=True, slots=True)
class Source:
    """A Python class whose instances are objects of one GraphQL type and of no other.

    It spares `is_type_of` and `resolve_type` their calls, which must agree. `items` says that attributes are
    read as `parent[name]`, as from a database row.
    """

    cls: type
    items: bool = False
