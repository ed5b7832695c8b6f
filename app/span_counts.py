"""What became of this process' spans. Apart from the exporter, which is loaded only where there is one."""

from dataclasses import dataclass


@dataclass(slots=True)
class SpanCounts:
    """`failed`: the collector did not take them; `dropped`: there was no room for more to wait."""

    exported: int = 0
    failed: int = 0
    dropped: int = 0


COUNTS = SpanCounts()
