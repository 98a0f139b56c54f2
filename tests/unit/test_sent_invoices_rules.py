"""What an invoice says of seller and buyer, its days and its text, and where it stands when a payment is taken back."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.test_company_rules import COMPANY
from tests.unit.test_invoices_rules import EXPORT, GOODS, NOW, OUTPUT_VAT, STANDARD, customer, invoice

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO
from ledgerbee.parties.customers.model import Customer, CustomerType, VatZone
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents.model import Computed, DocumentLineType, Line, Tax
from ledgerbee.sales.documents.rules import check_date, check_due_date, compute
from ledgerbee.sales.documents.snapshot import Addressee
from ledgerbee.sales.invoices.model import Invoice, InvoiceFields, InvoiceStatus
from ledgerbee.sales.invoices.rules.checks import check_seller, warnings
from ledgerbee.sales.invoices.rules.draft import check_days, given_before, terms
from ledgerbee.sales.invoices.rules.entry import entry_text
from ledgerbee.sales.invoices.rules.states import reopen

SELLER = replace(COMPANY, address="Havnegade 1", postal_code="1058", city="København K", vat_number="13585628")
AT_25 = Tax(GOODS, STANDARD, Decimal(25), "S", OUTPUT_VAT)
TO_EU = Tax(EXPORT, new_id(), ZERO, "K")
DAY = date(2026, 3, 16)


def computed(tax: Tax = AT_25) -> Computed:
    """One line of 4,000.00."""
    price = new_id()
    line = Line(new_id(), DocumentLineType.PRODUCT, price_id=price, net=Decimal(4000))
    return compute([line], {price: tax}, "DKK")


def refused(call: Any) -> dict[str, Any]:
    with pytest.raises(LedgerBeeError) as refusal:
        call()
    return refusal.value.details


class TestSeller:
    def test_it_is_named_with_its_address_and_vat_number(self) -> None:
        check_seller(SELLER, [AT_25])
        assert refused(lambda: check_seller(COMPANY, [AT_25])) == {
            "missing": ["address", "postalCode", "city", "vatNumber"]
        }
        abroad = replace(SELLER, country_code="US", postal_code=None)
        check_seller(abroad, [AT_25])

    def test_without_tax_it_needs_no_number(self) -> None:
        without = replace(SELLER, vat_number=None)
        check_seller(without, [replace(AT_25, category="E"), replace(AT_25, vat_code_id=None)])
        assert refused(lambda: check_seller(without, [TO_EU])) == {"missing": ["vatNumber"]}


class TestBuyer:
    def codes(self, buyer: Customer, tax: Tax = AT_25, base_amount: str = "5000", **company: Any) -> list[str]:
        booked = replace(invoice(), base_amount=Decimal(base_amount))
        found = warnings(booked, computed(tax), Addressee(buyer), replace(SELLER, **company))
        return [one.code for one in found]

    def test_a_business_has_an_address_on_what_is_no_small_invoice(self) -> None:
        assert self.codes(customer()) == ["INVOICE_BUYER_INCOMPLETE"]
        assert self.codes(replace(customer(), address="Vej 1", postal_code="8000", city="Aarhus")) == []
        assert self.codes(replace(customer(), customer_type=CustomerType.PRIVATE)) == []

    def test_up_to_three_thousand_kroner_it_needs_none(self) -> None:
        assert self.codes(customer(), base_amount="3000") == []
        assert self.codes(customer(), base_amount="3000.01") == ["INVOICE_BUYER_INCOMPLETE"]
        assert self.codes(customer(), TO_EU, "3000") == ["INVOICE_BUYER_INCOMPLETE"], "the buyer accounts for the VAT"
        assert self.codes(customer(), base_amount="3000", country_code="SE") == ["INVOICE_BUYER_INCOMPLETE"]
        assert self.codes(customer(), base_amount="3000", base_currency="EUR") == ["INVOICE_BUYER_INCOMPLETE"]

    def test_an_export_leaves_the_eu(self) -> None:
        private = replace(customer(), customer_type=CustomerType.PRIVATE, vat_zone=VatZone.ABROAD)
        assert self.codes(replace(private, country_code="SE")) == ["INVOICE_VAT_ZONE_DOUBTFUL"]
        assert self.codes(replace(private, country_code="NO")) == []


class TestDays:
    def test_a_document_is_no_more_than_a_year_ahead(self) -> None:
        check_date(date(2027, 3, 16), DAY)
        assert refused(lambda: check_date(date(2027, 3, 17), DAY))["validationErrors"][0]["property"] == "date"

    def test_it_is_due_on_its_day_or_later_within_limits(self) -> None:
        check_due_date(DAY, DAY)
        for due in (DAY - timedelta(days=1), date.max):
            details = refused(lambda due=due: check_due_date(DAY, due))
            assert details["validationErrors"][0]["property"] == "dueDate"

    def test_all_that_is_wrong_with_its_days_is_told_at_once(self) -> None:
        fields = InvoiceFields(customer_id=new_id(), issue_date=DAY, lines=())
        check_days(fields, DAY)
        check_days(replace(fields, due_date=DAY, delivery_date=DAY), DAY)
        wrong = replace(fields, issue_date=date(2028, 1, 1), due_date=DAY, delivery_date=date(1999, 1, 1))
        errors = refused(lambda: check_days(wrong, DAY))["validationErrors"]
        assert [error["property"] for error in errors] == ["date", "deliveryDate", "dueDate"]

    def test_terms_are_stated_where_they_lead_to_the_due_date(self) -> None:
        usual = invoice()  # 14 days
        assert terms(usual).payment_terms_days == 14
        assert terms(replace(usual, due_date=DAY)).payment_terms_days is None

    @pytest.mark.parametrize(
        ("before", "changes", "expected"),
        [
            ({}, {}, (None, 14)),
            ({"due_date": DAY}, {}, (DAY, 14)),
            ({"due_date": DAY}, {"payment_terms_days": 8}, (None, 14)),
            ({"due_date": DAY}, {"customer_id": new_id()}, (DAY, None)),
        ],
    )
    def test_what_was_given_survives_a_change(
        self, before: dict[str, Any], changes: dict[str, Any], expected: tuple[date | None, int | None]
    ) -> None:
        found = given_before(replace(invoice(), **before), Changes(changes))
        assert (found["due_date"], found["payment_terms_days"]) == expected


def test_the_text_begins_with_the_invoices_own() -> None:
    plain = replace(invoice(), number="7")
    assert entry_text(plain, "Havblik A/S", "da") == "Faktura 7, Havblik A/S"
    assert entry_text(plain, "Havblik A/S", "en") == "Invoice 7, Havblik A/S"
    assert entry_text(replace(plain, description="Maj"), "Havblik A/S", "da") == "Maj, Faktura 7, Havblik A/S"
    assert len(entry_text(replace(plain, description="x" * 20_000), "Havblik A/S", "da")) == 10_000


class TestReopening:
    def paid(self, **fields: Any) -> Invoice:
        """An invoice of 100.00 that is paid."""
        values = {"amount": Decimal(100), "amount_paid": Decimal(100), "sent_at": NOW, **fields}
        return replace(invoice(status=InvoiceStatus.PAID), **values)

    def test_without_a_payment_it_is_where_its_delivery_left_it(self) -> None:
        later = NOW + timedelta(days=1)
        part = reopen(self.paid(), Decimal(40), None, later)
        assert (part.status, part.amount_due, part.updated_at) == (InvoiceStatus.PARTIALLY_PAID, Decimal(40), later)
        for fields, delivery, status in (
            ({}, None, InvoiceStatus.SENT),
            ({"sent_at": None}, DeliveryStatus.SENDING, InvoiceStatus.SENDING),
            ({"sent_at": None}, DeliveryStatus.PENDING, InvoiceStatus.SCHEDULED),
        ):
            assert reopen(self.paid(**fields), Decimal(100), delivery, later).status is status

    def test_credit_that_is_used_counts_as_paid(self) -> None:
        used = self.paid(amount_paid=Decimal(60), applied_credit=Decimal(40))
        opened = reopen(used, Decimal(60), None, NOW)
        assert (opened.status, opened.amount_due) == (InvoiceStatus.PARTIALLY_PAID, Decimal(60))

    def test_nothing_is_taken_back_of_what_is_not_paid(self) -> None:
        unpaid = self.paid(amount_paid=ZERO, status=InvoiceStatus.SENT)
        assert refused(lambda: reopen(unpaid, Decimal(1), None, NOW)) == {"status": "sent"}


@pytest.mark.parametrize(
    ("paid", "credited", "applied", "written_off", "due", "excess"),
    [
        (0, 0, 0, 0, 100, 0),
        (10, 20, 30, 0, 40, 0),
        (10, 20, 30, 40, 0, 0),
        (50, 20, 50, 0, 0, 20),
    ],
)
def test_what_is_due_is_what_nothing_settles(
    paid: int, credited: int, applied: int, written_off: int, due: int, excess: int
) -> None:
    """What is given up is due no more, and no money of the customer's either."""
    it = replace(
        invoice(status=InvoiceStatus.SENT),
        amount=Decimal(100),
        amount_paid=Decimal(paid),
        credited_amount=Decimal(credited),
        applied_credit=Decimal(applied),
        written_off_amount=Decimal(written_off),
    )
    expected = Decimal(due), Decimal(excess), Decimal(paid + credited + applied)
    assert (it.amount_due, it.excess, it.settled_amount) == expected


def test_an_invoice_that_is_given_up_stays_so() -> None:
    given_up = replace(
        invoice(status=InvoiceStatus.PAID), amount=Decimal(100), amount_paid=Decimal(60), written_off_amount=Decimal(40)
    )
    assert reopen(given_up, Decimal(10), None, NOW).status is InvoiceStatus.UNCOLLECTIBLE
