"""Which accounts a chart may have."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from ledgerbee.chart.accounts.model import (
    BOOKABLE,
    Account,
    AccountFields,
    AccountRole,
    Classification,
    ControlAccountType,
    LedgerType,
    NewAccount,
    StatementLine,
)
from ledgerbee.chart.seed.model import AccountSeed
from ledgerbee.core.errors import LedgerBeeError, check_all, invalid
from ledgerbee.core.fields import fields_of

#: The classifications that a bookable account of each type can have.
CLASSIFICATIONS: Mapping[LedgerType, frozenset[Classification]] = {
    LedgerType.BALANCE_SHEET: frozenset({Classification.ASSET, Classification.LIABILITY, Classification.EQUITY}),
    LedgerType.PROFIT_AND_LOSS: frozenset({Classification.REVENUE, Classification.EXPENSE}),
}
#: What customers owe is an asset, what vendors are owed a liability.
_CONTROLS: Mapping[ControlAccountType, Classification] = {
    ControlAccountType.ACCOUNTS_RECEIVABLE: Classification.ASSET,
    ControlAccountType.ACCOUNTS_PAYABLE: Classification.LIABILITY,
}
_TOTALS = frozenset({LedgerType.TOTAL_FROM, LedgerType.TOTAL_INTERVALS})


def standard_number_of(given: NewAccount) -> int:
    """The standard account that a new account maps to. Raises a validation error for one without any number."""
    number = given.number if given.standard_number is None else given.standard_number
    if number is None:
        raise _missing("accountNumber")
    return number


def completed(
    given: NewAccount, standard: AccountSeed | None, language: str, vat_code_id: UUID | None
) -> AccountFields:
    """What is said of a new account, the rest as its account of the public standard chart has it.

    `standard` gives the name if it is left out; if the ledger type is, it gives that and what else is left out.
    `vat_code_id` is the company's code that `standard` names. Raises a validation error where there is no standard
    account to complete it.
    """
    number = standard_number_of(given)
    usual: dict[str, Any] = {"number": number, "standard_number": number}
    if standard is not None:
        usual["name"] = standard.name_in(language)
    if standard is not None and given.ledger_type is None:
        control = standard.control_account_type
        usual |= {
            "ledger_type": LedgerType(standard.ledger_type),
            "classification": Classification(standard.classification) if standard.classification else None,
            "control_account_type": ControlAccountType(control) if control else None,
            "vat_code_id": vat_code_id,
            "sum_from": standard.sum_from,
        }
    values: dict[str, Any] = {
        name: usual.get(name) if value is None else value for name, value in fields_of(given).items()
    }
    missing = [wire for name, wire in (("name", "name"), ("ledger_type", "ledgerType")) if values[name] is None]
    if missing:
        raise _missing(*missing)
    return AccountFields(**values)


def _missing(*names: str) -> LedgerBeeError:
    return invalid(*[(name, "isDefined", f"{name} should not be null or undefined") for name in names])


def check_account(account: Account) -> None:
    """Refuse an account whose properties contradict each other. Raises validation errors, all of them."""
    check_all(*checks(account))


def checks(account: Account) -> Iterator[Callable[[], object]]:
    """Whether an account's properties fit together, one by one."""
    yield lambda: _check_classification(account)
    yield lambda: _check_control(account)
    yield lambda: _check_vat_code(account)
    yield lambda: _check_sum(account)
    yield lambda: _check_role(account)


def _check_classification(account: Account) -> None:
    allowed = CLASSIFICATIONS.get(account.ledger_type, frozenset())
    if (account.classification is not None or allowed) and account.classification not in allowed:
        names = " or ".join(sorted(allowed)) or "left out"
        raise invalid(
            (
                "accountClassification",
                "isIn",
                f"accountClassification must be {names} for an account of type {account.ledger_type}",
            )
        )


def _check_control(account: Account) -> None:
    control = account.control_account_type
    if control is not None and account.classification is not _CONTROLS[control]:
        text = f"controlAccountType {control} needs an account classified as {_CONTROLS[control]}"
        raise invalid(("controlAccountType", "isIn", text))


def _check_vat_code(account: Account) -> None:
    is_control = account.control_account_type is not None
    if account.vat_code_id is not None and (account.ledger_type not in BOOKABLE or is_control):
        raise invalid(("vatCodeId", "isEmpty", "vatCodeId must be left out: no VAT is booked with this account"))


def _check_sum(account: Account) -> None:
    if account.ledger_type in _TOTALS and account.role != StatementLine.RESULT_IN_EQUITY:
        if account.sum_from is None or account.sum_from > account.standard_number:
            raise invalid(("sumFrom", "max", "sumFrom must be a number up to that of the total's standard account"))
    elif account.sum_from is not None:
        raise invalid(("sumFrom", "isEmpty", "sumFrom must be left out: the account is no total"))


def _check_role(account: Account) -> None:
    """A role goes with a kind of account, which stands for no party."""
    if account.role not in set(AccountRole):
        return
    needed = AccountRole(account.role).classification
    if account.classification is not needed or account.control_account_type is not None:
        text = f"role {account.role} needs an account classified as {needed} without controlAccountType"
        raise invalid(("role", "isIn", text))


def check_kind(account: Account, standard: AccountSeed) -> None:
    """Refuse an account among those of another kind: the totals of the public standard chart would be wrong by it.

    `standard` is the standard account that it maps to. Raises a validation error.
    """
    if standard.classification is None or account.classification is None:
        return
    usual = Classification(standard.classification)
    is_other_side = (usual is Classification.ASSET) != (account.classification is Classification.ASSET)
    if standard.ledger_type != account.ledger_type or is_other_side:
        text = f"publicAccountId {account.standard_number} is of {usual} in the public standard chart"
        raise invalid(("publicAccountId", "isIn", f"{text}, the account of {account.classification}"))
