"""What an invoice's status may become, who gets it, and the entry it is booked by."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO, minor_units, total
from ledgerbee.ledger.entries.model import EntryToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, check_balanced
from ledgerbee.parties.contacts.model import Contact, ContactId
from ledgerbee.parties.customers.model import Customer, CustomerType, VatZone
from ledgerbee.parties.groups.model import CustomerGroupId
from ledgerbee.parties.party.model import CustomerId
from ledgerbee.sales.delivery.model import DeliveryStatus, DeliveryType
from ledgerbee.sales.documents.addressing import recipient
from ledgerbee.sales.documents.model import Computed, DocumentKind, DocumentLineType, Line, Tax
from ledgerbee.sales.documents.rules import compute
from ledgerbee.sales.invoices import rules
from ledgerbee.sales.invoices.model import (
    INVOICE_AMOUNT_NEGATIVE,
    INVOICE_BUYER_VAT_NUMBER_INVALID,
    INVOICE_BUYER_VAT_NUMBER_MISSING,
    INVOICE_INVALID_STATE,
    INVOICE_RECIPIENT_MISSING,
    Invoice,
    InvoiceId,
    InvoiceStatus,
)
from ledgerbee.sales.sending.rules import entry_lines, journal_entry, vat_in_base

NOW = datetime(2026, 3, 16, tzinfo=UTC)
S = InvoiceStatus
RECEIVABLE, GOODS, SERVICES, EXPORT, OUTPUT_VAT = (new_id() for _ in range(5))
STANDARD, REDUCED, GOODS_CODE = new_id(), new_id(), new_id()
TAXES = {
    new_id(): Tax(GOODS, STANDARD, Decimal(25), "S", OUTPUT_VAT),
    new_id(): Tax(SERVICES, STANDARD, Decimal(25), "S", OUTPUT_VAT),
    new_id(): Tax(SERVICES, REDUCED, Decimal(5), "S", OUTPUT_VAT),
    new_id(): Tax(EXPORT, GOODS_CODE, ZERO, "K"),
}


def product(price_id: UUID, net: Decimal) -> Line:
    return Line(new_id(), DocumentLineType.PRODUCT, price_id=price_id, net=net)


def invoice(currency: str = "DKK", status: InvoiceStatus = S.DRAFT) -> Invoice:
    return Invoice(
        id=InvoiceId(new_id()),
        status=status,
        customer_id=new_id(),
        customer_department_id=None,
        customer_contact_id=None,
        issue_date=date(2026, 3, 16),
        due_date=date(2026, 3, 30),
        payment_terms_days=14,
        currency=currency,
        reference=None,
        our_reference=None,
        description=None,
        notes=None,
        document_template_id=None,
        subtotal=ZERO,
        vat=ZERO,
        amount=ZERO,
        created_at=NOW,
        updated_at=NOW,
    )


def entry_of(computed: Computed, currency: str = "DKK", rate: Decimal = Decimal(1), base: str = "DKK") -> EntryToPost:
    booked = replace(invoice(currency), amount=computed.totals.amount, exchange_rate=rate, journal_entry_id=new_id())
    lines = entry_lines(computed, Conversion(currency, base, rate), RECEIVABLE)
    return journal_entry(DocumentKind.INVOICE, booked, lines)


@st.composite
def sales(draw: st.DrawFn) -> tuple[str, Computed]:
    currency = draw(st.sampled_from(["DKK", "EUR", "JPY", "KWD"]))
    nets = st.integers(-(10**8), 10**8).map(lambda n: Decimal(n).scaleb(-minor_units(currency)))
    lines = draw(st.lists(st.builds(product, st.sampled_from(list(TAXES)), nets), min_size=1, max_size=30))
    return currency, compute(lines, TAXES, currency)


@given(sales(), st.decimals("0.0001", "20000", places=12), st.sampled_from(["DKK", "JPY", "KWD"]))
def test_an_entry_balances_in_both_currencies(drawn: tuple[str, Computed], rate: Decimal, base: str) -> None:
    currency, computed = drawn
    entry = entry_of(computed, currency, Decimal(1) if base == currency else rate, base)
    check_balanced(entry.lines)
    receivable = entry.lines[0]
    sign = 1 if receivable.side is Side.DEBIT else -1
    assert receivable.account_id == RECEIVABLE
    assert sign * receivable.amount == computed.totals.amount == entry.original_amount


@given(sales())
def test_revenue_and_vat_are_those_of_the_invoice(drawn: tuple[str, Computed]) -> None:
    currency, computed = drawn
    entry = entry_of(computed, currency, Decimal(1), currency)

    def credited(line_type: LineType) -> Decimal:
        lines = [line for line in entry.lines if line.line_type is line_type]
        return total([line.amount if line.side is Side.CREDIT else -line.amount for line in lines])

    assert credited(LineType.ENTERED) == computed.totals.subtotal
    assert credited(LineType.VAT) == computed.totals.vat == (vat_in_base(entry.lines) or 0)
    keys = [(line.account_id, line.vat_code_id, line.line_type) for line in entry.lines]
    assert len(keys) == len(set(keys)), "one line an account and code"


def test_codes_of_one_rate_are_booked_apart() -> None:
    by_account = {tax.account_id: price for price, tax in TAXES.items() if tax.vat_code_id == STANDARD}
    computed = compute(
        [product(by_account[GOODS], Decimal(100)), product(by_account[SERVICES], Decimal(-20))], TAXES, "DKK"
    )
    assert [(line.account_id, line.side, line.amount) for line in entry_of(computed).lines] == [
        (RECEIVABLE, Side.DEBIT, Decimal(100)),
        (GOODS, Side.CREDIT, Decimal(100)),
        (SERVICES, Side.DEBIT, Decimal(20)),
        (OUTPUT_VAT, Side.CREDIT, Decimal(20)),
    ]


def test_nothing_is_booked_as_nothing() -> None:
    entry = entry_of(compute([product(next(iter(TAXES)), ZERO)], TAXES, "DKK"))
    assert [line.side for line in entry.lines] == [Side.DEBIT, Side.CREDIT, Side.CREDIT]
    assert {line.amount for line in entry.lines} == {ZERO}


def customer(vat_number: str | None = None, email: str | None = None) -> Customer:
    return Customer(
        id=CustomerId(new_id()),
        number="1",
        customer_type=CustomerType.COMPANY,
        name="Havblik A/S",
        vat_zone=VatZone.EU,
        customer_group_id=CustomerGroupId(new_id()),
        country_code="SE",
        currency="SEK",
        created_at=NOW,
        updated_at=NOW,
        vat_number=vat_number,
        email=email,
    )


def test_a_liable_buyer_needs_a_vat_number() -> None:
    export = next(price for price, tax in TAXES.items() if tax.category == "K")
    computed = compute([product(export, Decimal(10))], TAXES, "DKK")
    rules.check_sendable(computed, customer("SE556677889901"), "DKK", "DK")
    with pytest.raises(LedgerBeeError) as refusal:
        rules.check_sendable(computed, customer(), "DKK", "DK")
    assert refusal.value.error_code is INVOICE_BUYER_VAT_NUMBER_MISSING
    assert refusal.value.details["vatCategory"] == "K"


@pytest.mark.parametrize(
    ("number", "country", "seller_country", "is_liable"),
    [
        ("SE556677889901", "SE", "DK", True),
        ("556677889901", "SE", "DK", True),
        ("EL123456783", "GR", "DK", True),
        ("AB123456789", "FR", "DK", True),
        ("XI123456789", "GB", "DK", True),
        ("DE123456788", "US", "DK", True),
        ("DK13585628", "SE", "DK", False),
        ("13585628", "DK", "DK", False),
        ("SE556677889901", "SE", "SE", False),
        ("NO974761076", "NO", "DK", False),
        ("974761076", "NO", "DK", False),
        ("GB123456789", "SE", "DK", False),
    ],
)
def test_a_liable_buyer_is_registered_in_another_eu_country(
    number: str, country: str, seller_country: str, is_liable: bool
) -> None:
    export = next(price for price, tax in TAXES.items() if tax.category == "K")
    computed = compute([product(export, Decimal(10))], TAXES, "DKK")
    buyer = replace(customer(number), country_code=country)
    if is_liable:
        rules.check_sendable(computed, buyer, "DKK", seller_country)
        return
    with pytest.raises(LedgerBeeError) as refusal:
        rules.check_sendable(computed, buyer, "DKK", seller_country)
    assert refusal.value.error_code is INVOICE_BUYER_VAT_NUMBER_INVALID
    domestic = replace(buyer, vat_zone=VatZone.DOMESTIC)  # a reverse charge at home: scrap, telephones
    rules.check_sendable(computed, domestic, "DKK", seller_country)


def test_a_negative_invoice_is_a_credit_note() -> None:
    computed = compute([product(next(iter(TAXES)), Decimal("-0.01"))], TAXES, "DKK")
    with pytest.raises(LedgerBeeError) as refusal:
        rules.check_sendable(computed, customer(), "DKK", "DK")
    assert refusal.value.error_code is INVOICE_AMOUNT_NEGATIVE


def test_the_first_address_is_taken() -> None:
    contact = Contact(id=ContactId(new_id()), name="Ida", created_at=NOW, email="ida@example.com")
    silent = Contact(id=ContactId(new_id()), name="Bo", created_at=NOW)
    of_customer = customer(email="post@example.com")
    assert recipient("here@example.com", (contact,), of_customer, INVOICE_RECIPIENT_MISSING) == "here@example.com"
    assert recipient(None, (silent, contact), of_customer, INVOICE_RECIPIENT_MISSING) == "ida@example.com"
    assert recipient(None, (None, silent), of_customer, INVOICE_RECIPIENT_MISSING) == "post@example.com"
    with pytest.raises(LedgerBeeError) as refusal:
        recipient(None, (silent, None), customer(), INVOICE_RECIPIENT_MISSING)
    assert refusal.value.error_code is INVOICE_RECIPIENT_MISSING


def test_how_delivery_moves_the_status() -> None:
    assert rules.status_when_sent(DeliveryType.MANUAL, Decimal("0.01")) is S.SENT
    assert rules.status_when_sent(DeliveryType.EMAIL, Decimal("0.01")) is S.SCHEDULED
    assert {rules.status_when_sent(way, ZERO) for way in DeliveryType} == {S.PAID}
    assert [rules.WHEN_CLAIMED.get(status, status) for status in S] == [
        S.DRAFT, S.SENDING, S.SENDING, S.SENT, S.PAID, S.PARTIALLY_PAID, S.CANCELLED, S.UNCOLLECTIBLE, S.CREDITED,
    ]  # fmt: skip
    for before in (S.SCHEDULED, S.SENDING):
        assert rules.WHEN_DELIVERED.get(before, before) is S.SENT
        assert rules.WHEN_FAILED.get(before, before) is S.SCHEDULED
    for settled in (S.PAID, S.PARTIALLY_PAID, S.CREDITED):
        assert rules.WHEN_FAILED.get(settled, settled) is settled


def test_without_its_payments_an_invoice_is_where_its_delivery_left_it() -> None:
    waiting = replace(invoice(status=S.PAID), amount=Decimal(10))
    handed_over = replace(waiting, sent_at=NOW)
    for delivery in (None, *DeliveryStatus):
        expected = S.SENDING if delivery is DeliveryStatus.SENDING else S.SCHEDULED
        assert rules.status_when_reopened(waiting, ZERO, delivery) is expected
        assert rules.status_when_reopened(handed_over, ZERO, delivery) is S.SENT
        for one in (waiting, handed_over):
            assert rules.status_when_reopened(one, Decimal("0.01"), delivery) is S.PARTIALLY_PAID


def test_a_wrong_status_is_named() -> None:
    with pytest.raises(LedgerBeeError) as refusal:
        rules.require_status(invoice(status=S.PAID), (S.DRAFT,))
    assert refusal.value.error_code is INVOICE_INVALID_STATE
    assert refusal.value.details == {"status": "paid"}


def test_only_a_draft_is_cancelled() -> None:
    later = NOW + timedelta(days=1)
    draft = invoice()
    assert rules.cancel(draft, later) == replace(draft, status=S.CANCELLED, updated_at=later)
    for status in set(S) - {S.DRAFT}:
        with pytest.raises(LedgerBeeError) as refusal:
            rules.cancel(invoice(status=status), later)
        assert (refusal.value.code, refusal.value.details) == ("INVOICE_INVALID_STATE", {"status": status.value})
