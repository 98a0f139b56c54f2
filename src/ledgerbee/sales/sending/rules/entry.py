"""The journal entry of a document that is booked: receivable, revenue and VAT. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from ledgerbee.core.money import EXACT, ONE, ZERO, multiply, total
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, balance_in_base, other
from ledgerbee.sales.deferrals.model import NOTHING_DEFERRED, Deferred
from ledgerbee.sales.documents.model import BookedDocument, Computed, DocumentKind, Tax
from ledgerbee.sales.documents.rules import sums_by

#: Which lines take what is left when amounts are converted one by one, the lowest first: the VAT, which the document
#: states in kroner too, and what is owed stay exact.
_RANKS: Final[Mapping[LineType, int]] = {LineType.ENTERED: 0, LineType.VAT: 1, LineType.CONTROL: 2}
#: What was booked before is taken out as it was.
_CARRIED_RANK: Final = 3
#: Characters of a journal entry's text at most.
_MAX_TEXT: Final = 10_000


def journal_entry(
    kind: DocumentKind,
    booked: BookedDocument,
    lines: Sequence[LineToPost],
    journal_category_id: UUID | None = None,
) -> EntryToPost:
    """The entry of a booked document, whose lines are `entry_lines`. Its texts come with the number."""
    assert booked.journal_entry_id is not None
    assert booked.exchange_rate is not None
    return EntryToPost(
        id=booked.journal_entry_id,
        entry_type=EntryType.CUSTOMER_INVOICE,
        date=booked.issue_date,
        currency=booked.currency,
        exchange_rate=booked.exchange_rate,
        lines=tuple(lines),
        original_amount=booked.amount,
        customer_id=booked.customer_id,
        journal_category_id=journal_category_id,
        source_type=kind.value,
        source_id=booked.id,
    )


def entry_lines(
    computed: Computed,
    conversion: Conversion,
    receivable_account_id: UUID,
    deferred: Mapping[UUID, Deferred] = NOTHING_DEFERRED,
) -> tuple[LineToPost, ...]:
    """The lines of a document's entry: receivable (first) against revenue by account and VAT code, and VAT by code.

    Negative sums stand on the other side. In a foreign currency receivable and VAT are each amount x rate; revenue
    takes what is left to the last unit. What was booked before (`Tax.carried`) is taken out at that amount; the
    difference is a gain or a loss by exchange rates.

    What of lines is `deferred`, by their ids, stands on its account with the VAT code of the sale, which it is the base
    of (momslovens § 23: the VAT is due with the invoice); what is below zero apart from what is above.
    """
    drafted = [
        _line(conversion, receivable_account_id, computed.totals.amount, Side.DEBIT, LineType.CONTROL),
        *_revenue_and_vat(computed, conversion, deferred),
    ]
    carried = _carried(computed, conversion)
    ranks = [*(_RANKS[line.line_type] for line in drafted), *(_CARRIED_RANK for _ in carried)]
    return balance_in_base([*drafted, *carried], ranks, conversion)


def entry_text(title: str, description: str | None) -> str:
    """What the journal says of a document: its own description, if any, then the title: what it is and for whom.

    A transaction has a text (BEK 97, annex 1.1).
    """
    if not description:
        return title
    return f"{description[: _MAX_TEXT - len(title) - 2]}, {title}"


def vat_in_base(lines: Iterable[LineToPost]) -> Decimal | None:
    """The VAT of an entry's lines in the base currency, as booked: credits less debits; None if it charges none.

    Article 230 of the VAT Directive wants the VAT payable in the national currency. A document under reverse charge or
    of an export has none, and states no amount.
    """
    vat = [line for line in lines if line.line_type is LineType.VAT and line.amount]
    if not vat:
        return None
    return total([line.base_amount if line.side is Side.CREDIT else -line.base_amount for line in vat])


def _taxed(computed: Computed) -> list[tuple[UUID, Tax, Decimal, Decimal]]:
    """Each product line's id and how it is taxed, with its net and VAT."""
    return [
        (line.id, computed.taxes[line.tax_key], line.net, line.vat)
        for line in computed.lines
        if line.tax_key is not None and line.net is not None and line.vat is not None
    ]


def _carried(computed: Computed, conversion: Conversion) -> list[LineToPost]:
    """What was booked before, as it was, and for each account what the rate of the day makes the difference."""
    found = [(tax, tax.carried, net) for _, tax, net, _ in _taxed(computed) if tax.carried is not None]
    lines = [
        replace(
            _line(conversion, tax.account_id, net, Side.CREDIT, LineType.ENTERED, tax.vat_code_id, tax.rate),
            base_amount=carried.base_net,
        )
        for tax, carried, net in found
    ]
    # What credits would have been at the rate of the day less what they are: positive is more in credit.
    differences = [
        (carried, multiply(ONE if net > 0 else -ONE, EXACT.subtract(conversion.in_base(abs(net)), carried.base_net)))
        for _, carried, net in found
    ]
    sums = sums_by(((it.gain_account_id, it.loss_account_id), difference) for it, difference in differences)
    return lines + [
        LineToPost(gain, Side.CREDIT, ZERO, base_amount=difference)
        if difference > 0
        else LineToPost(loss, Side.DEBIT, ZERO, base_amount=-difference)
        for (gain, loss), difference in sums.items()
        if difference
    ]


def _revenue_and_vat(computed: Computed, conversion: Conversion, deferred: Mapping[UUID, Deferred]) -> list[LineToPost]:
    taxed = _taxed(computed)
    revenue = sums_by(_earned(taxed, deferred))
    later = sums_by(
        (
            (deferred[line_id].account_id, tax.vat_code_id, tax.rate, deferred[line_id].amount > 0),
            deferred[line_id].amount,
        )
        for line_id, tax, _, _ in taxed
        if line_id in deferred
    )
    charged = sums_by(
        ((tax.vat_account_id, tax.vat_code_id, tax.rate), vat)
        for _, tax, _, vat in taxed
        if tax.vat_account_id is not None
    )
    return [
        *(
            _line(conversion, account_id, net, Side.CREDIT, LineType.ENTERED, code_id, rate)
            for (account_id, code_id, rate), net in revenue.items()
        ),
        *(
            _line(conversion, account_id, net, Side.CREDIT, LineType.ENTERED, code_id, rate)
            for (account_id, code_id, rate, _), net in later.items()
        ),
        *(
            _line(conversion, account_id, vat, Side.CREDIT, LineType.VAT, code_id, rate)
            for (account_id, code_id, rate), vat in charged.items()
        ),
    ]


def _earned(
    taxed: Iterable[tuple[UUID, Tax, Decimal, Decimal]], deferred: Mapping[UUID, Deferred]
) -> Iterator[tuple[tuple[UUID, UUID | None, Decimal], Decimal]]:
    """What of each sale is booked to revenue; of one that is deferred as a whole nothing is."""
    for line_id, tax, net, _ in taxed:
        part = deferred.get(line_id)
        rest = net if part is None else EXACT.subtract(net, part.amount)
        if tax.carried is None and (part is None or rest):
            yield (tax.account_id, tax.vat_code_id, tax.rate), rest


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
