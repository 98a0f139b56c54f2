"""Payments: never too much, never a remainder."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_invoices_rules import NOW, invoice

from ledgerbee.core.errors import VALIDATION_FAILED, ErrorCode, LedgerBeeError
from ledgerbee.core.money import EXACT, ZERO, round_money
from ledgerbee.payments.customer_payments import rules
from ledgerbee.payments.customer_payments.model import (
    PAYMENT_ACCOUNT_MISSING,
    PAYMENT_CURRENCY_MISMATCH,
    PAYMENT_EXCEEDS_INVOICE,
    PaymentFields,
)
from ledgerbee.sales.invoices.model import Invoice, InvoiceStatus


def booked(amount: str, currency: str = "DKK", base: str | None = None, paid: str = "0") -> Invoice:
    return replace(
        invoice(currency, InvoiceStatus.SENT),
        subtotal=Decimal(amount),
        amount=Decimal(amount),
        base_amount=Decimal(base or amount),
        amount_paid=Decimal(paid),
    )


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=12), st.decimals("0.0001", "500", places=12))
def test_parts_settle_the_receivable_to_the_last_unit(parts: list[int], rate: Decimal) -> None:
    payments = [Decimal(part).scaleb(-2) for part in parts]
    amount = sum(payments, ZERO)
    open_invoice = booked(str(amount), "EUR", str(round_money(EXACT.multiply(amount, rate), "DKK")))
    settled = []
    for payment in payments:
        settled.append(rules.base_settled(open_invoice, payment, "DKK"))
        open_invoice = replace(open_invoice, amount_paid=open_invoice.amount_paid + payment)
    assert all(part >= 0 for part in settled)
    assert sum(settled, ZERO) == open_invoice.base_amount


def test_in_the_companys_currency_a_payment_settles_itself() -> None:
    assert rules.base_settled(booked("100.00", paid="33.33"), Decimal("33.34"), "DKK") == Decimal("33.34")


@pytest.mark.parametrize(
    ("payment", "code"),
    [
        (PaymentFields(NOW.date(), Decimal("60.01")), PAYMENT_EXCEEDS_INVOICE),
        (PaymentFields(NOW.date(), Decimal(1), currency="EUR"), PAYMENT_CURRENCY_MISMATCH),
        (PaymentFields(NOW.date(), Decimal("1.001")), VALIDATION_FAILED),
        (PaymentFields(NOW.date(), Decimal(1), exchange_rate=Decimal("1.01")), VALIDATION_FAILED),
    ],
    ids=["too-much", "currency", "too-fine", "rate"],
)
def test_what_does_not_fit_is_refused(payment: PaymentFields, code: ErrorCode) -> None:
    rules.check_payment(PaymentFields(NOW.date(), Decimal(60), "DKK"), booked("100", paid="40"), "DKK")
    with pytest.raises(LedgerBeeError) as refusal:
        rules.check_payment(payment, booked("100", paid="40"), "DKK")
    assert refusal.value.error_code is code


def test_a_role_without_account_is_named() -> None:
    with pytest.raises(LedgerBeeError) as refusal:
        rules.role_account({}, "FX_LOSS")
    assert refusal.value.error_code is PAYMENT_ACCOUNT_MISSING
    assert refusal.value.details == {"role": "FX_LOSS"}
