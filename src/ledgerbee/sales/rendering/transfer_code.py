"""The QR code of a transfer in euro, which banks' apps read (EPC069-12 of the European Payments Council, version 2)."""

import io
from decimal import Decimal
from typing import Final

from ledgerbee.sales.rendering.writer import Writer

#: Bounds of the standard: characters of the payee's name and of what the payer states, lengths of a BIC, euro.
_NAME: Final = 70
_TEXT: Final = 140
_BICS: Final = (8, 11)
_LEAST: Final = Decimal("0.01")
_MOST: Final = Decimal("999999999.99")
#: Dots for each module, and modules around the code: a scanner needs four of them white.
_DOTS: Final = 8
_QUIET: Final = 4


def transfer_code(write: Writer) -> bytes | None:
    """The code as a PNG file: payee, IBAN, what is due, and the payment id to state.

    None where there is nothing to scan: a draft, another currency than euro, nothing due, no IBAN or payment id, or
    more than the standard's bounds and its 331 bytes have room for.
    """
    document, payment = write.document, write.document.payment
    if payment is None or document.is_draft or document.currency != "EUR":
        return None
    name, text = write.bare(document.seller.name)[:_NAME].strip(), write.bare(payment.payment_id or "")
    iban, bic = "".join((payment.iban or "").split()), "".join((payment.bic or "").split())
    if not (name and iban and 0 < len(text) <= _TEXT and _LEAST <= document.balance <= _MOST):
        return None
    from segno.helpers import make_epc_qr  # noqa: PLC0415  few documents have a code

    known_bic = bic if len(bic) in _BICS else None
    try:
        # Readers guess at other encodings, whatever the code says.
        code = make_epc_qr(name, iban, document.balance, text=text, bic=known_bic, encoding="utf-8")
    except ValueError:
        return None
    picture = io.BytesIO()
    code.save(picture, kind="png", scale=_DOTS, border=_QUIET)
    return picture.getvalue()
