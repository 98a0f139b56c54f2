"""Journal entries over HTTP, split by what is done with them."""

from ledgerbee.ledger.entries.http import attachments, changes, create, reads

#: In the reference's order of tags; within a tag, fixed paths go before those with an id.
ROUTERS = (create.router, reads.router, changes.router, attachments.router)
ROUTERS_V2 = (create.router_v2,)
