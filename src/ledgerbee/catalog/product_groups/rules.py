"""Which accounts a product group may map to (contract 2.11)."""

from collections.abc import Collection, Iterator, Mapping
from uuid import UUID

from ledgerbee.catalog.product_groups.model import PRODUCT_GROUP_ACCOUNT_INVALID, ProductGroup
from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND, Account
from ledgerbee.chart.vat_codes.model import VatCode, VatType
from ledgerbee.core.errors import LedgerBeeError, refuse_first
from ledgerbee.core.fields import wire_name

#: Account field -> whether the account has to carry a VAT code valid for sales.
ACCOUNT_FIELDS: Mapping[str, bool] = {
    "domestic_account_id": True,
    "eu_account_id": True,
    "abroad_account_id": True,
    "domestic_without_vat_account_id": False,
}


def check_accounts(
    group: ProductGroup,
    named: Collection[str],
    accounts: Mapping[UUID, Account],
    vat_codes: Mapping[UUID, VatCode],
) -> None:
    """Refuse a mapping to an account that can't take a sale.

    `named` are the account fields that the request names: a group can be renamed whatever became of its accounts.
    `accounts` and `vat_codes` are those the company has. Raises `ACCOUNT_NOT_FOUND` and
    `PRODUCT_GROUP_ACCOUNT_INVALID` with the field in `details`: the first problem in the fields' order, and all
    fields that have the same.
    """
    refuse_first(_faults(group, named, accounts, vat_codes))


def _faults(
    group: ProductGroup,
    named: Collection[str],
    accounts: Mapping[UUID, Account],
    vat_codes: Mapping[UUID, VatCode],
) -> Iterator[LedgerBeeError]:
    for field, needs_sales_vat in ACCOUNT_FIELDS.items():
        if field not in named:
            continue
        account_id: UUID = getattr(group, field)
        account = accounts.get(account_id)
        place = wire_name(field)
        if account is None:
            yield ACCOUNT_NOT_FOUND.missing(place, "accountId", account_id)
            continue
        if not account.is_bookable:
            yield PRODUCT_GROUP_ACCOUNT_INVALID.error(
                f"Account {account.number} can't be booked on", property=place, accountId=str(account_id)
            )
            continue
        vat_code = vat_codes.get(account.vat_code_id) if account.vat_code_id else None
        if needs_sales_vat and (vat_code is None or vat_code.type is not VatType.SALES):
            yield PRODUCT_GROUP_ACCOUNT_INVALID.error(
                f"Account {account.number} carries no VAT code valid for sales",
                property=place,
                accountId=str(account_id),
            )
