"""Which VAT codes a company may have."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND, Account
from ledgerbee.chart.vat_codes.model import (
    MAX_RATES,
    RETURN_BOXES,
    SINCE_EVER,
    EInvoiceCategory,
    Principle,
    VatCode,
    VatRate,
    VatType,
)
from ledgerbee.core.errors import check_all, invalid
from ledgerbee.core.money import EXACT, ZERO, round_to

#: Categories whose invoices have to say why they are without VAT (EN 16931: BR-E-10, BR-AE-10, BR-IC-10, BR-G-10,
#: BR-O-10).
_WITH_REASON: Final = frozenset(set(EInvoiceCategory) - {EInvoiceCategory.STANDARD, EInvoiceCategory.ZERO})

#: Decimals of a percentage that says a share by itself, and of one that stands beside the fraction.
_PERCENT_PLACES: Final = 4
_SHOWN_PLACES: Final = 8
_SHARE: Final = re.compile(r"([0-9]{1,9})/([1-9][0-9]{0,8})")


def deductible_share(percent: Decimal | None, share: str | None, path: str = "") -> Fraction:
    """How much of a VAT can be deducted, from a percentage or an exact fraction such as `2/3`; all of it from neither.

    `path` is the place of the two fields in the request, with its dot. Raises validation errors.
    """
    if share is None:
        if percent is not None and round_to(percent, _PERCENT_PLACES) != percent:
            name = f"{path}deductiblePercent"
            text = f"{name} must have at most {_PERCENT_PLACES} decimals without deductibleShare"
            raise invalid((name, "maxDecimalPlaces", text))
        return Fraction(1) if percent is None else Fraction(percent) / 100
    name = f"{path}deductibleShare"
    found = _SHARE.fullmatch(share)
    if found is None or int(found[1]) > int(found[2]):
        raise invalid((name, "matches", f"{name} must be a fraction from 0/1 to 1/1, such as 2/3"))
    fraction = Fraction(int(found[1]), int(found[2]))
    if percent not in {None, percent_of_share(fraction)}:
        raise invalid((name, "equals", f"{name} must be the same as deductiblePercent, or one of them left out"))
    return fraction


def percent_of_share(share: Fraction) -> Decimal:
    """A fraction in percent, at 8 decimals: two thirds are 66.66666667."""
    return round_to(EXACT.divide(Decimal(share.numerator * 100), Decimal(share.denominator)), _SHOWN_PLACES)


def check_rates(rates: Sequence[VatRate]) -> None:
    """Refuse rates that leave days without one, or give a day two. Raises validation errors."""
    check_all(lambda: _check_number_of(rates), *checks_of_days(len(rates), lambda index: rates[index].valid_from))


def checks_of_days(count: int, day: Callable[[int], date]) -> Iterator[Callable[[], object]]:
    """Whether so many rates follow each other, one by one; the checks alone ask for the `day` of each."""
    yield lambda: _check_first_day(count, day)
    for index in range(1, count):
        yield lambda index=index: _check_day_after(index, day)  # type: ignore[misc]


def _check_number_of(rates: Sequence[VatRate]) -> None:
    if len(rates) > MAX_RATES:
        raise invalid(("rates", "arrayMaxSize", f"rates must contain no more than {MAX_RATES} elements"))


def _check_first_day(count: int, day: Callable[[int], date]) -> None:
    if not count or day(0) != SINCE_EVER:
        text = "rates.0.validFrom must be left out: the first holds since ever"
        raise invalid(("rates.0.validFrom", "isEmpty", text))


def _check_day_after(index: int, day: Callable[[int], date]) -> None:
    if day(index) <= day(index - 1):
        name = f"rates.{index}.validFrom"
        raise invalid((name, "minDate", f"{name} must be later than that of the rate before it"))


def check_vat_code(code: VatCode, accounts: Mapping[UUID, Account]) -> None:
    """Refuse a code that couldn't be booked or invoiced. `accounts` are those among its two that the company has.

    Raises `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE` and validation errors, all of them.
    """
    check_all(
        lambda: _check_account("accountToBookId", code.account_id, accounts),
        lambda: _check_account("contraAccountToBookId", code.contra_account_id, accounts),
        *checks_without_accounts(code),
    )


def checks_without_accounts(code: VatCode) -> Iterator[Callable[[], object]]:
    """What can be said of a code without its accounts, one by one."""
    yield lambda: _check_accounts_fit(code)
    yield lambda: _check_principle(code)
    yield lambda: _check_deduction(code)
    yield lambda: _check_category(code)
    yield lambda: _check_reason(code)
    yield lambda: _check_boxes(code)


def _check_accounts_fit(code: VatCode) -> None:
    charges = any(one.rate > ZERO for one in code.rates)
    if charges and code.account_id is None:
        raise invalid(("accountToBookId", "isDefined", "accountToBookId is needed for a code with a rate"))
    if code.contra_account_id is not None and code.account_id in {None, code.contra_account_id}:
        raise invalid(("accountToBookId", "isDefined", "accountToBookId must be another one than the contra account"))


def _check_principle(code: VatCode) -> None:
    if code.contra_account_id is not None and code.principle is not Principle.NET:
        raise invalid(("principle", "isIn", "principle must be Net for a code with a contra account"))


def _check_deduction(code: VatCode) -> None:
    if code.type is VatType.SALES and any(one.deductible_share != 1 for one in code.rates):
        raise invalid(("deductiblePercent", "isEmpty", "deductiblePercent is for purchases only"))


def _check_boxes(code: VatCode) -> None:
    for box in code.return_box.split("+") if code.return_box else ():
        if box not in RETURN_BOXES:
            raise invalid(("returnBoxes", "isIn", f"returnBoxes must be of {', '.join(sorted(RETURN_BOXES))}"))


def _check_account(name: str, account_id: UUID | None, accounts: Mapping[UUID, Account]) -> None:
    if account_id is None:
        return
    account = accounts.get(account_id)
    if account is None:
        raise ACCOUNT_NOT_FOUND.missing(name, "accountId", account_id)
    if not account.is_bookable or account.control_account_type is not None:
        raise ACCOUNT_NOT_BOOKABLE.error(
            f"VAT can't be booked on account {account.number}", property=name, accountId=str(account_id)
        )


def _check_category(code: VatCode) -> None:
    if code.einvoice_category is None:
        return
    category = EInvoiceCategory(code.einvoice_category)
    if code.type is not VatType.SALES:
        raise invalid(("eInvoiceCategory", "isEmpty", "eInvoiceCategory is for sales only"))
    if any((category is EInvoiceCategory.STANDARD) != (one.rate > ZERO) for one in code.rates):
        raise invalid(("eInvoiceCategory", "isIn", "eInvoiceCategory must be S for a code with a rate and only then"))


def _check_reason(code: VatCode) -> None:
    if code.einvoice_category is None or code.type is not VatType.SALES:
        return
    category = EInvoiceCategory(code.einvoice_category)
    if category in _WITH_REASON and not (code.exemption_reason or code.exemption_reason_da):
        text = f"exemptionReason or exemptionReasonDa is needed for category {category}"
        raise invalid(("exemptionReason", "isDefined", text))
