"""What is decided of quotes and order confirmations."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_invoices_booking import COMPANY, GROUP, template
from tests.unit.test_invoices_rules import NOW, TAXES, customer, product

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND, BillingFacts
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents.model import (
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    DocumentKind,
    DocumentRef,
    FullDocument,
    Sources,
    Terms,
)
from ledgerbee.sales.documents.rules import as_input, compute
from ledgerbee.sales.invoices.model import InvoiceFields
from ledgerbee.sales.order_confirmations import rules as order_rules
from ledgerbee.sales.order_confirmations.kind import ORDER_CONFIRMATIONS
from ledgerbee.sales.order_confirmations.model import (
    OrderConfirmation,
    OrderConfirmationFields,
    OrderConfirmationId,
    OrderConfirmationStatus,
)
from ledgerbee.sales.presales import rules
from ledgerbee.sales.presales.model import SALES_DOCUMENT_CONVERT_REQUIRES_SENT
from ledgerbee.sales.quotes import rules as quote_rules
from ledgerbee.sales.quotes.kind import QUOTES
from ledgerbee.sales.quotes.model import (
    QUOTE_INVALID_STATE,
    QUOTE_RECIPIENT_MISSING,
    Answer,
    Quote,
    QuoteFields,
    QuoteId,
    QuoteStatus,
)
from ledgerbee.sales.sending.model import SendOptions, SendSources
from ledgerbee.sales.templates.model import TemplateType

TODAY = NOW.date()
PRICE = next(price for price, tax in TAXES.items() if tax.rate)
LINES = compute([product(PRICE, Decimal(100))], TAXES, "DKK").lines


def quote(status: QuoteStatus = QuoteStatus.SENT, **fields: Any) -> Quote:
    return Quote(**{
        "id": QuoteId(new_id()),
        "status": status,
        "customer_id": new_id(),
        "issue_date": TODAY,
        "currency": "DKK",
        "subtotal": Decimal(100),
        "vat": Decimal(25),
        "amount": Decimal(125),
        "reference": "PO-7",
        "document_template_id": new_id(),
        "created_at": NOW,
        "updated_at": NOW,
        **fields,
    })  # fmt: skip


def order_confirmation(status: OrderConfirmationStatus, **fields: Any) -> OrderConfirmation:
    return OrderConfirmation(**{
        "id": OrderConfirmationId(new_id()),
        "status": status,
        "customer_id": new_id(),
        "issue_date": TODAY,
        "currency": "DKK",
        "subtotal": Decimal(100),
        "vat": Decimal(25),
        "amount": Decimal(125),
        "created_at": NOW,
        "updated_at": NOW,
        **fields,
    })  # fmt: skip


def fields_of_quote(**fields: Any) -> QuoteFields:
    return QuoteFields(**{"customer_id": new_id(), "issue_date": TODAY, "lines": (), **fields})


def refusal(code: ErrorCode) -> Any:
    return pytest.raises(LedgerBeeError, check=lambda fault: fault.error_code is code)


class TestDisplayStatus:
    @pytest.mark.parametrize(
        ("stored", "fields", "shown"),
        [
            ("draft", {}, "draft"),
            ("draft", {"valid_until": TODAY - timedelta(days=9)}, "draft"),
            ("sent", {}, "sent"),
            ("sent", {"valid_until": TODAY}, "sent"),
            ("sent", {"valid_until": TODAY - timedelta(days=1)}, "expired"),
            ("accepted", {"valid_until": TODAY - timedelta(days=1)}, "accepted"),
            ("rejected", {"valid_until": TODAY - timedelta(days=1)}, "rejected"),
            ("sent", {"converted_to_invoice_id": new_id(), "valid_until": TODAY - timedelta(days=1)}, "converted"),
            ("accepted", {"converted_to_order_confirmation_id": new_id()}, "converted"),
        ],
    )
    def test_of_a_quote(self, stored: str, fields: dict[str, Any], shown: str) -> None:
        assert quote_rules.display_status(quote(QuoteStatus(stored), **fields), TODAY) == shown

    @given(st.integers(-400, 400))
    def test_a_quote_expires_on_the_day_after_its_last(self, days: int) -> None:
        sent = quote(valid_until=TODAY + timedelta(days=days))
        assert (quote_rules.display_status(sent, TODAY) == "expired") == (days < 0)

    @pytest.mark.parametrize(
        ("stored", "fields", "shown"),
        [("draft", {}, "draft"), ("sent", {}, "sent"), ("sent", {"converted_to_invoice_id": new_id()}, "converted")],
    )
    def test_of_an_order_confirmation(self, stored: str, fields: dict[str, Any], shown: str) -> None:
        found = order_confirmation(OrderConfirmationStatus(stored), **fields)
        assert order_rules.display_status(found) == shown


class TestDays:
    @pytest.mark.parametrize(
        ("issued", "valid_until", "wrong"),
        [
            (TODAY, None, []),
            (TODAY, TODAY, []),
            (TODAY, TODAY + timedelta(days=3650), []),
            (TODAY, TODAY - timedelta(days=1), ["validUntil"]),
            (TODAY, TODAY + timedelta(days=3651), ["validUntil"]),
            (TODAY + timedelta(days=800), TODAY, ["date", "validUntil"]),
        ],
    )
    def test_of_a_quote(self, issued: date, valid_until: date | None, wrong: list[str]) -> None:
        given_fields = fields_of_quote(issue_date=issued, valid_until=valid_until)
        if not wrong:
            quote_rules.check_days(given_fields, TODAY)
            return
        with pytest.raises(LedgerBeeError) as fault:
            quote_rules.check_days(given_fields, TODAY)
        assert [error["property"] for error in fault.value.details["validationErrors"]] == wrong

    def test_of_an_order_confirmation(self) -> None:
        fields = OrderConfirmationFields(customer_id=new_id(), issue_date=TODAY, lines=())
        order_rules.check_days(fields, TODAY)
        with pytest.raises(LedgerBeeError):
            order_rules.check_days(replace(fields, issue_date=TODAY + timedelta(days=400)), TODAY)

    def test_what_a_kind_adds_to_a_draft(self) -> None:
        facts = BillingFacts(customer(), GROUP, None)
        until = TODAY + timedelta(days=30)
        assert quote_rules.decide(fields_of_quote(valid_until=until), COMPANY, facts) == {"valid_until": until}
        assert quote_rules.given_before(quote(valid_until=until), Changes({})) == {"valid_until": until}
        assert quote_rules.terms(quote(valid_until=until)) == Terms(valid_until=until)
        draft = order_confirmation(OrderConfirmationStatus.DRAFT)
        fields = OrderConfirmationFields(customer_id=new_id(), issue_date=TODAY, lines=())
        assert order_rules.decide(fields, COMPANY, facts) == {}
        assert order_rules.given_before(draft, Changes({})) == {}
        assert order_rules.terms(draft) == Terms()


class TestMovingValidUntil:
    def test_of_a_sent_quote_only_that_day_moves(self) -> None:
        sent, later = quote(valid_until=TODAY), TODAY + timedelta(days=30)
        moved = quote_rules.moved(sent, Changes({"valid_until": later}), NOW + timedelta(hours=1))
        assert moved == replace(sent, valid_until=later, updated_at=NOW + timedelta(hours=1))
        assert quote_rules.moved(moved, Changes({"valid_until": None}), NOW).valid_until is None
        assert quote_rules.moved(sent, Changes({"valid_until": TODAY}), NOW) is sent
        assert quote_rules.moved(sent, Changes({}), NOW) is sent

    @pytest.mark.parametrize(
        ("before", "changes"),
        [
            (quote(), {"notes": "x"}),
            (quote(), {"valid_until": TODAY, "notes": "x"}),
            (quote(QuoteStatus.ACCEPTED), {"valid_until": TODAY}),
            (quote(QuoteStatus.REJECTED), {"valid_until": TODAY}),
            (quote(converted_to_invoice_id=new_id()), {"valid_until": TODAY}),
        ],
    )
    def test_nothing_else_changes(self, before: Quote, changes: dict[str, Any]) -> None:
        with refusal(QUOTE_INVALID_STATE):
            quote_rules.moved(before, Changes(changes), NOW)

    def test_not_before_its_day(self) -> None:
        with pytest.raises(LedgerBeeError) as fault:
            quote_rules.moved(quote(), Changes({"valid_until": TODAY - timedelta(days=1)}), NOW)
        assert fault.value.details["validationErrors"][0]["property"] == "validUntil"


class TestAnswer:
    @pytest.mark.parametrize("answer", [QuoteStatus.ACCEPTED, QuoteStatus.REJECTED])
    def test_once(self, answer: QuoteStatus) -> None:
        sent = quote(valid_until=TODAY - timedelta(days=1))
        answered = quote_rules.answered(sent, Answer(answer, "Mette", "Thanks"), NOW)
        assert answered == replace(sent, status=answer, answered_at=NOW, answered_by="Mette", answer_comment="Thanks")
        for again in QuoteStatus.ACCEPTED, QuoteStatus.REJECTED:
            with refusal(QUOTE_INVALID_STATE):
                quote_rules.answered(answered, Answer(again), NOW)

    def test_not_of_a_draft_or_of_what_was_converted(self) -> None:
        for wrong in quote(QuoteStatus.DRAFT), quote(converted_to_invoice_id=new_id()):
            with refusal(QUOTE_INVALID_STATE):
                quote_rules.answered(wrong, Answer(QuoteStatus.ACCEPTED), NOW)

    def test_a_buyer_answers_what_is_shown_as_sent(self) -> None:
        quote_rules.require_open(quote(valid_until=TODAY), TODAY)
        for wrong in (
            quote(QuoteStatus.DRAFT), quote(QuoteStatus.ACCEPTED), quote(valid_until=TODAY - timedelta(days=1)),
            quote(converted_to_invoice_id=new_id()),
        ):  # fmt: skip
            with refusal(QUOTE_INVALID_STATE):
                quote_rules.require_open(wrong, TODAY)


class TestConverting:
    @pytest.mark.parametrize(
        ("source", "code"),
        [
            (quote(QuoteStatus.DRAFT), SALES_DOCUMENT_CONVERT_REQUIRES_SENT),
            (quote(QuoteStatus.REJECTED), QUOTE_INVALID_STATE),
            (quote(converted_to_invoice_id=new_id()), QUOTE_INVALID_STATE),
            (quote(QuoteStatus.ACCEPTED, converted_to_order_confirmation_id=new_id()), QUOTE_INVALID_STATE),
        ],
    )
    def test_what_cannot_be(self, source: Quote, code: ErrorCode) -> None:
        with refusal(code):
            rules.require_convertible(QUOTES, source, quote_rules.CONVERTIBLE)

    def test_what_can_be(self) -> None:
        for source in quote(), quote(QuoteStatus.ACCEPTED), quote(valid_until=TODAY - timedelta(days=1)):
            rules.require_convertible(QUOTES, source, quote_rules.CONVERTIBLE)

    def test_fields_and_lines_are_copied_but_for_the_template_and_the_changes(self) -> None:
        source = FullDocument(quote(), LINES)
        copied = rules.given_for(source, InvoiceFields, Changes({"our_reference": "Ib"}))
        assert copied == InvoiceFields(
            customer_id=source.document.customer_id,
            issue_date=TODAY,
            currency="DKK",
            reference="PO-7",
            our_reference="Ib",
            lines=(as_input(LINES[0]),),
        )
        assert copied.document_template_id is None

    @pytest.mark.parametrize(
        ("changes", "stands"),
        [({}, True), ({"issue_date": TODAY}, True), ({"lines": ()}, False), ({"currency": "EUR"}, False)],
    )
    def test_prices_stand_unless_lines_or_currency_change(self, changes: dict[str, Any], stands: bool) -> None:
        source = FullDocument(quote(), LINES)
        given_changes: Changes[InvoiceFields] = Changes(changes)
        origin = rules.origin_of(QUOTES, source, given_changes)
        assert origin.document == DocumentRef(DocumentKind.QUOTE, source.document.id)
        assert origin.lines == (LINES if stands else None)

    @given(st.decimals(0, 10**6, places=2), st.decimals(0, 10**6, places=2))
    def test_other_totals_are_told(self, was: Decimal, now: Decimal) -> None:
        source = quote(subtotal=was, vat=Decimal(0), amount=was)
        made = order_confirmation(OrderConfirmationStatus.DRAFT, subtotal=now, vat=Decimal(0), amount=now)
        warnings = rules.warnings_of(source, made)
        assert bool(warnings) == (was != now)
        for warning in warnings:
            assert (warning.details["before"]["amount"], warning.details["after"]["amount"]) == (f"{was:f}", f"{now:f}")

    def test_another_currency_is_another_total(self) -> None:
        made = order_confirmation(OrderConfirmationStatus.DRAFT, currency="EUR")
        assert len(rules.warnings_of(quote(), made)) == 1

    def test_fields_of_another_kind_are_refused(self) -> None:
        rules.require_of_target("orderConfirmation", [])
        with pytest.raises(LedgerBeeError) as fault:
            rules.require_of_target("orderConfirmation", ["dueDate"])
        assert fault.value.details["validationErrors"][0]["property"] == "document.dueDate"

    def test_what_an_order_confirmation_was_made_of(self) -> None:
        quote_id = new_id()
        made = order_confirmation(OrderConfirmationStatus.DRAFT, converted_from_quote_id=quote_id)
        assert made.converted_from == DocumentRef(DocumentKind.QUOTE, quote_id)
        assert order_confirmation(OrderConfirmationStatus.DRAFT).converted_from is None


class TestBooking:
    """Refused in the order of the table, and what is written then."""

    def test_the_first_refusal_and_what_is_sent(self) -> None:
        chosen, other = template(TemplateType.QUOTE), template(TemplateType.INVOICE)
        computed = compute(LINES, TAXES, "DKK")
        buyer = replace(customer(), is_active=False)
        options = SendOptions(DeliveryType.EMAIL, document_template_id=chosen.id)
        draft = quote(QuoteStatus.DRAFT, document_template_id=None)

        def booked(*templates: Any) -> Any:
            found = SendSources(
                Sources(COMPANY, BillingFacts(buyer, GROUP, None), None, None, templates, None), {}, None
            )
            return rules.book(QUOTES, draft, found, computed, options, NOW)

        with refusal(SALES_DOCUMENT_CUSTOMER_INACTIVE):
            booked()
        buyer = replace(buyer, is_active=True, email=None)
        with refusal(DOCUMENT_TEMPLATE_NOT_FOUND):
            booked()
        options = replace(options, document_template_id=other.id)
        with refusal(SALES_DOCUMENT_TEMPLATE_MISMATCH):
            booked(chosen, other)
        options = replace(options, document_template_id=chosen.id)
        with refusal(QUOTE_RECIPIENT_MISSING):
            booked(chosen)
        options = replace(options, override_email="here@example.com")
        booking = booked(chosen)
        assert (booking.recipient, booking.entry, booking.in_base, booking.template) == (
            "here@example.com", None, None, chosen,
        )  # fmt: skip
        sent = booking.document
        assert (sent.status, sent.sent_at, sent.document_template_id) == (QuoteStatus.SENT, NOW, chosen.id)
        assert (sent.subtotal, sent.vat, sent.amount) == (Decimal(100), Decimal(25), Decimal(125))

    def test_without_any_template_it_is_sent_too(self) -> None:
        found = SendSources(Sources(COMPANY, BillingFacts(customer(), GROUP, None), None, None, (), None), {}, None)
        draft = order_confirmation(OrderConfirmationStatus.DRAFT)
        options = SendOptions(DeliveryType.MANUAL)
        booking = rules.book(ORDER_CONFIRMATIONS, draft, found, compute(LINES, TAXES, "DKK"), options, NOW)
        assert booking.document.status is OrderConfirmationStatus.SENT
        assert booking.document.document_template_id is None
