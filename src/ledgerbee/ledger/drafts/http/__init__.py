"""Draft journal entries over HTTP, split by version: v1 has no line that the system adds, and no PATCH."""

from ledgerbee.ledger.drafts.http.v1 import router
from ledgerbee.ledger.drafts.http.v2 import router as router_v2

__all__ = ["router", "router_v2"]
