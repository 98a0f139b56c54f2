"""The Danish payment slip (FIK): the line that a payer copies, `+71<000000000010427+12345674<`."""

from collections.abc import Mapping
from typing import Any, Final

from stdnum import luhn

#: The kind of slip that has a payment id and no message.
CARD_TYPE: Final = "71"
#: Digits of the payment id, without the check digit.
_DIGITS: Final = 14


def payment_id(number: str) -> str | None:
    """The payment id of a document: the digits of its number and a check digit (modulus 10), 15 digits in all.

    None for a number without digits or with too many.
    """
    digits = "".join(char for char in number if char in "0123456789")
    if not 0 < len(digits) <= _DIGITS:
        return None
    padded = digits.zfill(_DIGITS)
    return f"{padded}{luhn.calc_check_digit(padded)}"


def line_of(payment: Mapping[str, Any]) -> str | None:
    """The slip's line by the `payment` of a snapshot; None where it isn't paid by one."""
    creditor, own = payment.get("fikCreditorNumber"), payment.get("fikPaymentId")
    return f"+{CARD_TYPE}<{own}+{creditor}<" if creditor and own else None
