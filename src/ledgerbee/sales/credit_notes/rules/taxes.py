"""How the lines of a credit note are taxed: as those of its invoice were. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from ledgerbee.sales.credit_notes.model import CREDIT_NOTE_INVOICE_TOO_OLD, InvoiceLine
from ledgerbee.sales.documents.model import Line, Tax


def taxes_of(
    lines: Sequence[Line], snapshot: Mapping[str, Any], vat_accounts: Mapping[UUID, UUID]
) -> tuple[InvoiceLine, ...]:
    """The product lines of a booked invoice, each with its tax, by the invoice's own words: nothing of today's chart.

    `snapshot` is the invoice's, `vat_accounts` where its entry has the VAT of each code. Raises
    `CREDIT_NOTE_INVOICE_TOO_OLD`.
    """
    printed = {line["id"]: line for line in snapshot["lines"]}
    rows = snapshot["vatRows"]
    found = []
    for line in lines:
        if line.price_id is None:
            continue
        words = printed.get(str(line.id))
        if line.account_id is None or line.vat_rate is None or words is None:
            raise CREDIT_NOTE_INVOICE_TOO_OLD.error()
        reasons = rows[words["vatRow"]]["exemptionReason"] if "vatRow" in words else {"en": None, "da": None}
        tax = Tax(
            account_id=line.account_id,
            vat_code_id=line.vat_code_id,
            rate=line.vat_rate,
            category=words["vatCategory"],
            vat_account_id=vat_accounts.get(line.vat_code_id) if line.vat_rate and line.vat_code_id else None,
            exemption_reason=reasons["en"],
            exemption_reason_da=reasons["da"],
        )
        found.append(InvoiceLine(line, tax))
    return tuple(found)
