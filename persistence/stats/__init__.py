"""Statistics: feedback counted by the hour, and every statement that counts."""

from persistence.stats.cell import StatsHour
from persistence.stats.compaction import compact
from persistence.stats.counting import CountsRow, counts

__all__ = ["CountsRow", "StatsHour", "compact", "counts"]
