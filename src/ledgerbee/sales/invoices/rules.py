"""Pure rules of invoices: allowed transitions, who receives it, and the journal entry it becomes."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.countries import EU_COUNTRIES
from ledgerbee.core.money import format_amount, total
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, balance_in_base, other
from ledgerbee.parties.contacts.model import Contact
from ledgerbee.parties.customers.model import Customer, CustomerType, VatZone
from ledgerbee.sales.delivery.model import DeliveryStatus, DeliveryType, Outcome
from ledgerbee.sales.documents.model import Computed, Tax
from ledgerbee.sales.documents.rules import sums_by
from ledgerbee.sales.documents.snapshot import Addressee, buyer, seller, vat_number_country
from ledgerbee.sales.invoices.model import (
    INVOICE_AMOUNT_NEGATIVE,
    INVOICE_BUYER_VAT_NUMBER_INVALID,
    INVOICE_BUYER_VAT_NUMBER_MISSING,
    INVOICE_INVALID_STATE,
    INVOICE_RECIPIENT_MISSING,
    INVOICE_SELLER_INCOMPLETE,
    SOURCE_TYPE,
    Invoice,
    InvoiceStatus,
    SendWarning,
)
from ledgerbee.tenancy.company.model import Company

#: Booked and not settled: a payment may come, also before the mail has gone out.
PAYABLE: Final = frozenset(
    {InvoiceStatus.SCHEDULED, InvoiceStatus.SENDING, InvoiceStatus.SENT, InvoiceStatus.PARTIALLY_PAID}
)
#: Something was paid on it.
PAID_ON: Final = frozenset({InvoiceStatus.PAID, InvoiceStatus.PARTIALLY_PAID})
#: On the way to the customer.
_UNDERWAY: Final = frozenset({InvoiceStatus.SCHEDULED, InvoiceStatus.SENDING})
#: Which lines take what is left when amounts are converted one by one, the lowest first: the VAT, which the invoice
#: states in kroner too, and what is owed stay exact.
_RANKS: Final[Mapping[LineType, int]] = {LineType.ENTERED: 0, LineType.VAT: 1, LineType.CONTROL: 2}
#: VAT categories in which the buyer is named by its VAT number (VAT Directive, article 226 no. 4).
_BUYER_LIABLE: Final = frozenset({"AE", "K"})
#: VAT categories that a seller without a VAT number may use: exempt, outside the scope of VAT.
_WITHOUT_SELLERS_NUMBER: Final = frozenset({"E", "O"})
#: Kroner, VAT included, up to which an invoice may be a simplified one.
_SIMPLIFIED_UP_TO: Final = Decimal(3_000)
#: Characters of a journal entry's text at most.
_MAX_TEXT: Final = 10_000


def require_status(invoice: Invoice, allowed: Iterable[InvoiceStatus]) -> None:
    """Raises `INVOICE_INVALID_STATE` with the present status."""
    if invoice.status not in allowed:
        raise INVOICE_INVALID_STATE.in_state(invoice.status.value)


def status_when_sent(delivery_type: DeliveryType, amount: Decimal) -> InvoiceStatus:
    """Handed over by the sender it is sent at once; otherwise the worker has to deliver it.

    An `amount` of 0.00 is paid at once, also while its mail waits: payment outranks delivery (decisions "Documents").
    """
    if not amount:
        return InvoiceStatus.PAID
    return InvoiceStatus.SENT if delivery_type is DeliveryType.MANUAL else InvoiceStatus.SCHEDULED


def status_when_claimed(status: InvoiceStatus) -> InvoiceStatus:
    """A worker is delivering it; what was paid meanwhile stays paid."""
    return InvoiceStatus.SENDING if status in _UNDERWAY else status


def status_after_attempt(status: InvoiceStatus, outcome: Outcome) -> InvoiceStatus:
    """Delivered it is sent; a failed attempt leaves it scheduled. Payments and credits outrank delivery."""
    if status not in _UNDERWAY:
        return status
    return InvoiceStatus.SENT if outcome is Outcome.DELIVERED else InvoiceStatus.SCHEDULED


def status_when_settled(due: Decimal) -> InvoiceStatus:
    """After a payment that left `due` open."""
    return InvoiceStatus.PARTIALLY_PAID if due else InvoiceStatus.PAID


def status_when_reopened(invoice: Invoice, paid: Decimal, delivery: DeliveryStatus | None) -> InvoiceStatus:
    """After a payment was taken back that leaves `paid`: without any, where its (latest) delivery has left it."""
    if paid:
        return InvoiceStatus.PARTIALLY_PAID
    if invoice.sent_at is not None:
        return InvoiceStatus.SENT
    return InvoiceStatus.SENDING if delivery is DeliveryStatus.SENDING else InvoiceStatus.SCHEDULED


def recipient(override: str | None, contacts: Iterable[Contact | None], customer: Customer) -> str:
    """The address of a mail: the override, else the first contact with one, else the customer's own.

    Raises `INVOICE_RECIPIENT_MISSING`.
    """
    addresses = [override, *(contact.email for contact in contacts if contact), customer.email]
    found = next((address for address in addresses if address), None)
    if found is None:
        raise INVOICE_RECIPIENT_MISSING.error(customerId=str(customer.id))
    return found


def check_sendable(computed: Computed, customer: Customer, currency: str, seller_country: str) -> None:
    """Refuse what can't be booked as an invoice: a negative total, a reverse charge without a liable buyer.

    In the zone `eu` a buyer is liable with a VAT number of an EU country that isn't the seller's (momslovens § 34,
    stk. 1, nr. 1; VAT Directive, articles 138 and 196). A company from outside the EU may have one.

    Raises `INVOICE_AMOUNT_NEGATIVE`, `INVOICE_BUYER_VAT_NUMBER_MISSING`, `INVOICE_BUYER_VAT_NUMBER_INVALID`.
    """
    if computed.totals.amount < 0:
        raise INVOICE_AMOUNT_NEGATIVE.error(amount=format_amount(computed.totals.amount, currency))
    liable = [row.category for row in computed.totals.rows if row.category in _BUYER_LIABLE]
    if not liable:
        return
    if not customer.vat_number:
        raise INVOICE_BUYER_VAT_NUMBER_MISSING.error(customerId=str(customer.id), vatCategory=liable[0])
    country = vat_number_country(customer.vat_number, customer.country_code)
    if customer.vat_zone is VatZone.EU and (country not in EU_COUNTRIES or country == seller_country):
        raise INVOICE_BUYER_VAT_NUMBER_INVALID.error(
            customerId=str(customer.id), vatCategory=liable[0], vatNumberCountry=country
        )


def check_seller(company: Company, taxes: Iterable[Tax]) -> None:
    """Refuse an invoice that doesn't state its seller (momsbekendtgørelsen § 58(1) nos. 3 and 4; VAT Directive, article
    226 nos. 3 and 5): name and address, and the VAT number unless all that is sold is exempt, outside the scope of VAT
    or without a VAT code.

    Raises `INVOICE_SELLER_INCOMPLETE` with what is missing, as `PATCH /v1/company` calls it.
    """
    missing = _missing_address(seller(company))
    is_taxable = any(tax.vat_code_id is not None and tax.category not in _WITHOUT_SELLERS_NUMBER for tax in taxes)
    if is_taxable and not company.vat_number:
        missing.append("vatNumber")
    if missing:
        raise INVOICE_SELLER_INCOMPLETE.error(missing=missing)


def warnings(invoice: Invoice, computed: Computed, addressee: Addressee, company: Company) -> tuple[SendWarning, ...]:
    """What whoever sent a booked invoice should look at."""
    return (*_doubtful_zone(addressee.customer), *_incomplete_buyer(invoice, computed, addressee, company))


def _doubtful_zone(customer: Customer) -> tuple[SendWarning, ...]:
    """An export to a country of the EU: there it would be a supply with VAT, or to a business with a VAT number."""
    if customer.vat_zone is not VatZone.ABROAD or customer.country_code not in EU_COUNTRIES:
        return ()
    text = "The invoice has no VAT as an export (vatZone abroad), but its buyer is in the EU"
    return (SendWarning("INVOICE_VAT_ZONE_DOUBTFUL", text, {"countryCode": customer.country_code}),)


def _incomplete_buyer(
    invoice: Invoice, computed: Computed, addressee: Addressee, company: Company
) -> tuple[SendWarning, ...]:
    """A buyer without an address.

    Momsbekendtgørelsen § 58(1) no. 4 (VAT Directive, article 226 no. 5) wants the buyer's on invoices to businesses and
    the public. Simplified invoices, in Denmark of up to 3,000.00 kroner with VAT, need no buyer, unless it is the buyer
    who accounts for the VAT.
    """
    if addressee.customer.customer_type is CustomerType.PRIVATE:
        return ()
    in_kroner = invoice.base_amount if company.base_currency == "DKK" else None
    is_small = company.country_code == "DK" and in_kroner is not None and in_kroner <= _SIMPLIFIED_UP_TO
    if is_small and not any(row.category in _BUYER_LIABLE for row in computed.totals.rows):
        return ()
    missing = _missing_address(buyer(addressee))
    if not missing:
        return ()
    text = "The invoice states no full address of its buyer, who may need one to deduct the VAT"
    return (SendWarning("INVOICE_BUYER_INCOMPLETE", text, {"missing": missing}),)


def _missing_address(party: Mapping[str, Any]) -> list[str]:
    """What is missing of the address of a seller or buyer (`snapshot`). Outside the EU not every country has postal
    codes."""
    wanted = ("address", "postalCode", "city") if party["countryCode"] in EU_COUNTRIES else ("address", "city")
    return [name for name in wanted if not party[name]]


def journal_entry(
    invoice: Invoice,
    computed: Computed,
    *,
    entry_id: UUID,
    number: str,
    text: str,
    receivable_account_id: UUID,
    exchange_rate: Decimal,
    base_currency: str,
) -> EntryToPost:
    """The entry of an invoice: receivable against revenue by account and VAT code, and VAT by code.

    `text` is its description: a transaction has one (BEK 97, annex 1.1). Negative sums stand on the other side. In a
    foreign currency receivable and VAT are each amount x rate; revenue takes what is left to the last unit.
    """
    conversion = Conversion(invoice.currency, base_currency, exchange_rate)
    drafted = [
        _line(conversion, receivable_account_id, computed.totals.amount, Side.DEBIT, LineType.CONTROL),
        *_revenue_and_vat(computed, conversion),
    ]
    return EntryToPost(
        id=entry_id,
        entry_type=EntryType.CUSTOMER_INVOICE,
        date=invoice.issue_date,
        currency=invoice.currency,
        exchange_rate=exchange_rate,
        lines=balance_in_base(drafted, [_RANKS[line.line_type] for line in drafted], conversion),
        original_amount=computed.totals.amount,
        description=text,
        reference=number,
        customer_id=invoice.customer_id,
        source_type=SOURCE_TYPE,
        source_id=invoice.id,
    )


def entry_text(invoice: Invoice, number: str, customer_name: str, language: str) -> str:
    """What the journal says of the invoice: its own description, if any, then what it is and for whom."""
    title = f"{'Faktura' if language == 'da' else 'Invoice'} {number}, {customer_name}"
    if not invoice.description:
        return title
    return f"{invoice.description[: _MAX_TEXT - len(title) - 2]}, {title}"


def vat_in_base(entry: EntryToPost) -> Decimal | None:
    """The VAT of an invoice's entry in the base currency, as booked: credits less debits; None if it charges none.

    Article 230 of the VAT Directive wants the VAT payable in the national currency. An invoice under reverse charge or
    of an export has none, and states no amount.
    """
    vat = [line for line in entry.lines if line.line_type is LineType.VAT and line.amount]
    if not vat:
        return None
    return total([line.base_amount if line.side is Side.CREDIT else -line.base_amount for line in vat])


def _revenue_and_vat(computed: Computed, conversion: Conversion) -> list[LineToPost]:
    taxed = [
        (computed.taxes[line.price_id], line.net, line.vat)
        for line in computed.lines
        if line.price_id is not None and line.net is not None and line.vat is not None
    ]
    revenue = sums_by(((tax.account_id, tax.vat_code_id, tax.rate), net) for tax, net, _ in taxed)
    charged = sums_by(
        ((tax.vat_account_id, tax.vat_code_id, tax.rate), vat)
        for tax, _, vat in taxed
        if tax.vat_account_id is not None
    )
    return [
        *(
            _line(conversion, account_id, net, Side.CREDIT, LineType.ENTERED, code_id, rate)
            for (account_id, code_id, rate), net in revenue.items()
        ),
        *(
            _line(conversion, account_id, vat, Side.CREDIT, LineType.VAT, code_id, rate)
            for (account_id, code_id, rate), vat in charged.items()
        ),
    ]


def _line(
    conversion: Conversion,
    account_id: UUID,
    amount: Decimal,
    side: Side,
    line_type: LineType,
    vat_code_id: UUID | None = None,
    vat_rate: Decimal | None = None,
) -> LineToPost:
    return LineToPost(
        account_id=account_id,
        side=side if amount >= 0 else other(side),
        amount=abs(amount),
        base_amount=conversion.in_base(abs(amount)),
        line_type=line_type,
        vat_code_id=vat_code_id,
        vat_rate=vat_rate if vat_code_id else None,
    )
