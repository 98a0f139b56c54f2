"""Pure rules of payments: what one may be, and what booking it writes."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND, Account, LedgerType
from ledgerbee.core.errors import check_all, invalid
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, ZERO, format_amount, multiply, round_money
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, other
from ledgerbee.payments.customer_payments.model import (
    BANK,
    FX_GAIN,
    FX_LOSS,
    PAYMENT_ACCOUNT_INVALID,
    PAYMENT_ACCOUNT_MISSING,
    PAYMENT_ALREADY_REVERSED,
    PAYMENT_CREDIT_USED,
    PAYMENT_CURRENCY_MISMATCH,
    PAYMENT_EXCEEDS_INVOICE,
    PAYMENT_IS_CHARGE,
    SOURCE_TYPE,
    Payment,
    PaymentBooking,
    PaymentFields,
    PaymentId,
    PaymentSources,
    UsedExcess,
)
from ledgerbee.sales.documents.rules import check_date, check_precision
from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.sales.invoices.rules import PAYABLE, require_status, settle
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING


def book(given: PaymentFields, invoice: Invoice, found: PaymentSources, today: date, now: datetime) -> PaymentBooking:
    """All there is to write of a payment on an invoice, or the first refusal, in this order:

    | refused | why |
    | --- | --- |
    | `INVOICE_INVALID_STATE` | the invoice is a draft, or nothing is due on it |
    | validation errors, `PAYMENT_CURRENCY_MISMATCH` | date, amount, currency or rate can't be of the invoice |
    | `PAYMENT_EXCEEDS_INVOICE` | there is no credit balance |
    | `ACCOUNT_NOT_FOUND`, `PAYMENT_ACCOUNT_MISSING` | the named account, or one with the role BANK, isn't there |
    | `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID` | money doesn't come in there |
    | `EXCHANGE_RATE_MISSING` | no rate of the day leads to the company's currency |
    | `PAYMENT_ACCOUNT_MISSING` | an exchange difference has no account to stand on |
    """
    require_status(invoice, PAYABLE)
    check_payment(given, invoice, found.base_currency, today)
    account = _account(given, found)
    check_account(account)
    rate = given.exchange_rate or _rate(given, invoice, found)
    payment = Payment(
        id=PaymentId(new_id()),
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        paid_on=given.paid_on,
        amount=given.amount,
        currency=invoice.currency,
        exchange_rate=rate,
        base_amount=round_money(multiply(given.amount, rate), found.base_currency),
        base_settled=base_settled(invoice, given.amount, found.settled, found.base_currency),
        account_id=account.id,
        reference=given.reference,
        journal_entry_id=new_id(),
        created_at=now,
    )
    text = entry_text(invoice, found.customer_name, found.language)
    entry = journal_entry(payment, invoice, text=text, accounts=found.accounts_by_role)
    entry = replace(entry, journal_category_id=found.journal_category_id)
    return PaymentBooking(payment, entry, settle(invoice, given.amount, now))


def _account(given: PaymentFields, found: PaymentSources) -> Account:
    if given.account_id is None:
        return role_account(found.accounts_by_role, BANK)
    if found.account is None:
        raise ACCOUNT_NOT_FOUND.missing("accountId", "accountId", given.account_id)
    return found.account


def _rate(given: PaymentFields, invoice: Invoice, found: PaymentSources) -> Decimal:
    if found.rate is None:
        raise EXCHANGE_RATE_MISSING.error(
            currency=invoice.currency, baseCurrency=found.base_currency, date=given.paid_on.isoformat()
        )
    return found.rate.value


def check_payment(given: PaymentFields, invoice: Invoice, base_currency: str, today: date) -> None:
    """Refuse a payment that doesn't fit its invoice.

    Raises validation errors, `PAYMENT_CURRENCY_MISMATCH`, `PAYMENT_EXCEEDS_INVOICE`.
    """
    check_all(
        lambda: check_date(given.paid_on, today),
        lambda: _check_currency(given, invoice),
        lambda: check_precision(given.amount, invoice.currency, "amount"),
        lambda: _check_rate(given, invoice, base_currency),
    )
    if given.amount > invoice.amount_due:
        raise PAYMENT_EXCEEDS_INVOICE.error(
            amount=format_amount(given.amount, invoice.currency),
            amountDue=format_amount(invoice.amount_due, invoice.currency),
        )


def _check_currency(given: PaymentFields, invoice: Invoice) -> None:
    if given.currency not in {None, invoice.currency}:
        raise PAYMENT_CURRENCY_MISMATCH.error(currency=given.currency, invoiceCurrency=invoice.currency)


def _check_rate(given: PaymentFields, invoice: Invoice, base_currency: str) -> None:
    if invoice.currency == base_currency and given.exchange_rate not in {None, ONE}:
        raise invalid(("exchangeRate", "isIn", "exchangeRate must be 1 in the company's own currency"))


def check_account(account: Account) -> None:
    """Raises `ACCOUNT_NOT_BOOKABLE`, `PAYMENT_ACCOUNT_INVALID`."""
    if not account.is_bookable:
        raise ACCOUNT_NOT_BOOKABLE.error(accountId=str(account.id))
    if account.ledger_type is not LedgerType.BALANCE_SHEET or account.control_account_type is not None:
        raise PAYMENT_ACCOUNT_INVALID.error(accountId=str(account.id))


def base_settled(invoice: Invoice, amount: Decimal, settled: Decimal, base_currency: str) -> Decimal:
    """What a payment of `amount` takes off the receivable in the base currency, at the invoice's rate.

    So does used credit of `amount`. `settled` is what payments (without those taken back), credit notes and used credit
    so far took off it. What is settled in all follows the share of the booked amount that is paid or credited, so
    whatever the parts, and whichever of them are taken back, they sum to it exactly and the last one leaves nothing.
    Never negative: where parts that were rounded up are left, it is zero.
    """
    booked = invoice.base_amount or ZERO
    closed = EXACT.add(invoice.settled_amount, amount)
    share = booked
    if closed != invoice.amount:
        share = round_money(EXACT.divide(multiply(booked, closed), invoice.amount), base_currency)
    return max(EXACT.subtract(share, settled), ZERO)


def check_reversible(payment: Payment, charge_id: UUID | None) -> None:
    """A payment is taken back once, and none that a card was charged for (`charge_id`): the provider has that money.

    Raises `PAYMENT_ALREADY_REVERSED`, `PAYMENT_IS_CHARGE`.
    """
    if payment.reversal_entry_id is not None:
        raise PAYMENT_ALREADY_REVERSED.error(reversalEntryId=str(payment.reversal_entry_id))
    if charge_id is not None:
        raise PAYMENT_IS_CHARGE.error(chargeId=str(charge_id))


def check_excess_unused(before: Invoice, opened: Invoice, used: UsedExcess, to_refund: Decimal) -> None:
    """Refuse to leave an invoice less credit than is `used` of it elsewhere; `opened` is as it would be.

    Where some is used, the invoice can't open, and refunds under way need what they take of the rest that it has
    `before`, at most `to_refund`. Where none is, they open it. Raises `PAYMENT_CREDIT_USED`.
    """
    needed = used.amount
    if used.amount:
        needed = min(EXACT.add(used.amount, to_refund), max(before.excess, used.amount))
    if needed > opened.excess:
        raise PAYMENT_CREDIT_USED.error(
            creditUsed=format_amount(used.amount, opened.currency),
            creditLeft=format_amount(opened.excess, opened.currency),
        )


def difference_when_reopened(opened: Invoice, settled: Decimal, used: UsedExcess, conversion: Conversion) -> Decimal:
    """What a payment that is taken back leaves on the receivable of `opened`, its invoice as it is then, and is none of
    it: in debit (+) or credit (-), in the company's currency.

    `settled` is what the others took off the receivable, which were rounded with that payment among them. When nothing
    is due, what is booked is what is left of a credit of the customer's, at the invoice's rate; without one, nothing.
    While something is due it is never in credit.
    """
    booked = opened.base_amount or ZERO
    if opened.amount_due:
        return min(EXACT.subtract(booked, settled), ZERO)
    credit = used.base_amount
    if used.amount < opened.excess:
        credit = max(credit, conversion.in_base(opened.excess))
    return EXACT.subtract(EXACT.add(booked, credit), settled)


def lines_of_difference(difference: Decimal, invoice: Invoice, accounts: Mapping[str, Account]) -> list[LineToPost]:
    """What takes such a difference off the receivable: an exchange gain or loss.

    Raises `PAYMENT_ACCOUNT_MISSING` when it has no account to stand on.
    """
    if not difference:
        return []
    assert invoice.receivable_account_id is not None
    role, side = (FX_LOSS, Side.CREDIT) if difference > 0 else (FX_GAIN, Side.DEBIT)
    base_amount = abs(difference)
    return [
        LineToPost(invoice.receivable_account_id, side, ZERO, line_type=LineType.CONTROL, base_amount=base_amount),
        LineToPost(role_account(accounts, role).id, other(side), ZERO, base_amount=base_amount),
    ]


def journal_entry(payment: Payment, invoice: Invoice, *, text: str, accounts: Mapping[str, Account]) -> EntryToPost:
    """The entry of a payment: bank against receivable; a difference of rates is a gain or a loss.

    `accounts` by role; `text` is the entry's description. Raises `PAYMENT_ACCOUNT_MISSING` when a difference has no
    account to stand on.
    """
    assert invoice.receivable_account_id is not None
    lines = [
        LineToPost(payment.account_id, Side.DEBIT, payment.amount, base_amount=payment.base_amount),
        LineToPost(
            invoice.receivable_account_id,
            Side.CREDIT,
            payment.amount,
            line_type=LineType.CONTROL,
            base_amount=payment.base_settled,
        ),
    ]
    difference = payment.exchange_difference
    if difference > 0:
        lines.append(LineToPost(role_account(accounts, FX_GAIN).id, Side.CREDIT, ZERO, base_amount=difference))
    elif difference < 0:
        lines.append(LineToPost(role_account(accounts, FX_LOSS).id, Side.DEBIT, ZERO, base_amount=-difference))
    return EntryToPost(
        id=payment.journal_entry_id,
        entry_type=EntryType.CUSTOMER_PAYMENT,
        date=payment.paid_on,
        currency=payment.currency,
        exchange_rate=payment.exchange_rate,
        lines=tuple(lines),
        original_amount=payment.amount,
        description=text,
        reference=payment.reference or invoice.number,
        customer_id=payment.customer_id,
        source_type=SOURCE_TYPE,
        source_id=payment.id,
    )


def entry_text(invoice: Invoice, customer_name: str, language: str) -> str:
    """What the journal says of a payment: what it pays, and whose it is."""
    return f"{'Betaling af faktura' if language == 'da' else 'Payment of invoice'} {invoice.number}, {customer_name}"


def role_account(accounts: Mapping[str, Account], role: str) -> Account:
    """The account with a role. Raises `PAYMENT_ACCOUNT_MISSING`."""
    account = accounts.get(role)
    if account is None:
        raise PAYMENT_ACCOUNT_MISSING.error(role=role)
    return account
