"""Credit of customers: never more than there is, and nothing is left of a receivable in either currency."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_invoices_rules import NOW
from tests.unit.test_payment_entries_rules import BANK, GAIN, LOSS, RECEIVABLE, ROLES, sent
from tests.unit.test_payments_rules import account

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND, LedgerType
from ledgerbee.core.errors import VALIDATION_FAILED, ErrorCode, LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO, round_money
from ledgerbee.ledger.entries.model import LineType, Side
from ledgerbee.ledger.entries.rules import check_entry
from ledgerbee.payments.customer_credit import rules
from ledgerbee.payments.customer_credit.model import (
    CREDIT_EXCEEDS_INVOICE,
    CUSTOMER_CREDIT_INSUFFICIENT,
    CreditBalance,
    CreditBooking,
    CreditFacts,
    CreditSource,
    CreditSourceType,
    RefundFields,
)
from ledgerbee.payments.customer_payments.model import (
    PAYMENT_ACCOUNT_INVALID,
    PAYMENT_ACCOUNT_MISSING,
    PAYMENT_CREDIT_USED,
    UsedExcess,
)
from ledgerbee.payments.customer_payments.rules import check_excess_unused
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, Invoice, InvoiceStatus
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING, Rate

D = Decimal
TODAY = NOW.date()
CUSTOMER = new_id()


def source(
    amount: str, base: str | None = None, used: str = "0", base_used: str | None = None, reserved: str = "0"
) -> CreditSource:
    """A credit note of no invoice, of the same amount in kroner unless told otherwise."""
    return CreditSource(
        source_type=CreditSourceType.CREDIT_NOTE, id=new_id(), number="3", issue_date=TODAY, since=TODAY,
        currency="EUR",
        amount=D(amount), base_amount=D(base or amount), used=D(used), base_used=D(base_used or used),
        reserved=D(reserved),
        receivable_account_id=RECEIVABLE.id, credit_notes=(),
    )  # fmt: skip


def facts(*sources: CreditSource, **fields: Any) -> CreditFacts:
    values = {"language": "da", "accounts_by_role": {**ROLES, "BANK": BANK}, "settled": ZERO, **fields}
    return CreditFacts(
        base_currency="DKK", customer_name="Havblik A/S", journal_category_id=None, sources=sources, **values
    )


def invoice(amount: str = "100", base: str = "746", **fields: Any) -> Invoice:
    """EUR 100.00, booked at 7.46."""
    return sent(amount=D(amount), base_amount=D(base), exchange_rate=D("7.46"), customer_id=CUSTOMER, **fields)


def refusal(call: Any) -> tuple[ErrorCode, dict[str, Any]]:
    with pytest.raises(LedgerBeeError) as raised:
        call()
    return raised.value.error_code, raised.value.details


def lines(booking: CreditBooking) -> list[tuple[UUID, Side, Decimal, Decimal, LineType]]:
    assert booking.entry is not None
    check_entry(booking.entry)
    return [(one.account_id, one.side, one.amount, one.base_amount, one.line_type) for one in booking.entry.lines]


def test_as_much_as_there_is_and_is_due() -> None:
    """Of two credits the older one first, all of it; without figures nothing is booked."""
    older, newer = source("30", "223.80"), source("100", "746")
    booking = rules.book_application(invoice(), None, facts(older, newer), TODAY, NOW)
    assert [(part.source, part.amount, part.base_amount) for part in booking.parts] == [
        (older, D(30), D("223.80")),
        (newer, D(70), D("522.20")),
    ]
    assert booking.entry is None
    assert (booking.use.journal_entry_id, booking.use.base_taken, booking.use.base_given) == (None, D(746), D(746))
    assert booking.invoice is not None
    assert (booking.invoice.status, booking.invoice.amount_due) == (InvoiceStatus.PAID, ZERO)
    part = rules.book_application(invoice(), None, facts(older), TODAY, NOW).invoice
    assert part is not None
    assert (part.status, part.applied_credit, part.amount_due) == (InvoiceStatus.PARTIALLY_PAID, D(30), D(70))


@pytest.mark.parametrize(
    ("base", "difference"),
    [
        ("760", (GAIN.id, Side.CREDIT, ZERO, D(14), LineType.ENTERED)),
        ("740", (LOSS.id, Side.DEBIT, ZERO, D(6), LineType.ENTERED)),
    ],
)
def test_each_document_at_its_own_rate(base: str, difference: tuple[UUID, Side, Decimal, Decimal, LineType]) -> None:
    booking = rules.book_application(invoice(), D(100), facts(source("100", base), language="en"), TODAY, NOW)
    assert lines(booking) == [
        (RECEIVABLE.id, Side.DEBIT, D(100), D(base), LineType.CONTROL),
        (RECEIVABLE.id, Side.CREDIT, D(100), D(746), LineType.CONTROL),
        difference,
    ]
    entry = booking.entry
    assert entry is not None
    assert (entry.description, entry.reference) == ("Credit used on invoice 7, Havblik A/S", "7")
    assert (entry.date, entry.exchange_rate, entry.source_id) == (TODAY, D("7.46"), booking.use.id)


def test_credit_on_another_receivables_account_is_moved() -> None:
    other = replace(source("100", "746"), receivable_account_id=LOSS.id)
    booking = rules.book_application(invoice(), None, facts(other), TODAY, NOW)
    assert lines(booking) == [
        (LOSS.id, Side.DEBIT, D(100), D(746), LineType.CONTROL),
        (RECEIVABLE.id, Side.CREDIT, D(100), D(746), LineType.CONTROL),
    ]
    assert booking.entry is not None
    assert booking.entry.description == "Modregning på faktura 7, Havblik A/S"


def test_refusals_of_an_application_in_their_order() -> None:
    def refused(it: Invoice, amount: str | None, *sources: CreditSource, **fields: Any) -> ErrorCode:
        wanted = None if amount is None else D(amount)
        return refusal(lambda: rules.book_application(it, wanted, facts(*sources, **fields), TODAY, NOW))[0]

    assert refused(invoice(status=InvoiceStatus.PAID), "0.001") is INVOICE_INVALID_STATE
    assert refused(invoice(), "100.001") is VALIDATION_FAILED
    assert refused(invoice(), "100.01") is CREDIT_EXCEEDS_INVOICE
    assert refused(invoice(), "100", source("99.99")) is CUSTOMER_CREDIT_INSUFFICIENT
    assert refused(invoice(), None) is CUSTOMER_CREDIT_INSUFFICIENT
    assert refused(invoice(), None, source("100"), accounts_by_role={}) is PAYMENT_ACCOUNT_MISSING


def test_what_is_missing_is_said() -> None:
    left = source("50", used="20")
    code, details = refusal(lambda: rules.take([left, source("5")], D("35.01"), "EUR", "DKK"))
    assert (code, details) == (CUSTOMER_CREDIT_INSUFFICIENT, {"currency": "EUR", "available": "35.00"})
    assert [part.amount for part in rules.take([left, source("5")], D(35), "EUR", "DKK")] == [30, 5]


def wanted(**fields: Any) -> RefundFields:
    return RefundFields(**{"amount": D(100), "refunded_on": TODAY, "currency": "EUR", **fields})


def test_credit_is_paid_back_at_the_days_rate() -> None:
    found = facts(source("60", "444"), source("60", "456"), rate=Rate(D("7.50"), TODAY, "ECB"))
    booking = rules.book_refund(wanted(reference="Retur 7"), CUSTOMER, found, TODAY, NOW)
    assert lines(booking) == [
        (RECEIVABLE.id, Side.DEBIT, D(100), D(748), LineType.CONTROL),
        (BANK.id, Side.CREDIT, D(100), D(750), LineType.ENTERED),
        (LOSS.id, Side.DEBIT, ZERO, D(2), LineType.ENTERED),
    ]
    assert booking.entry is not None
    assert (booking.entry.description, booking.entry.reference) == (
        "Udbetaling af tilgodehavende, Havblik A/S",
        "Retur 7",
    )
    assert (booking.invoice, booking.use.invoice_id, booking.use.exchange_difference) == (None, None, D(-2))


def test_refusals_of_a_refund_in_their_order() -> None:
    other = account(ledger_type=LedgerType.PROFIT_AND_LOSS)

    def refused(given: RefundFields, **fields: Any) -> ErrorCode:
        found = facts(source("100", "746"), **fields)
        return refusal(lambda: rules.book_refund(given, CUSTOMER, found, TODAY, NOW))[0]

    assert refused(wanted(amount=D("200.001"))) is VALIDATION_FAILED
    assert refused(wanted(refunded_on=date(2199, 1, 1))) is VALIDATION_FAILED
    assert refused(wanted(currency="DKK", exchange_rate=D(2))) is VALIDATION_FAILED
    before = TODAY - timedelta(days=1)
    assert refused(wanted(amount=D(200), refunded_on=before)) is CUSTOMER_CREDIT_INSUFFICIENT
    assert refused(wanted(refunded_on=before, account_id=new_id())) is VALIDATION_FAILED
    assert refused(wanted(account_id=new_id())) is ACCOUNT_NOT_FOUND
    assert refused(wanted(), accounts_by_role={}) is PAYMENT_ACCOUNT_MISSING
    assert refused(wanted(account_id=other.id), account=other) is PAYMENT_ACCOUNT_INVALID
    assert refused(wanted()) is EXCHANGE_RATE_MISSING
    named = account()
    found = facts(source("100", "746"), account=named)
    given = wanted(account_id=named.id, exchange_rate=D("7.46"))
    assert rules.book_refund(given, CUSTOMER, found, TODAY, NOW).use.account_id == named.id


def test_a_payment_whose_excess_was_used_stays() -> None:
    opened = invoice(amount_paid=D(60), credited_amount=D(50))
    before = replace(opened, amount_paid=D(100))
    check_excess_unused(before, opened, UsedExcess(D(10), ZERO), ZERO)
    code, details = refusal(lambda: check_excess_unused(before, opened, UsedExcess(D("10.01"), ZERO), ZERO))
    assert (code, details) == (PAYMENT_CREDIT_USED, {"creditUsed": "10.01", "creditLeft": "10.00"})


@pytest.mark.parametrize(("used", "to_refund", "is_refused"), [("0", "50", False), ("4", "6", False), ("4", "7", True)])
def test_what_a_refund_takes_stays_where_the_invoice_cannot_open(used: str, to_refund: str, is_refused: bool) -> None:
    """Of a credit of 50.00, of which 10.00 would be left. Where none was used, the refund opens the invoice."""
    opened = invoice(amount_paid=D(60), credited_amount=D(50))
    before = replace(opened, amount_paid=D(100))
    with pytest.raises(LedgerBeeError) if is_refused else nullcontext():
        check_excess_unused(before, opened, UsedExcess(D(used), ZERO), D(to_refund))


def test_what_refunds_take_is_not_used() -> None:
    """All of the oldest credit is to go back, and some of the next."""
    sources = (source("30", reserved="30"), source("100", used="10", reserved="50"), source("20"))
    assert [one.left for one in sources] == [ZERO, D(40), D(20)]
    booking = rules.book_application(invoice(), None, facts(*sources), TODAY, NOW)
    assert [(part.source, part.amount) for part in booking.parts] == [(sources[1], D(40)), (sources[2], D(20))]
    code, details = refusal(lambda: rules.book_application(invoice(), D("60.01"), facts(*sources), TODAY, NOW))
    assert (code, details) == (CUSTOMER_CREDIT_INSUFFICIENT, {"currency": "EUR", "available": "60.00"})


def test_what_is_available_is_what_was_neither_used_nor_paid_back() -> None:
    assert CreditBalance("DKK", D(125), D(60), D(40), D(5)).available == 20


@dataclass
class Customer:
    """A customer's credit and invoices in EUR, and what stands on its receivable in kroner, credit positive."""

    sources: list[CreditSource]
    receivable: Decimal = ZERO
    invoices: list[Invoice] = field(default_factory=list)

    @property
    def left(self) -> Sequence[CreditSource]:
        return [one for one in self.sources if one.left]

    def take(self, booking: CreditBooking) -> None:
        """What was booked has happened."""
        for part in booking.parts:
            place = self.sources.index(part.source)
            one = self.sources[place]
            used, base_used = one.used + part.amount, one.base_used + part.base_amount
            assert used <= one.amount
            assert base_used <= one.base_amount
            self.sources[place] = replace(one, used=used, base_used=base_used)
        if booking.entry is not None:
            check_entry(booking.entry)
            for entered in booking.entry.lines:
                if entered.account_id == RECEIVABLE.id:
                    self.receivable += entered.base_amount if entered.side is Side.CREDIT else -entered.base_amount


CENTS = st.integers(1, 10**6)
#: 0.0001 to 500, of twelve decimals: whole numbers are drawn faster than decimals.
RATES = st.integers(10**8, 5 * 10**14).map(lambda number: D(number).scaleb(-12))


@given(
    st.lists(st.tuples(CENTS, RATES), min_size=1, max_size=3),
    st.lists(st.tuples(CENTS, RATES, CENTS), max_size=4),
    RATES,
)
def test_whatever_is_used_nothing_is_left_of_the_receivable(
    left_over: list[tuple[int, Decimal]], sales: list[tuple[int, Decimal, int]], paid_at: Decimal
) -> None:
    """Credit at many rates is used on invoices at others, in parts; what is left is paid back. What an invoice has open
    is paid by nobody here: it stays, at its own share."""
    customer = Customer([])
    for cents, rate in left_over:
        amount = D(cents).scaleb(-2)
        base = round_money(EXACT.multiply(amount, rate), "DKK")
        customer.sources.append(source(str(amount), str(base)))
        customer.receivable += base
    expected = ZERO
    for cents, rate, part in sales:
        amount = D(cents).scaleb(-2)
        base = round_money(EXACT.multiply(amount, rate), "DKK")
        it = replace(invoice(str(amount), str(base)), exchange_rate=rate)
        customer.receivable -= base
        settled = ZERO
        for wanted_part in (D(part).scaleb(-2), None):
            most = min(it.amount_due, sum((one.left for one in customer.left), ZERO))
            if not most:
                break
            given_part = None if wanted_part is None else min(wanted_part, most)
            booking = rules.book_application(it, given_part, facts(*customer.left, settled=settled), TODAY, NOW)
            settled += booking.use.base_given
            customer.take(booking)
            assert booking.invoice is not None
            it = booking.invoice
        if not it.amount_due:
            assert settled == base
        expected -= base - settled
    rest = sum((one.left for one in customer.left), ZERO)
    if rest:
        given_back = wanted(amount=rest, exchange_rate=paid_at)
        customer.take(rules.book_refund(given_back, CUSTOMER, facts(*customer.left), TODAY, NOW))
    assert all((one.left, one.base_used) == (ZERO, one.base_amount) for one in customer.sources)
    # Where nothing was booked as much was taken as given: the receivable is what it was.
    assert customer.receivable == expected
