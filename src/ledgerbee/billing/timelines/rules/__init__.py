"""Rules of periods and timelines. Pure."""

from ledgerbee.billing.timelines.rules.grid import boundary, index_at, moved_to, next_boundary, period_at
from ledgerbee.billing.timelines.rules.timeline import segment_on, timeline_of

__all__ = ["boundary", "index_at", "moved_to", "next_boundary", "period_at", "segment_on", "timeline_of"]
