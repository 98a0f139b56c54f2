"""The row of a party as the owner of contacts and departments."""

from collections.abc import Mapping
from typing import Final

from ledgerbee.core.errors import ErrorCode
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND, Party, PartyKind
from ledgerbee.platform.context import Context

_EXISTS: Final = {kind: f"SELECT 1 FROM {kind}s WHERE company_id = $1 AND id = $2" for kind in PartyKind}
_NOT_FOUND: Final[Mapping[PartyKind, ErrorCode]] = {
    PartyKind.CUSTOMER: CUSTOMER_NOT_FOUND,
    PartyKind.VENDOR: VENDOR_NOT_FOUND,
}


def for_each_kind(statement: str) -> Mapping[PartyKind, str]:
    """A statement over what belongs to parties, by their kind; `{party}` in it is the column of the party's id."""
    return {kind: statement.replace("{party}", f"{kind}_id") for kind in PartyKind}


async def require(context: Context, party: Party) -> None:
    """Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND` for a party the company hasn't."""
    await _require(context, party, _EXISTS[party.kind])


async def require_for_update(context: Context, party: Party) -> None:
    """Keep others from changing the party, its contacts and departments until the transaction ends.

    Documents that refer to it can still be written meanwhile. Raises what `require` raises.
    """
    await _require(context, party, f"{_EXISTS[party.kind]} FOR NO KEY UPDATE")


async def _require(context: Context, party: Party, statement: str) -> None:
    _NOT_FOUND[party.kind].unless(await context.connection.fetchval(statement, context.company_id, party.id))
