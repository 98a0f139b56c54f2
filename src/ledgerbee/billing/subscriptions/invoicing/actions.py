"""Turning bills into invoices and credit notes that are booked and handed over, in the transaction of the billing."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.billing.charges.model import BookedAs, Charge
from ledgerbee.billing.subscriptions.invoicing import rules, store
from ledgerbee.billing.subscriptions.invoicing.model import (
    AdvancedChain,
    CreditPart,
    Invoiced,
    InvoicePlan,
    InvoiceShare,
    PayersRefusedError,
    PlannedInvoice,
    Refund,
)
from ledgerbee.billing.subscriptions.invoicing.store import InvoiceRef
from ledgerbee.billing.subscriptions.model import RefundBehavior
from ledgerbee.billing.subscriptions.store.chains import LoadedChain
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.money import EXACT, ONE, ZERO, total
from ledgerbee.payments.charges import actions as card_charges
from ledgerbee.payments.charges.model import PAYMENT_METHOD_AMBIGUOUS, PAYMENT_METHOD_MISSING
from ledgerbee.platform.context import Context
from ledgerbee.sales.credit_notes import actions as credit_notes
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.credit_notes.model import (
    CREDIT_NOTE_EXCEEDS_INVOICE,
    CREDIT_NOTE_RECIPIENT_MISSING,
    CreditedLine,
    FullCreditNote,
    InvoiceCreditFields,
)
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import DocumentLineType
from ledgerbee.sales.documents.printing import Trials, UntriedDocumentsError
from ledgerbee.sales.documents.rules import sums_by
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices.actions import NewInvoice, PreparedInvoice
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, InvoiceFields
from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.sales.sending.model import SendCommand, SendOptions

#: Why a refund of the last invoice gives nothing back.
NO_PAID_INVOICE: Final = "no_paid_invoice"
NOTHING_LEFT: Final = "nothing_left"
#: Of an invoice that is credited already, or written off.
_NOTHING_LEFT: Final = frozenset({CREDIT_NOTE_EXCEEDS_INVOICE, INVOICE_INVALID_STATE})
#: It stands on an invoice, against what that charges.
NETTED: Final = "on_invoice"


async def invoice(context: Context, advanced_chains: Sequence[AdvancedChain], trials: Trials) -> list[Invoiced]:
    """Book what chains are to be billed, and say where each charge stands; in the order of the chains.

    All invoices are decided before the first is written, and all documents that have to be tried are found by one
    attempt or, since the notes come after the invoices, by two. Raises `PayersRefusedError` with the subscriptions of
    payers for whom no invoice can be made, `UntriedDocumentsError`, and what the ledger refuses.
    """
    charges = {charge.id: charge for _, advanced in advanced_chains for charge in advanced.chain.charges}
    plan, ready = await _prepare(context, advanced_chains, charges, trials)
    planned = plan.invoices
    await invoices.issue(ready)
    for one, prepared in zip(planned, ready, strict=True):
        lines = rules.product_lines(prepared.decided.draft.full.lines)
        for placed, line in zip(one.shares, lines, strict=True):
            charge = charges[placed.share.charge.id]
            charges[charge.id] = replace(charge, invoice_id=one.id, invoice_line_id=line.id)
    for placed in plan.set_off:
        charge, billed = charges[placed.share.charge.id], charges[placed.share.set_off or placed.share.charge.id]
        charges[charge.id] = replace(charge, invoice_id=billed.invoice_id, invoice_line_id=billed.invoice_line_id)
    untried: list[PrintableDocument] = []
    noted, rows = await _credit(context, plan.on_notes, charges, trials, untried)
    of_chain: dict[UUID, list[UUID]] = {}
    for one in planned:
        for subscription_id in {placed.loaded.chain.subscription.id for placed in one.shares}:
            of_chain.setdefault(subscription_id, []).append(one.id)
    undeliverable = {one.id for one, outcome in zip(planned, ready, strict=True) if not outcome.is_deliverable}
    invoiced = [
        await _invoiced(
            context,
            (loaded, advanced),
            tuple(row for charge in advanced.charges for row in rows.get(charge.id, [charges[charge.id]])),
            of_chain.get(advanced.chain.subscription.id, ()),
            noted.get(advanced.chain.subscription.id, ()),
            undeliverable,
            trials,
            untried,
        )
        for loaded, advanced in advanced_chains
    ]
    if untried:
        raise UntriedDocumentsError(untried)
    uncharged = await _charge(context, planned, ready)
    return [
        replace(one, uncharged={id_: uncharged[id_].code for id_ in one.invoice_ids if id_ in uncharged})
        for one in invoiced
    ]


async def _charge(
    context: Context, planned: Sequence[PlannedInvoice], ready: Sequence[PreparedInvoice]
) -> dict[UUID, LedgerBeeError]:
    """Begin to charge the invoices of subscriptions that are billed automatically; those that can't be, with why."""
    issued = []
    missing: dict[UUID, LedgerBeeError] = {}
    for one, prepared in zip(planned, ready, strict=True):
        document = prepared.decided.booking.document
        if (method_id := rules.card_of(one)) is not None:
            issued.append((document, method_id))
        elif rules.is_automatic(one) and document.amount_due:
            code = PAYMENT_METHOD_MISSING if rules.are_paid_alike(one) else PAYMENT_METHOD_AMBIGUOUS
            missing[one.id] = code.error(customerId=str(one.payer_id))
    return missing | (await card_charges.start_issued(context, issued) if issued else {})


async def _prepare(
    context: Context, advanced_chains: Sequence[AdvancedChain], charges: Mapping[UUID, Charge], trials: Trials
) -> tuple[InvoicePlan, list[PreparedInvoice]]:
    """The invoices of chains with all there is to write of them.

    Where bills take something back of earlier ones, it is looked at first how that was booked, and how lines are today.
    Raises `PayersRefusedError`, `UntriedDocumentsError`.
    """
    plan = rules.plan_invoices(advanced_chains)
    set_off = {placed.share.charge.id: placed.share.set_off for placed in plan.set_off}
    credited = {
        charge_id: charges[_on_line(charge_id, set_off)] for charge_id in rules.credited_charges(advanced_chains)
    }
    if credited:
        today = await _booked_today(context, advanced_chains)
        line_ids = {one.invoice_line_id for one in credited.values() if one.invoice_line_id is not None}
        billed = await store.billed_as(context, line_ids)
        earlier = {
            charge_id: booked
            for charge_id, one in credited.items()
            if (
                booked := today.get(one.subscription_id, {}).get(one.price_id)
                if one.invoice_line_id is None
                else billed[one.invoice_line_id]
            )
            is not None
        }
        plan = rules.plan_invoices(advanced_chains, today, earlier)
    return plan, await _prepare_planned(context, advanced_chains, plan, trials)


async def _booked_today(context: Context, advanced_chains: Sequence[AdvancedChain]) -> dict[UUID, dict[UUID, BookedAs]]:
    """How the prices of bills that take something back are booked today, by subscription; those that can't be billed
    are left out."""
    asked = rules.prices_of_bills(advanced_chains)
    taxed = await invoices.taxed(context, [_new_invoice(context, one) for one in asked])
    known = [
        (one, outcome) for one, outcome in zip(asked, taxed, strict=True) if not isinstance(outcome, LedgerBeeError)
    ]
    return rules.booked_today([one for one, _ in known], [outcome for _, outcome in known])


def _on_line(charge_id: UUID, set_off: Mapping[UUID, UUID | None]) -> UUID:
    """The charge whose line a charge stands on: its own, unless it is set off."""
    while (earlier := set_off.get(charge_id)) is not None:
        charge_id = earlier
    return charge_id


async def _prepare_planned(
    context: Context, advanced_chains: Sequence[AdvancedChain], plan: InvoicePlan, trials: Trials
) -> list[PreparedInvoice]:
    """Raises `PayersRefusedError`, `UntriedDocumentsError`."""
    prepared = await invoices.prepare(context, [_new_invoice(context, one) for one in plan.invoices], trials)
    faults = {
        one.payer_id: outcome
        for one, outcome in zip(plan.invoices, prepared, strict=True)
        if isinstance(outcome, LedgerBeeError)
    }
    if faults:
        raise PayersRefusedError(
            {one.chain.subscription.id: faults[one.payer_id] for one, _ in advanced_chains if one.payer_id in faults}
        )
    return [one for one in prepared if isinstance(one, PreparedInvoice)]


async def _invoiced(
    context: Context,
    advanced_chain: AdvancedChain,
    charges: Sequence[Charge],
    invoice_ids: Sequence[UUID],
    notes: Sequence[FullCreditNote],
    undeliverable: Collection[UUID],
    trials: Trials,
    untried: list[PrintableDocument],
) -> Invoiced:
    """What was made of one chain's bills; the refund of its last invoice is made here."""
    loaded, advanced = advanced_chain
    refund = Refund(
        credit_note_ids=tuple(note.document.id for note in notes),
        amount=total([-note.document.subtotal for note in notes]),
    )
    if advanced.gives_up_first and (first_id := loaded.chain.subscription.first_invoice_id) is not None:
        refund = await _credit_in_full(context, await store.get_ref(context, first_id), None, trials, untried)
    elif advanced.refund_behavior is RefundBehavior.LAST_INVOICE:
        refund = await _refund_last(context, loaded, trials, untried)
    elif advanced.refund_behavior is RefundBehavior.PRORATED and not notes:
        is_netted = any(charge.is_credit and charge.net for charge in charges)
        refund = Refund(reason=NETTED if is_netted else NOTHING_LEFT)
    note_ids = dict.fromkeys([*(note.document.id for note in notes), *refund.credit_note_ids])
    return Invoiced(
        charges=charges,
        invoice_ids=tuple(invoice_ids),
        credit_note_ids=tuple(note_ids),
        refund=refund,
        is_deliverable=not any(invoice_id in undeliverable for invoice_id in invoice_ids),
    )


def _new_invoice(context: Context, planned: PlannedInvoice) -> NewInvoice:
    """The invoice of today; what names people of the subscription's customer only where that pays itself."""
    subscription = planned.shares[0].loaded.chain.subscription
    is_own = subscription.customer_id == planned.payer_id
    return NewInvoice(
        planned.id,
        InvoiceFields(
            customer_id=planned.payer_id,
            customer_department_id=subscription.customer_department_id if is_own else None,
            customer_contact_id=subscription.department_contact_override_id if is_own else None,
            issue_date=context.today,
            currency=planned.currency,
            lines=(),
        ),
        rules.lines_of(planned),
    )


async def _credit(
    context: Context,
    shares: Sequence[InvoiceShare],
    charges: dict[UUID, Charge],
    trials: Trials,
    untried: list[PrintableDocument],
) -> tuple[dict[UUID, list[FullCreditNote]], dict[UUID, list[Charge]]]:
    """Credit notes for what invoices had no room for, one for each invoice and subscription; by subscription, and the
    rows that each credit becomes, by its id."""
    invoice_ids = [one for placed in shares if (one := _credited(placed, charges).invoice_id) is not None]
    lefts = await store.lefts(context, invoice_ids) if invoice_ids else {}
    parts: dict[tuple[UUID, UUID], list[tuple[UUID, CreditPart]]] = {}
    chains: dict[UUID, LoadedChain] = {placed.loaded.chain.subscription.id: placed.loaded for placed in shares}
    for placed in shares:
        credited = _credited(placed, charges)
        assert credited.invoice_id is not None, "what is not invoiced is credited on its own invoice"
        assert credited.invoice_line_id is not None
        of_chain = placed.loaded.chain.subscription.id
        amount = EXACT.minus(placed.share.on_note)
        service, currency = charges[placed.share.charge.id].service, placed.loaded.chain.subscription.currency
        spread = rules.spread(amount, service, credited.invoice_id, credited.invoice_line_id, lefts, currency)
        for part in spread:
            parts.setdefault((part.invoice_id, of_chain), []).append((placed.share.charge.id, part))
    notes: dict[UUID, list[FullCreditNote]] = {}
    noted: dict[UUID, list[tuple[UUID, Decimal]]] = {}
    for (invoice_id, subscription_id), own in parts.items():
        ref = InvoiceRef(invoice_id, lefts[invoice_id].number, lefts[invoice_id].customer_id)
        reductions = [_reduction(part) for _, part in own]
        lines = (*_heading(ref, chains[subscription_id]), *reductions)
        try:
            note = await _issue_note(context, ref, lines, trials)
        except UntriedDocumentsError as fault:
            untried += fault.documents
            continue
        notes.setdefault(subscription_id, []).append(note)
        for charge_id, part in own:
            noted.setdefault(charge_id, []).append((note.document.id, part.amount))
    rows = {
        placed.share.charge.id: rules.credited_as(
            charges[placed.share.charge.id], placed.share, _by_note(noted.get(placed.share.charge.id, ()))
        )
        for placed in shares
    }
    return notes, rows


def _credited(placed: InvoiceShare, charges: Mapping[UUID, Charge]) -> Charge:
    charge = placed.share.charge
    return charges[charge.credits_charge_id or charge.id]


def _by_note(noted: Iterable[tuple[UUID, Decimal]]) -> list[tuple[UUID, Decimal]]:
    """The amounts by their notes."""
    return list(sums_by(noted).items())


def _heading(invoice_ref: InvoiceRef, loaded: LoadedChain) -> Iterator[CreditedLine]:
    """The text that names a child to who paid for it."""
    if invoice_ref.customer_id != loaded.chain.subscription.customer_id:
        yield CreditedLine(DocumentLineType.TEXT, description=rules.heading_of(loaded))


def _reduction(part: CreditPart) -> CreditedLine:
    """A credit of an amount of an invoice's line for some of its days, whatever its quantity; of a negative line it has
    a negative quantity."""
    return CreditedLine(
        DocumentLineType.PRODUCT,
        invoice_line_id=part.invoice_line_id,
        quantity=ONE if part.amount > 0 else -ONE,
        unit_price=abs(part.amount),
        discount_percent=ZERO,
        service_period=rules.service_period(part.service),
    )


async def _refund_last(
    context: Context, loaded: LoadedChain, trials: Trials, untried: list[PrintableDocument]
) -> Refund:
    """Credit the newest paid invoice in full; of one that others share only the subscription's lines."""
    subscription_id = loaded.chain.subscription.id
    found = await store.find_last_paid(context, subscription_id)
    if found is None:
        return Refund(reason=NO_PAID_INVOICE)
    line_ids = await store.lines_of(context, subscription_id, found.id)
    if line_ids is not None and not line_ids:
        return Refund(reason=NOTHING_LEFT)
    given = (
        None
        if line_ids is None
        else (
            *_heading(found, loaded),
            *(CreditedLine(DocumentLineType.PRODUCT, invoice_line_id=line_id) for line_id in line_ids),
        )
    )
    return await _credit_in_full(context, found, given, trials, untried)


async def _credit_in_full(
    context: Context,
    invoice_ref: InvoiceRef,
    lines: tuple[CreditedLine, ...] | None,
    trials: Trials,
    untried: list[PrintableDocument],
) -> Refund:
    """Credit all that is left of lines of an invoice, or of all of it."""
    try:
        note = await _issue_note(context, invoice_ref, lines, trials)
    except UntriedDocumentsError as fault:
        untried += fault.documents
        return Refund()
    except LedgerBeeError as fault:
        if fault.error_code not in _NOTHING_LEFT:
            raise
        return Refund(reason=NOTHING_LEFT)
    return Refund(credit_note_ids=(note.document.id,), amount=EXACT.minus(note.document.subtotal))


async def _issue_note(
    context: Context, invoice_ref: InvoiceRef, lines: tuple[CreditedLine, ...] | None, trials: Trials
) -> FullCreditNote:
    """Make a credit note on an invoice and send it: by mail where there is an address. Emits
    `billing.credit_note_sent`."""
    note = await credit_notes.create_on_invoice(
        context,
        InvoiceCreditFields(
            customer_id=invoice_ref.customer_id,
            invoice_number=invoice_ref.number,
            issue_date=context.today,
            lines=lines,
        ),
    )
    for way in (DeliveryType.EMAIL, DeliveryType.MANUAL):
        try:
            await credit_notes.send(context, SendCommand(note.document.id, SendOptions(way), trials))
            break
        except LedgerBeeError as fault:
            if fault.error_code is not CREDIT_NOTE_RECIPIENT_MISSING:
                raise
    sent = await documents.get_full(context, CREDIT_NOTES, note.document.id)
    context.emit("billing.credit_note_sent", note.document.id, await CREDIT_NOTES.event_form(sent))
    return sent
