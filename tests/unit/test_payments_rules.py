"""Payments: never too much, never a remainder."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_invoices_rules import NOW, invoice

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND, Account, LedgerType
from ledgerbee.core.errors import VALIDATION_FAILED, ErrorCode, LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO, round_money
from ledgerbee.ledger.entries.rules import check_balanced
from ledgerbee.payments.customer_payments import rules
from ledgerbee.payments.customer_payments.model import (
    PAYMENT_ACCOUNT_INVALID,
    PAYMENT_ACCOUNT_MISSING,
    PAYMENT_CURRENCY_MISMATCH,
    PAYMENT_EXCEEDS_INVOICE,
    PaymentFields,
    PaymentSources,
)
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, Invoice, InvoiceStatus
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING, Rate


def booked(amount: str, currency: str = "DKK", base: str | None = None, paid: str = "0") -> Invoice:
    return replace(
        invoice(currency, InvoiceStatus.SENT),
        subtotal=Decimal(amount),
        amount=Decimal(amount),
        base_amount=Decimal(base or amount),
        amount_paid=Decimal(paid),
    )


@dataclass
class Receivable:
    """An invoice of 1 to 10^7 EUR cents, and what is paid on it: amount and base amount settled of each payment."""

    invoice: Invoice
    live: list[tuple[Decimal, Decimal]]

    def pay(self, cents: int) -> None:
        """Pay so many cents, or what is due if that is less."""
        amount = min(Decimal(cents).scaleb(-2), self.invoice.amount_due)
        settled = rules.base_settled(self.invoice, amount, self.settled, "DKK")
        assert settled >= 0
        self.live.append((amount, settled))
        self.invoice = replace(self.invoice, amount_paid=self.invoice.amount_paid + amount)

    def take_back(self, index: int) -> None:
        """Take one of the payments back."""
        amount, _ = self.live.pop(index % len(self.live))
        self.invoice = replace(self.invoice, amount_paid=self.invoice.amount_paid - amount)

    @property
    def settled(self) -> Decimal:
        return sum((settled for _, settled in self.live), ZERO)


ODD_RATES = st.decimals("0.0001", "500", places=12)


@given(st.integers(1, 10**7), ODD_RATES, st.lists(st.tuples(st.booleans(), st.integers(1, 10**6)), max_size=40))
def test_payments_and_those_taken_back_leave_nothing_in_either_currency(
    cents: int, rate: Decimal, steps: list[tuple[bool, int]]
) -> None:
    """Paid in full, exactly what was booked is settled; with all taken back, nothing is. Never more in between."""
    amount = Decimal(cents).scaleb(-2)
    booked_amount = round_money(EXACT.multiply(amount, rate), "DKK")
    receivable = Receivable(booked(str(amount), "EUR", str(booked_amount)), [])
    for is_payment, number in [*steps, (True, cents)]:
        if is_payment and receivable.invoice.amount_due:
            receivable.pay(number)
        elif receivable.live:
            receivable.take_back(number)
        assert 0 <= receivable.settled <= booked_amount
    if receivable.invoice.amount_due:  # the last step took one back
        receivable.pay(cents)
    assert receivable.settled == booked_amount
    while receivable.live:
        receivable.take_back(cents)
    assert (receivable.invoice.amount_paid, receivable.settled) == (ZERO, ZERO)
    receivable.pay(cents)
    assert receivable.settled == booked_amount


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=12), ODD_RATES)
def test_while_none_is_taken_back_a_payment_settles_its_share(parts: list[int], rate: Decimal) -> None:
    """To a unit: shares are rounded."""
    amount = sum((Decimal(part).scaleb(-2) for part in parts), ZERO)
    booked_amount = round_money(EXACT.multiply(amount, rate), "DKK")
    receivable = Receivable(booked(str(amount), "EUR", str(booked_amount)), [])
    for part in parts:
        receivable.pay(part)
        paid, settled = receivable.live[-1]
        assert abs(settled - booked_amount * paid / amount) <= Decimal("0.01")
    assert receivable.settled == booked_amount


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5000)), max_size=30))
def test_in_the_companys_currency_a_payment_settles_itself(steps: list[tuple[bool, int]]) -> None:
    receivable = Receivable(booked("100.00"), [])
    for is_payment, number in steps:
        if is_payment and receivable.invoice.amount_due:
            receivable.pay(number)
        elif receivable.live:
            receivable.take_back(number)
    assert all(amount == settled for amount, settled in receivable.live)


@pytest.mark.parametrize(
    ("payment", "code"),
    [
        (PaymentFields(paid_on=NOW.date(), amount=Decimal("60.01")), PAYMENT_EXCEEDS_INVOICE),
        (PaymentFields(paid_on=NOW.date(), amount=Decimal(1), currency="EUR"), PAYMENT_CURRENCY_MISMATCH),
        (PaymentFields(paid_on=NOW.date(), amount=Decimal("1.001")), VALIDATION_FAILED),
        (PaymentFields(paid_on=NOW.date(), amount=Decimal(1), exchange_rate=Decimal("1.01")), VALIDATION_FAILED),
    ],
    ids=["too-much", "currency", "too-fine", "rate"],
)
def test_what_does_not_fit_is_refused(payment: PaymentFields, code: ErrorCode) -> None:
    fitting = PaymentFields(paid_on=NOW.date(), amount=Decimal(60), currency="DKK")
    rules.check_payment(fitting, booked("100", paid="40"), "DKK", NOW.date())
    with pytest.raises(LedgerBeeError) as refusal:
        rules.check_payment(payment, booked("100", paid="40"), "DKK", NOW.date())
    assert refusal.value.error_code is code


def account(**changes: Any) -> Account:
    return Account(**{
        "id": new_id(), "number": 5820, "name": "Bank", "standard_number": 5820,
        "ledger_type": LedgerType.BALANCE_SHEET, "classification": None, "control_account_type": None,
        "vat_code_id": None, "role": None, "sum_from": None, "is_active": True, "created_at": NOW, **changes,
    })  # fmt: skip


def test_the_first_refusal_is_raised_in_the_order_of_the_table() -> None:
    due = replace(booked("100", "EUR", "746"), receivable_account_id=new_id(), number="7", status=InvoiceStatus.PAID)
    given = PaymentFields(paid_on=NOW.date(), amount=Decimal("200.001"), currency="SEK", account_id=new_id())
    found = PaymentSources("DKK", "da", "Havblik A/S", ZERO, None, {}, None, None)

    def refused(code: ErrorCode) -> None:
        with pytest.raises(LedgerBeeError) as refusal:
            rules.book(given, due, found, NOW.date(), NOW)
        assert refusal.value.error_code is code

    refused(INVOICE_INVALID_STATE)
    due = replace(due, status=InvoiceStatus.SENT)
    refused(PAYMENT_CURRENCY_MISMATCH)
    given = replace(given, currency="EUR")
    refused(VALIDATION_FAILED)
    given = replace(given, amount=Decimal(200))
    refused(PAYMENT_EXCEEDS_INVOICE)
    given = replace(given, amount=Decimal(100))
    refused(ACCOUNT_NOT_FOUND)
    found = replace(found, account=account(is_active=False, ledger_type=LedgerType.PROFIT_AND_LOSS))
    refused(ACCOUNT_NOT_BOOKABLE)
    found = replace(found, account=account(ledger_type=LedgerType.PROFIT_AND_LOSS))
    refused(PAYMENT_ACCOUNT_INVALID)
    found = replace(found, account=account())
    refused(EXCHANGE_RATE_MISSING)
    found = replace(found, rate=Rate(Decimal("7.50"), NOW.date(), "ECB"))
    refused(PAYMENT_ACCOUNT_MISSING)
    found = replace(found, accounts_by_role={"FX_GAIN": account()})
    booking = rules.book(given, due, found, NOW.date(), NOW)
    assert (booking.payment.base_amount, booking.payment.base_settled) == (Decimal(750), Decimal(746))
    assert (booking.invoice.status, booking.invoice.amount_due) == (InvoiceStatus.PAID, ZERO)
    check_balanced(booking.entry.lines)

    # Without an account of its own it is paid into the bank account.
    given = replace(given, account_id=None)
    refused(PAYMENT_ACCOUNT_MISSING)
    bank = account()
    found = replace(found, accounts_by_role={**found.accounts_by_role, "BANK": bank}, account=None)
    assert rules.book(given, due, found, NOW.date(), NOW).payment.account_id == bank.id


def test_a_role_without_account_is_named() -> None:
    with pytest.raises(LedgerBeeError) as refusal:
        rules.role_account({}, "FX_LOSS")
    assert refusal.value.error_code is PAYMENT_ACCOUNT_MISSING
    assert refusal.value.details == {"role": "FX_LOSS"}
