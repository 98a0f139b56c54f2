"""What is decided of a company's payment providers. Pure."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts.model import (
    ACCOUNT_NOT_BOOKABLE,
    ACCOUNT_NOT_FOUND,
    Account,
    AccountRole,
    Classification,
    LedgerType,
)
from ledgerbee.core.errors import refuse
from ledgerbee.payments.customer_payments.model import BANK
from ledgerbee.payments.provider_settings.model import (
    KEY_NAMES,
    PAYMENT_PROVIDER_ACCOUNT_INVALID,
    ProviderSettings,
    WantedSettings,
)
from ledgerbee.payments.providers.model import ProviderName

#: How keys begin that move money at Stripe; those of its test mode have `test` there (docs.stripe.com/keys).
_LIVE_KEYS: Final = ("sk_live_", "rk_live_")

#: Roles of accounts whose balance is held against documents.
_OF_OTHERS: Final = frozenset({AccountRole.CUSTOMER_PREPAYMENTS, AccountRole.DEFERRED_REVENUE})


def check_keys(
    name: ProviderName, wanted: WantedSettings, keys: Mapping[str, str], *, is_sandbox: bool = False
) -> None:
    """Whether a provider has the keys that it needs, and no others. `keys` are all of them, those that stay too.

    A company for tests has none that move money: its clock runs ahead, and would charge cards of customers. QuickPay's
    keys don't show it. Raises a validation error.
    """
    needed = KEY_NAMES[name]
    others = [key for key in wanted.keys if key not in needed]
    lacking = [key for key in needed if key not in keys] if wanted.is_enabled else []
    is_live = is_sandbox and name is ProviderName.STRIPE and keys.get("secretKey", "").strip().startswith(_LIVE_KEYS)
    refuse(
        [(f"keys.{key}", "isEmpty", f"keys.{key} must be left out: {name} has no such key") for key in others]
        + [(f"keys.{key}", "isNotEmpty", f"keys.{key} should not be empty: {name} needs it") for key in lacking]
        + [("keys.secretKey", "isTestKey", "keys.secretKey must be a test key: the company is for tests")] * is_live
    )


def check_default(wanted: WantedSettings) -> None:
    """Raises a validation error for a default that isn't enabled."""
    if wanted.is_default and not wanted.is_enabled:
        refuse([("isDefault", "isEmpty", "isDefault must be false for a provider that isn't enabled")])


def check_accounts(
    wanted: WantedSettings,
    accounts: Mapping[UUID, Account],
    by_role: Mapping[str, Account],
    vat_accounts: Container[UUID],
) -> None:
    """Whether the accounts that are named can be booked on for what they are named for.

    Clearing, unidentified receipts and the bank are three different ones on the balance sheet, also from those of the
    roles that stand in where none is named: of no party, no VAT code, no deferred revenue or prepayment. Fees are an
    expense. `accounts` are those that are named, `vat_accounts` those of them that VAT codes book on. Raises
    `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE` and `PAYMENT_PROVIDER_ACCOUNT_INVALID`.
    """
    on_balance = {
        "clearingAccountId": (wanted.clearing_account_id, AccountRole.PAYMENT_CLEARING),
        "unidentifiedReceiptsAccountId": (wanted.unidentified_account_id, AccountRole.UNIDENTIFIED_RECEIPTS),
        "bankAccountId": (wanted.bank_account_id, BANK),
    }
    for field, account_id in (
        *((field, account_id) for field, (account_id, _) in on_balance.items()),
        ("feeAccountId", wanted.fee_account_id),
    ):
        if account_id is None:
            continue
        account = accounts.get(account_id)
        if account is None:
            raise ACCOUNT_NOT_FOUND.missing(field, "accountId", account_id)
        if not account.is_bookable:
            raise ACCOUNT_NOT_BOOKABLE.error(accountId=str(account_id))
        fits = (
            _is_plain(account, vat_accounts)
            if field in on_balance
            else account.classification is Classification.EXPENSE
        )
        if not fits:
            raise PAYMENT_PROVIDER_ACCOUNT_INVALID.error(property=field, accountId=str(account_id))
    used = {
        field: account_id or (by_role[role].id if role in by_role else None)
        for field, (account_id, role) in on_balance.items()
    }
    for field, (account_id, _) in on_balance.items():
        if account_id is not None and list(used.values()).count(account_id) > 1:
            raise PAYMENT_PROVIDER_ACCOUNT_INVALID.error(property=field, accountId=str(account_id))


def _is_plain(account: Account, vat_accounts: Container[UUID]) -> bool:
    """Whether an account is on the balance sheet and stands for nothing that the books have of others."""
    return (
        account.ledger_type is LedgerType.BALANCE_SHEET
        and account.control_account_type is None
        and account.role not in _OF_OTHERS
        and account.id not in vat_accounts
    )


def with_one_default(
    changed: ProviderSettings, others: Sequence[ProviderSettings]
) -> tuple[ProviderSettings, list[ProviderSettings]]:
    """The provider that changed, and those of the others that become or stop being the default by it.

    Of those that are enabled one is the default: the one that is to be it; else the one that is; else the oldest, of
    the others first.
    """
    default = _default_of(changed, others)
    moved = [replace(one, is_default=one is default) for one in others if one.is_default != (one is default)]
    return replace(changed, is_default=changed is default), moved


def _default_of(changed: ProviderSettings, others: Iterable[ProviderSettings]) -> ProviderSettings | None:
    if changed.is_enabled and changed.is_default:
        return changed
    enabled = sorted((one for one in others if one.is_enabled), key=lambda one: (one.created_at, one.id))
    current = next((one for one in enabled if one.is_default), None)
    return current or next(iter([*enabled, *([changed] if changed.is_enabled else [])]), None)
