"""Which account a group of parties may stand on (contract 2.4, 2.26)."""

from uuid import UUID

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND, Account, ControlAccountType
from ledgerbee.core.errors import ErrorCode


def control_account(
    account_id: UUID, account: Account | None, control_type: ControlAccountType, refusal: ErrorCode
) -> Account:
    """The account, if the company has it and it is an active control account of the type.

    Raises `ACCOUNT_NOT_FOUND` and `refusal`, with the field in `details`.
    """
    if account is None:
        raise ACCOUNT_NOT_FOUND.missing("accountId", "accountId", account_id)
    if not account.is_bookable or account.control_account_type is not control_type:
        raise refusal.error(
            f"Account {account.number} is no active control account of type {control_type}",
            property="accountId",
            accountId=str(account_id),
        )
    return account
