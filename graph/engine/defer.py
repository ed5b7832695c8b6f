"""What a selection defers: fields that leave it and are selections of their own, delivered later.

graphql-core says which fields these are, so that they are the same. Here each deferred fragment is known by
the place where it is selected, and not by each object there: the fields that leave together are resolved for
all objects of a level at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from graphql.execution.collect_fields import DeferUsage, GroupedFieldSet
from graphql.execution.incremental.build_execution_plan import DeferUsageSet, build_execution_plan
from graphql.pyutils import RefMap

if TYPE_CHECKING:
    from graph.engine.plan import Selection


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """A deferred fragment at one place of the response: every object there has one to be delivered."""

    label: str | None
    depth: int
    """How long the paths of those objects are."""
    parent: "Fragment | None"


class Part(NamedTuple):
    """Fields that leave a selection together, because they are in the same deferred fragments."""

    fragments: tuple[Fragment, ...]
    selection: "Selection"


class Scope:
    """Where a selection stands: how deep, inside of which deferred fragments, and which are known there."""

    __slots__ = ("depth", "inside", "known", "new")

    def __init__(
        self,
        depth: int = 0,
        inside: DeferUsageSet | None = None,
        known: RefMap[DeferUsage, Fragment] | None = None,
        new: Sequence[DeferUsage] = (),
    ) -> None:
        self.depth = depth
        self.inside = inside
        self.known: RefMap[DeferUsage, Fragment] = RefMap() if known is None else known
        self.new: tuple[Fragment, ...] = ()
        """Those that the selection itself has, the outer ones first."""
        if new:
            self.known = RefMap(self.known.items())
            for usage in new:
                parent = usage.parent_defer_usage
                around = None if parent is None else self.known[parent]
                self.known[usage] = Fragment(usage.label, depth, around)
            self.new = self.fragments(new)

    def below(self, depth: int, new: Sequence[DeferUsage]) -> "Scope":
        """The place of objects that are so much deeper."""
        return Scope(self.depth + depth, self.inside, self.known, new)

    def within(self, usages: DeferUsageSet) -> "Scope":
        """The same place, as those fields see it that are in these deferred fragments."""
        return Scope(self.depth, usages, self.known)

    def fragments(self, usages: Iterable[DeferUsage]) -> tuple[Fragment, ...]:
        return tuple(self.known[usage] for usage in usages)

    def split(
        self, fields: GroupedFieldSet
    ) -> tuple[GroupedFieldSet, list[tuple[DeferUsageSet, GroupedFieldSet]]]:
        """The fields that stay, and those that leave by the deferred fragments that they are in."""
        if not self.known:
            return fields, []
        plan = build_execution_plan(fields, self.inside)
        return plan.grouped_field_set, list(plan.new_grouped_field_sets.items())
