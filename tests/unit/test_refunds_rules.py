"""What goes back of charges: of what it is taken, in which order, and never more than there is."""

from dataclasses import replace as changed
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_charges_rules import card_of
from tests.unit.test_invoices_rules import NOW, invoice
from tests.unit.test_payments_rules import account

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE
from ledgerbee.core.errors import VALIDATION_FAILED, ErrorCode, LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, ZERO, multiply, round_money, total
from ledgerbee.ledger.entries.model import EntryToPost, Side
from ledgerbee.ledger.entries.rules import Conversion, check_balanced
from ledgerbee.payments.charge_returns import rules
from ledgerbee.payments.charge_returns.model import (
    CHARGE_CREDIT_USED,
    PAYMENT_FEES,
    ChargeSources,
    GivenBack,
    Parts,
    ReturnFacts,
)
from ledgerbee.payments.charges.model import CHARGE_INVALID_STATE, Charge, ChargeFields, ChargeStatus
from ledgerbee.payments.charges.rules import new_charge
from ledgerbee.payments.customer_payments.model import (
    FX_GAIN,
    FX_LOSS,
    PAYMENT_ACCOUNT_MISSING,
    InvoiceFacts,
    UsedExcess,
)
from ledgerbee.payments.customer_payments.rules import base_settled
from ledgerbee.payments.disputes import rules as dispute_rules
from ledgerbee.payments.providers import model as providers
from ledgerbee.payments.providers.model import Decline, DisputeStatus, ProviderDispute, ProviderName, ProviderRefund
from ledgerbee.payments.refunds import rules as refund_rules
from ledgerbee.payments.refunds.model import REFUND_EXCEEDS_CHARGE, Refund, RefundStatus
from ledgerbee.sales.invoices.model import Invoice, InvoiceStatus

TODAY = date(2026, 3, 16)
D = Decimal
UNUSED = UsedExcess(ZERO, ZERO)
CLEARING, UNIDENTIFIED, FEES, GAIN, LOSS, RECEIVABLE = (new_id() for _ in range(6))
BY_ROLE = {FX_GAIN: account(id=GAIN), FX_LOSS: account(id=LOSS)}


def booked(amount: str, currency: str = "DKK", rate: Decimal = ONE, **fields: Any) -> Invoice:
    found = replace(
        invoice(currency, InvoiceStatus.PAID),
        subtotal=D(amount),
        amount=D(amount),
        base_amount=round_money(multiply(D(amount), rate), "DKK"),
        exchange_rate=rate,
        receivable_account_id=RECEIVABLE,
        number="1042",
    )
    return replace(found, **fields)


def charge_of(found: Invoice, **fields: Any) -> Charge:
    due = replace(found, status=InvoiceStatus.SENT, amount_paid=ZERO, credited_amount=ZERO)
    charge = new_charge(due, card_of(found), ChargeFields(), reference="R7", attempt=1, now=NOW)
    return changed(charge, status=ChargeStatus.SUCCEEDED, provider_id="ch_1", **fields)


def sources_of(paid: str, **fields: Any) -> ChargeSources:
    found = ChargeSources(
        paid=D(paid),
        settled=ZERO,
        unapplied=ZERO,
        base_unapplied=ZERO,
        unapplied_account_id=None,
        unapplied_gone=ZERO,
        base_unapplied_gone=ZERO,
        used=UNUSED,
    )
    return changed(found, **fields)


def refusal(call: Any) -> ErrorCode:
    with pytest.raises(LedgerBeeError) as refused:
        call()
    return refused.value.error_code


@pytest.mark.parametrize(
    ("amount", "paid", "credited", "used", "gone", "unapplied", "parts"),
    [
        # amount, paid, credited, used elsewhere, gone before, unapplied -> credit, opened, unapplied, unidentified
        ("100", "100", "0", "0", "0", "0", ("0", "100", "0", "0")),
        ("40", "100", "0", "0", "0", "0", ("0", "40", "0", "0")),
        ("40", "100", "40", "0", "0", "0", ("40", "0", "0", "0")),
        ("100", "100", "40", "0", "0", "0", ("40", "60", "0", "0")),
        ("100", "100", "100", "0", "0", "0", ("100", "0", "0", "0")),
        ("100", "100", "100", "30", "0", "0", ("70", "0", "0", "30")),
        ("100", "100", "100", "100", "0", "0", ("0", "0", "0", "100")),
        ("60", "60", "0", "0", "0", "40", ("0", "20", "40", "0")),
        ("60", "60", "30", "0", "0", "40", ("30", "0", "30", "0")),
        ("100", "40", "0", "0", "60", "0", ("0", "40", "0", "60")),
    ],
)
def test_where_it_is_taken_from(
    amount: str, paid: str, credited: str, used: str, gone: str, unapplied: str, parts: tuple[str, ...]
) -> None:
    excess = max(D(paid) + D(credited) - 100, ZERO)
    found = booked("100", amount_paid=D(paid), credited_amount=D(credited))
    if unapplied != "0":  # the rest was paid by the bank
        found = replace(found, amount_paid=D(100))
        excess = D(credited)
    sources = sources_of(
        str(D(paid) + D(gone)), settled=D(gone), unapplied=D(unapplied), used=UsedExcess(D(used), D(used))
    )
    assert found.excess == excess
    assert rules.parts_of(D(amount), found, sources) == Parts(*map(D, parts))
    if D(parts[3]):
        assert refusal(lambda: rules.check_covered(D(amount), found, sources)) is CHARGE_CREDIT_USED
    else:
        rules.check_covered(D(amount), found, sources)


class Books:
    """An invoice in dollars, its charges, and what stands on the accounts by the entries of what goes back."""

    def __init__(self, amount: str, rate: Decimal) -> None:
        self.rate = rate
        self.invoice = booked(amount, "USD", rate, status=InvoiceStatus.SENT)
        self.settled = ZERO
        self.used = UNUSED
        self.charges: list[tuple[Charge, ChargeSources]] = []
        self.unidentified, self.base_unidentified = ZERO, ZERO
        self.clearing, self.base_clearing = ZERO, ZERO
        self.moved, self.base_moved = ZERO, ZERO

    @property
    def own(self) -> Conversion:
        return Conversion("USD", "DKK", self.rate)

    def charge(self, share: int, rate: Decimal) -> None:
        """Charge what is due; of it a share was paid otherwise meanwhile."""
        amount = self.invoice.amount_due
        if not amount:
            return
        other = round_money(amount * share / 10, "USD")
        pays = amount - other
        if not pays:
            return
        for part in (other, pays):
            if part:
                self.settled += base_settled(self.invoice, part, self.settled, "DKK")
                self.invoice = replace(self.invoice, amount_paid=self.invoice.amount_paid + part)
        base_other = round_money(multiply(other, rate), "DKK")
        made = changed(charge_of(self.invoice), amount=amount, unapplied_amount=other)
        at = UNIDENTIFIED if other else None
        sources = sources_of(str(pays), unapplied=other, base_unapplied=base_other, unapplied_account_id=at)
        self.charges.append((made, sources))
        self.unidentified -= other
        self.base_unidentified -= base_other
        self.clearing += amount
        self.base_clearing += round_money(multiply(pays, rate), "DKK") + base_other

    def credit(self, share: int) -> None:
        """Credit a share of what isn't credited."""
        amount = round_money((self.invoice.amount - self.invoice.credited_amount) * share / 10, "USD")
        if not amount:
            return
        self.invoice = replace(self.invoice, credited_amount=self.invoice.credited_amount + amount)
        if self.invoice.excess:
            credit = max(self.own.in_base(self.invoice.excess), self.used.base_amount)
            self.settled = (self.invoice.base_amount or ZERO) + credit
        else:
            before = replace(self.invoice, credited_amount=self.invoice.credited_amount - amount)
            self.settled += base_settled(before, amount, self.settled, "DKK")

    def use(self, share: int) -> None:
        """Use a share of the credit elsewhere."""
        left, base_left = self.invoice.excess - self.used.amount, self.settled - (self.invoice.base_amount or ZERO)
        amount = round_money(left * share / 10, "USD")
        if amount:
            base = round_money((base_left - self.used.base_amount) * amount / left, "DKK")
            self.used = UsedExcess(self.used.amount + amount, self.used.base_amount + base)

    def give(self, index: int, share: int, rate: Decimal, fee: Decimal) -> None:
        """Give a share of one of the charges back: a refund, or with a fee a lost dispute."""
        if not self.charges:
            return
        index %= len(self.charges)
        charge, sources = self.charges[index]
        sources = changed(sources, used=self.used)
        amount = round_money(charge.amount * share / 10, "USD")
        if not amount:
            return
        parts = rules.parts_of(amount, self.invoice, sources)
        reason: dict[str, Any] = {"refund_id": new_id()} if not fee else {"dispute_id": new_id(), "fee": fee}
        back = GivenBack(
            source_type="dispute" if fee else "refund", amount=amount, reference=charge.reference, **reason
        )
        found = ReturnFacts(
            books=InvoiceFacts("DKK", "da" if fee else "en", "Havblik A/S", self.settled, None),
            rate=rate,
            clearing=account(id=CLEARING),
            unidentified=account(id=UNIDENTIFIED),
            fees=account(id=FEES) if fee else None,
            accounts_by_role=BY_ROLE,
        )
        booking = rules.book(back, parts, charge, self.invoice, sources, found, TODAY, NOW)
        gone = booking.gone
        self.charges[index] = (
            charge,
            changed(
                sources,
                settled=sources.settled + gone.settled_amount,
                unapplied_gone=sources.unapplied_gone + gone.unapplied_amount,
                base_unapplied_gone=sources.base_unapplied_gone + gone.base_unapplied,
            ),
        )
        self.invoice = replace(self.invoice, amount_paid=self.invoice.amount_paid - gone.settled_amount)
        self.settled -= gone.base_settled
        self.unidentified += gone.unapplied_amount + gone.unidentified_amount
        self.base_unidentified += gone.base_unapplied + gone.base_unidentified
        self.clearing -= amount + fee
        self._post(booking.entry)
        assert gone.amount == gone.settled_amount + gone.unapplied_amount + gone.unidentified_amount
        assert min(gone.base_settled, gone.base_unapplied, gone.base_unidentified) >= 0
        assert ("(" in (booking.entry.description or "")) is bool(gone.unidentified_amount)

    def _post(self, entry: EntryToPost) -> None:
        check_balanced(entry.lines, "")
        for line in entry.lines:
            sign = 1 if line.side is Side.DEBIT else -1
            if line.account_id == CLEARING:
                self.moved += sign * line.amount
                self.base_moved += sign * line.base_amount

    def check(self) -> None:
        """The receivable is what is due less credit that nobody used, and nothing when that is nothing."""
        found, base = self.invoice, self.invoice.base_amount or ZERO
        assert found.amount_paid >= 0
        assert found.excess >= self.used.amount
        receivable = base - self.settled + self.used.base_amount
        if not found.amount_due and found.excess == self.used.amount:
            assert receivable == 0
        if not found.amount_due and not self.used.amount:
            assert self.settled == base + self.own.in_base(found.excess)
        if found.amount_due:
            share = EXACT.divide(multiply(base, found.settled_amount), found.amount)
            assert self.settled == round_money(share, "DKK")
        for charge, sources in self.charges:
            assert ZERO <= sources.settled <= sources.paid
            assert ZERO <= sources.unapplied_gone <= charge.unapplied_amount
            if sources.unapplied:
                share = EXACT.divide(multiply(sources.base_unapplied, sources.unapplied_gone), sources.unapplied)
                assert sources.base_unapplied_gone == round_money(share, "DKK")


rates = st.decimals("0.05", "900", places=4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("charge"), st.integers(0, 9), rates),
        st.tuples(st.just("credit"), st.integers(1, 10)),
        st.tuples(st.just("use"), st.integers(1, 10)),
        st.tuples(st.just("give"), st.integers(0, 3), st.integers(1, 10), rates, st.sampled_from((ZERO, D("15.05")))),
    ),
    max_size=12,
)


@given(cents=st.integers(1, 10**9), rate=rates, steps=steps)
def test_whatever_happens_nothing_is_left_over(cents: int, rate: Decimal, steps: list[tuple[Any, ...]]) -> None:
    books = Books(str(D(cents).scaleb(-2)), rate)
    taken = ZERO
    for name, *arguments in steps:
        getattr(books, name)(*arguments)
        books.check()
        taken = total([charge.amount for charge, _ in books.charges])
    assert books.clearing == taken + books.moved
    # Everything is paid and given back: what was booked is due, whatever the rates.
    if not books.invoice.credited_amount:
        books.charge(0, rate)
        assert books.settled == books.invoice.base_amount
        for charge, sources in list(books.charges):
            index = next(i for i, (one, _) in enumerate(books.charges) if one is charge)
            left = EXACT.subtract(sources.paid, sources.settled)
            if left:
                books.charges[index] = (
                    changed(charge, amount=left),
                    changed(sources, unapplied_gone=sources.unapplied, base_unapplied_gone=sources.base_unapplied),
                )
                books.give(index, 10, rate, ZERO)
        books.check()


def test_in_the_companys_currency_amounts_are_what_they_are() -> None:
    found = booked("100", amount_paid=D(100))
    own = Conversion("DKK", "DKK", ONE)
    assert rules.base_reopened(found, D("33.33"), D(100), UNUSED, own) == D("33.33")
    assert rules.base_reopened(found, ZERO, D(100), UNUSED, own) == 0


@pytest.mark.parametrize(("back", "expected"), [("20", "150"), ("10", "70"), ("5", "35")])
def test_what_was_used_of_the_credit_stays(back: str, expected: str) -> None:
    """Of a credit of 50.00 at 7, which stands at 350.00, 30.00 were used at 200.00."""
    found = booked("100", "USD", D(7), amount_paid=D(100), credited_amount=D(50))
    used, own = UsedExcess(D(30), D(200)), Conversion("USD", "DKK", D(7))
    assert rules.base_reopened(found, D(back), D(1050), used, own) == D(expected)


def test_what_has_no_account_is_refused() -> None:
    fees = account(id=FEES)
    assert rules.fee_account(None, {}, {PAYMENT_FEES: fees}) is fees
    assert rules.fee_account(FEES, {FEES: fees}, {}) is fees
    assert refusal(lambda: rules.fee_account(None, {}, {})) is PAYMENT_ACCOUNT_MISSING
    closed = {FEES: account(id=FEES, is_active=False)}
    assert refusal(lambda: rules.fee_account(FEES, closed, {})) is ACCOUNT_NOT_BOOKABLE


def refund_of(charge: Charge, amount: str | None = None, taken: str = "0") -> Refund:
    asked = None if amount is None else D(amount)
    return refund_rules.new_refund(charge, asked, D(taken), reference="R8", now=NOW)


@pytest.mark.parametrize(
    ("status", "amount", "taken", "expected"),
    [
        ("succeeded", None, "0", "1250"),
        ("succeeded", None, "1000", "250"),
        ("succeeded", "250", "1000", "250"),
        ("succeeded", "250.01", "1000", REFUND_EXCEEDS_CHARGE),
        ("succeeded", None, "1250", REFUND_EXCEEDS_CHARGE),
        ("succeeded", "1", "1300", REFUND_EXCEEDS_CHARGE),
        ("succeeded", "1.001", "0", VALIDATION_FAILED),
        ("pending", None, "0", CHARGE_INVALID_STATE),
        ("failed", "1.001", "0", CHARGE_INVALID_STATE),
    ],
)
def test_what_may_be_refunded(status: str, amount: str | None, taken: str, expected: str | ErrorCode) -> None:
    charge = changed(charge_of(booked("1250")), status=ChargeStatus(status))
    if isinstance(expected, ErrorCode):
        assert refusal(lambda: refund_of(charge, amount, taken)) is expected
        return
    refund = refund_of(charge, amount, taken)
    assert (refund.amount, refund.status, refund.reference) == (D(expected), RefundStatus.PENDING, "R8")
    assert (refund.charge_id, refund.invoice_id) == (charge.id, charge.invoice_id)


@pytest.mark.parametrize("status", providers.ChargeStatus)
@pytest.mark.parametrize("before", RefundStatus)
def test_what_an_answer_makes_of_a_refund(status: providers.ChargeStatus, before: RefundStatus) -> None:
    refund = changed(refund_of(charge_of(booked("1250"))), status=before)
    answer = ProviderRefund(
        provider_id="re_1", reference="R8", charge_id="ch_1", status=status, amount=refund.amount, currency="DKK"
    )
    after = refund_rules.answered(refund, answer, NOW)
    if before in {RefundStatus.SUCCEEDED, RefundStatus.FAILED}:
        assert after is refund
        assert refund_rules.unclear(refund, NOW) is refund
        return
    expected = {providers.ChargeStatus.REQUIRES_ACTION: RefundStatus.PENDING}.get(status) or RefundStatus(status.value)
    assert (after.status, after.provider_id) == (expected, "re_1")
    assert (after.finished_at is not None) is (expected in {RefundStatus.SUCCEEDED, RefundStatus.FAILED})
    assert after.failure_code == ("provider_refused" if expected is RefundStatus.FAILED else None)
    told = refund_rules.answered(refund, changed(answer, decline=Decline("lost", "Gone", is_soft=False)), NOW)
    assert told.failure_code == ("lost" if expected is RefundStatus.FAILED else None)
    for wrong in (changed(answer, amount=D(1)), changed(answer, currency="EUR")):
        assert refund_rules.answered(refund, wrong, NOW).status is RefundStatus.UNCLEAR
        asked = changed(refund, asked_at=NOW)
        assert refund_rules.answered(asked, wrong, NOW + timedelta(hours=23)).status is RefundStatus.UNCLEAR
        ended = refund_rules.answered(asked, wrong, NOW + timedelta(days=1))
        assert (ended.status, ended.failure_code) == (RefundStatus.FAILED, "amount_mismatch")
    assert refund_rules.unclear(refund, NOW).status is RefundStatus.UNCLEAR


def test_whoever_may_still_wait_is_left_alone() -> None:
    refund = changed(refund_of(charge_of(booked("1250"))), asked_at=NOW)
    assert refund_rules.is_asked_elsewhere(refund, NOW + timedelta(seconds=59))
    assert not refund_rules.is_asked_elsewhere(refund, NOW + timedelta(seconds=60))
    assert not refund_rules.is_asked_elsewhere(changed(refund, status=RefundStatus.UNCLEAR), NOW)
    assert not refund_rules.is_asked_elsewhere(changed(refund, asked_at=None), NOW)
    assert not refund_rules.is_asked_elsewhere(changed(refund, provider_id="re_1"), NOW)


def dispute(status: str, **fields: Any) -> ProviderDispute:
    told = ProviderDispute(
        provider_id="dp_1", charge_id="ch_1", status=DisputeStatus(status), amount=D(1250), currency="DKK", reason="x"
    )
    return changed(told, **fields)


def test_a_dispute_ends_once_in_any_order() -> None:
    charge, name = charge_of(booked("1250")), ProviderName.STRIPE
    first = dispute_rules.answered(None, dispute("open"), name, charge, NOW)
    assert (first.status, first.fee, first.ended_at) == (DisputeStatus.OPEN, ZERO, None)
    assert dispute_rules.answered(first, dispute("open"), name, charge, NOW + timedelta(days=1)) is first
    more = dispute_rules.answered(first, dispute("open", fee=D(15)), name, charge, NOW + timedelta(days=1))
    assert (more.fee, more.updated_at) == (D(15), NOW + timedelta(days=1))
    for end, other in (("lost", "won"), ("won", "lost")):
        for before in (None, first, more):
            after = dispute_rules.answered(before, dispute(end, fee=D(-15)), name, charge, NOW)
            assert (after.status, after.ended_at, after.fee) == (end, NOW, ZERO)
            for later in (other, "open"):
                assert dispute_rules.answered(after, dispute(later), name, charge, NOW) is after
    waits = changed(charge, status=ChargeStatus.UNCLEAR)
    assert dispute_rules.answered(None, dispute("lost"), name, waits, NOW).status is DisputeStatus.OPEN


def test_a_dispute_that_can_not_be_of_the_charge_is_not_believed() -> None:
    charge = charge_of(booked("1250"))
    assert dispute_rules.is_believed(dispute("lost"), charge)
    assert not dispute_rules.is_believed(dispute("lost", currency="EUR"), charge)
    assert not dispute_rules.is_believed(dispute("lost", amount=ZERO), charge)
    assert not dispute_rules.is_believed(dispute("lost"), changed(charge, status=ChargeStatus.FAILED))
