"""What is decided of the buyer's page. Pure."""

import hashlib
import hmac
import unicodedata
from datetime import date
from typing import Final
from urllib.parse import parse_qsl

from ledgerbee.sales.quotes.acceptance.model import MAX_COMMENT, MAX_NAME, Decision, Notice, Reply, Standing
from ledgerbee.sales.quotes.model import Quote, QuoteDisplayStatus, QuoteStatus
from ledgerbee.sales.quotes.rules import display_status

FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 8
#: What joins letters of names, though it shows as nothing: zero-width joiner and non-joiner.
_JOINERS: Final = frozenset("\u200c\u200d")


def standing_of(quote: Quote, today: date) -> Standing:
    """What the page of a sent quote says, on a day of the company's. The buyer's own word goes before all else."""
    if quote.status in {QuoteStatus.ACCEPTED, QuoteStatus.REJECTED}:
        return Standing(quote.status.value)
    shown = display_status(quote, today)
    return {QuoteDisplayStatus.CONVERTED: Standing.CONVERTED, QuoteDisplayStatus.EXPIRED: Standing.EXPIRED}.get(
        shown, Standing.OPEN
    )


def form_token(secret: str) -> str:
    """What a form of the page sends along: only a page that was opened by the link can have it."""
    return hmac.new(secret.encode(), b"quote answer form", hashlib.sha256).hexdigest()


def read_reply(content_type: str, body: bytes) -> Reply:
    """A form as it was sent. What can't be read, or says something twice, is a form without anything in it."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        return Reply()
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:  # not ASCII, not UTF-8 behind its percent signs, too many fields
        return Reply()
    fields = dict(pairs)
    if len(fields) < len(pairs):
        return Reply()
    decision = fields.get("decision", "")
    return Reply(
        decision=Decision(decision) if decision in set(Decision) else None,
        name=_one_line(fields.get("name", "")),
        comment=tidy(fields.get("comment", "").strip()),
        token=fields.get("token", ""),
    )


def tidy(text: str) -> str:
    """A text of a stranger's without what shows as nothing or turns the text around; its line ends stay.

    Categories Cc, Cf and Cs of Unicode.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (char for char in lines if char in _JOINERS or char == "\n" or unicodedata.category(char)[0] != "C")
    return unicodedata.normalize("NFC", "".join(kept))


def _one_line(text: str) -> str:
    return " ".join(tidy(" ".join(text.split())).split())


def refusal_of(reply: Reply, secret: str, *, foreign: bool) -> Notice | None:
    """Why a form is not taken, whatever the quote; None where it may be."""
    if foreign or not hmac.compare_digest(reply.token.encode(), form_token(secret).encode()):
        return Notice.NOT_FROM_HERE
    if reply.decision is None:
        return Notice.NOT_FROM_HERE
    if len(reply.name) > MAX_NAME or len(reply.comment) > MAX_COMMENT:
        return Notice.TOO_LONG
    return None if reply.name else Notice.NAME_MISSING


def is_answered_so(quote: Quote, decision: Decision | None) -> bool:
    """Whether a quote has that answer already: the second of two clicks."""
    wanted = {Decision.ACCEPT: QuoteStatus.ACCEPTED, Decision.REJECT: QuoteStatus.REJECTED}
    return decision is not None and quote.status is wanted[decision]
