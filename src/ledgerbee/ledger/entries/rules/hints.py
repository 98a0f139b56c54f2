"""Why an entry may not balance: amounts without VAT where they contain it, or the other way round. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.chart.vat_codes.model import VatCode
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import EXACT, percent_of, round_money, total
from ledgerbee.ledger.entries.model import JOURNAL_ENTRY_UNBALANCED, EntryInput, Side
from ledgerbee.ledger.entries.rules.vat import contains_vat

_NET_WAS_MEANT: Final = (
    "The difference is the VAT of the lines with a VAT code, whose amounts are taken to contain it. Send their amounts "
    "with VAT, or vatIncluded false."
)
_GROSS_WAS_MEANT: Final = (
    "The difference is the VAT of the lines with a VAT code, which is added to their amounts. Send their amounts "
    "without VAT, or vatIncluded true."
)


def explained(
    fault: LedgerBeeError, entered: EntryInput, vat_codes: Mapping[UUID, VatCode], currency: str
) -> LedgerBeeError:
    """The refusal of an entry, with a `hint` in its details where the VAT of its lines explains what is out of balance.

    `entered` has all its lines, the receivable or payable too; `vat_codes` are those of its lines.
    """
    if fault.error_code is not JOURNAL_ENTRY_UNBALANCED or fault.details.get("currency") != "entry":
        return fault
    off = EXACT.subtract(Decimal(fault.details["debit"]), Decimal(fault.details["credit"]))
    hint = vat_hint(off, entered, vat_codes, currency)
    return JOURNAL_ENTRY_UNBALANCED.error(**fault.details, hint=hint) if hint else fault


def vat_hint(off: Decimal, entered: EntryInput, vat_codes: Mapping[UUID, VatCode], currency: str) -> str | None:
    """What to do about debits that exceed credits by `off`, in the entry's currency; None where it isn't the VAT.

    Lines whose VAT the caller states, and reverse charges, whose VAT balances by itself, explain nothing.
    """
    on_top: list[Decimal] = []
    contained: list[Decimal] = []
    for line in entered.lines:
        code = vat_codes.get(line.vat_code_id) if line.vat_code_id is not None else None
        if code is None or line.vat_amount is not None or code.is_reverse_charge:
            continue
        vat = round_money(percent_of(line.amount, code.rate_on(entered.tax_point).rate), currency)
        (contained if contains_vat(line, code) else on_top).append(vat if line.side is Side.DEBIT else -vat)
    if off and off == total(on_top):
        return _GROSS_WAS_MEANT
    if off and off == -total(contained):
        return _NET_WAS_MEANT
    return None
