"""Journal entries over HTTP: creating them, and what can be done with posted ones."""

from ledgerbee.ledger.entries.http import create, posted

#: In the reference's order of tags; within a tag, fixed paths go before those with an id.
ROUTERS = (create.router, posted.router)
ROUTERS_V2 = (create.router_v2,)
