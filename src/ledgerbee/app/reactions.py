"""What follows which events: news that travels up goes through the outbox, never by a call."""

from typing import Final

from ledgerbee.billing.card_payments import actions as card_payments
from ledgerbee.payments.charges import actions as charges
from ledgerbee.platform.outbox import Reactions

REACTIONS: Final[Reactions] = {
    "charge.retries_ended": (card_payments.follow_declines,),
    "invoice.credited": (card_payments.follow_settlements, charges.follow_settlements),
    "invoice.paid": (card_payments.follow_settlements, charges.follow_settlements),
    "invoice.written_off": (charges.follow_settlements,),
    "payment_method.expired": (charges.follow_cards,),
    "payment_method.removed": (charges.follow_cards,),
    "payment.failed": (card_payments.follow_declines,),
    "payment.succeeded": (card_payments.follow_payments,),
}
