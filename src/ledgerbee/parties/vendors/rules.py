"""Which account a vendor's bills may be booked on by default."""

from uuid import UUID

from ledgerbee.chart.accounts.model import Account
from ledgerbee.parties.vendors.model import LEDGER_NOT_FOUND, VENDOR_DEFAULT_ACCOUNT_INVALID


def check_default_account(account_id: UUID, account: Account | None) -> None:
    """Refuse an account that no bill can be booked on.

    Raises `LEDGER_NOT_FOUND`, and `VENDOR_DEFAULT_ACCOUNT_INVALID` for one that can't be booked on or that stands
    for parties itself.
    """
    if account is None:
        raise LEDGER_NOT_FOUND.missing("defaultAccountId", "accountId", account_id)
    if not account.is_bookable or account.control_account_type is not None:
        raise VENDOR_DEFAULT_ACCOUNT_INVALID.error(property="defaultAccountId", accountId=str(account_id))
