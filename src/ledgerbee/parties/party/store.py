"""The row of a party as such: does it exist, and nobody else may change what hangs on it."""

from ledgerbee.core.errors import ErrorCode
from ledgerbee.parties.customers.model import CUSTOMER_NOT_FOUND
from ledgerbee.parties.party.model import Party, PartyKind
from ledgerbee.parties.vendors.model import VENDOR_NOT_FOUND
from ledgerbee.platform.context import Context

_NOT_FOUND: dict[PartyKind, ErrorCode] = {
    PartyKind.CUSTOMER: CUSTOMER_NOT_FOUND,
    PartyKind.VENDOR: VENDOR_NOT_FOUND,
}


async def require(context: Context, party: Party) -> None:
    """Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND` for a party the company hasn't."""
    await _find(context, party, "")


async def lock(context: Context, party: Party) -> None:
    """Keep others from changing the party, its contacts and departments until the transaction ends.

    Documents that refer to it can still be written meanwhile. Raises what `require` raises.
    """
    await _find(context, party, " FOR NO KEY UPDATE")


async def _find(context: Context, party: Party, locking: str) -> None:
    found = await context.connection.fetchval(
        f"SELECT 1 FROM {party.kind}s WHERE company_id = $1 AND id = $2{locking}", context.company_id, party.id
    )
    if found is None:
        raise _NOT_FOUND[party.kind].error()
