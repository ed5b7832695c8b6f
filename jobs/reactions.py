"""What follows from events beside their delivery: the only list of it."""

from collections.abc import Sequence

from jobs import alert, webhook
from jobs.relay import Reaction

REACTIONS: Sequence[Reaction] = (alert.react, webhook.react)
