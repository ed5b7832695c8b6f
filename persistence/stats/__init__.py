"""Statistics: feedback counted by the hour, and every statement that counts."""

from persistence.stats.cell import StatsHour
from persistence.stats.compaction import compact
from persistence.stats.counting import CountsRow, counts
from persistence.stats.grouped import Group, GroupRow, grouped
from persistence.stats.modelled import ModelCountRow, fold_models, models

__all__ = [
    "CountsRow",
    "Group",
    "GroupRow",
    "ModelCountRow",
    "StatsHour",
    "compact",
    "counts",
    "fold_models",
    "grouped",
    "models",
]
