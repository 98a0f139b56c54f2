"""Charging saved cards, by verb: a charge is a row before its provider is asked, and is booked with the answer."""

from ledgerbee.payments.charges.actions.answer import note_mismatch, record_answer, record_failure, record_unclear
from ledgerbee.payments.charges.actions.ask import Question, ask, ask_again, question_of
from ledgerbee.payments.charges.actions.bookable import accounts_of, check_bookable, check_chargeable, fault_in_booking
from ledgerbee.payments.charges.actions.cancel import cancel, follow_cards, follow_settlements, look_again
from ledgerbee.payments.charges.actions.retry import MAX_RETRIED, retry_due
from ledgerbee.payments.charges.actions.shared import emit_change, on_word_only
from ledgerbee.payments.charges.actions.start import start, start_issued

__all__ = [
    "MAX_RETRIED",
    "Question",
    "accounts_of",
    "ask",
    "ask_again",
    "cancel",
    "check_bookable",
    "check_chargeable",
    "emit_change",
    "fault_in_booking",
    "follow_cards",
    "follow_settlements",
    "look_again",
    "note_mismatch",
    "on_word_only",
    "question_of",
    "record_answer",
    "record_failure",
    "record_unclear",
    "retry_due",
    "start",
    "start_issued",
]
