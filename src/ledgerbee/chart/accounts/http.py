"""Accounts over HTTP (contract 2.1)."""

from pydantic import Field

from ledgerbee.chart.accounts import store
from ledgerbee.chart.accounts.model import Account, Classification, ControlAccountType, LedgerType
from ledgerbee.platform.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.http.wire import IdText, ResponseModel

router = resource_router("Accounts")


class AccountResponse(ResponseModel):
    """An account of the chart."""

    id: IdText
    name: str = Field(examples=["Salg af varer og ydelser"])
    account_number: int = Field(examples=[1010])
    public_account_id: int = Field(description="The standard account it maps to", examples=[1010])
    ledger_type: LedgerType = Field(description="Only BALANCE_SHEET and PROFIT_AND_LOSS can be booked on")
    account_classification: Classification | None
    control_account_type: ControlAccountType | None = Field(
        description="ACCOUNTS_RECEIVABLE: an entry needs customerId. ACCOUNTS_PAYABLE: an entry needs vendorId."
    )
    vat_code_id: IdText | None = Field(description="The VAT code its postings carry unless they name another")


def render(account: Account) -> AccountResponse:
    """The wire form of an account."""
    return AccountResponse(
        id=account.id,
        name=account.name,
        account_number=account.number,
        public_account_id=account.standard_number,
        ledger_type=account.ledger_type,
        account_classification=account.classification,
        control_account_type=account.control_account_type,
        vat_code_id=account.vat_code_id,
    )


@router.get(
    "/v1/accounts",
    **operation(
        "List accounts",
        scope="accounts-read",
        description="The whole chart of accounts, by standard account and number.",
    ),
)
async def list_accounts(context: Ctx) -> list[AccountResponse]:
    """List accounts."""
    return [render(account) for account in await store.list_all(context)]
