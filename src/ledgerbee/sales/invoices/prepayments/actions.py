"""What drafts of invoices have of prepayments: where those are booked, and what the final invoice deducts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.model import Computed, Line, Sources, Tax
from ledgerbee.sales.documents.rules import buyer_language, compute, tax_of_code
from ledgerbee.sales.invoices.model import Invoice, InvoiceFields
from ledgerbee.sales.invoices.prepayments import store
from ledgerbee.sales.invoices.rules import prepayments as rules


async def complete(
    context: Context,
    given: InvoiceFields,
    draft_id: UUID | None,
    currency: str,
    sources: Sources,
    computed: Computed,
    before: Sequence[Line],
) -> Computed:
    """A draft booked to prepayments, or with what it deducts of prepayment invoices, which are locked.

    Raises `INVOICE_PREPAYMENT_ACCOUNT_MISSING`, `INVOICE_NOT_FOUND`, what `rules.check_deductible` raises.
    """
    if given.is_prepayment:
        account = rules.prepayments_account(await accounts.get_by_role(context))
        return compute(computed.lines, rules.booked_on(account.id, computed.taxes), currency)
    if not given.prepayment_invoice_ids:
        return computed
    found = await store.get_for_update(context, given.prepayment_invoice_ids)
    for it in found:
        rules.check_deductible(it, given.customer_id, currency, given.issue_date, draft_id)
    customer = sources.facts.customer
    added = rules.deductions(found, buyer_language(customer.language, customer.country_code), before)
    return compute(rules.with_lines(computed, added), {**computed.taxes, **await _taxes(context, added)}, currency)


async def own_taxes(
    context: Context, draft: Invoice, lines: Sequence[Line], taxes: Mapping[UUID, Tax]
) -> Mapping[UUID, Tax]:
    """How the lines of a draft are taxed, by `tax_key`; `taxes` are by price.

    Raises `INVOICE_PREPAYMENT_ACCOUNT_MISSING`.
    """
    if draft.is_prepayment:
        return rules.booked_on(rules.prepayments_account(await accounts.get_by_role(context)).id, taxes)
    added = [line for line in lines if line.is_added]
    return {**taxes, **await _taxes(context, added)} if added else taxes


def deducted_by(lines: Sequence[Line]) -> tuple[UUID, ...]:
    """The prepayment invoices that lines deduct."""
    ids: tuple[UUID, ...] = rules.given_by_added([line for line in lines if line.is_added])["prepayment_invoice_ids"]
    return ids


async def check_still_deductible(context: Context, draft: Invoice, lines: Sequence[Line]) -> None:
    """Refuse to send what deducts an invoice that was given up since it was drafted. Locks what is deducted.

    Raises `INVOICE_PREPAYMENT_UNUSABLE`.
    """
    ids = deducted_by(lines)
    for it in await store.get_for_update(context, ids) if ids else ():
        rules.check_deductible(it, draft.customer_id, draft.currency, draft.issue_date, draft.id)


async def check_given_back(context: Context, lines: Iterable[Line], credited: Collection[UUID]) -> None:
    """Refuse to credit those `lines` of an invoice that deduct what was written off. Locks what they deduct.

    Raises `INVOICE_INVALID_STATE`.
    """
    ids = deducted_by([line for line in lines if line.id in credited])
    for it in await store.get_for_update(context, ids) if ids else ():
        rules.check_given_back(it.invoice)


async def _taxes(context: Context, added: Sequence[Line]) -> dict[UUID, Tax]:
    codes = await vat_codes.get_many(context, [line.vat_code_id for line in added if line.vat_code_id is not None])
    taxes = {line.id: tax_of_code(line, codes.get(line.vat_code_id) if line.vat_code_id else None) for line in added}
    return await with_carried(context, added, taxes)


async def with_carried(context: Context, lines: Sequence[Line], taxes: Mapping[UUID, Tax]) -> dict[UUID, Tax]:
    """The taxes, by `tax_key`, those of deductions with what the prepayments were booked at.

    Raises `INVOICE_PREPAYMENT_ACCOUNT_MISSING` where an exchange difference would have no account to stand on.
    """
    if not (ids := deducted_by(lines)):
        return dict(taxes)
    booked = await store.booked_of(context, ids)
    return rules.carrying(lines, taxes, booked, await accounts.get_by_role(context))
