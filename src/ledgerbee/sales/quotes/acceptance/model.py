"""The page on which the buyer of a quote answers it: what it shows, and what comes back from it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from ledgerbee.sales.quotes.model import Quote

#: Characters that a form may send: a name is read at a glance, a comment is no letter.
MAX_NAME: Final = 200
MAX_COMMENT: Final = 2_000
#: Requests for pages that one address may make in a minute: views, files and answers together.
PAGE_HITS: Final = 60


class Decision(StrEnum):
    """What the buyer may say."""

    ACCEPT = "accept"
    REJECT = "reject"


class Standing(StrEnum):
    """What the page says of a quote. Only what is open can be answered."""

    OPEN = "open"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CONVERTED = "converted"


class Notice(StrEnum):
    """Why an answer was not taken, or that nothing could be shown."""

    NAME_MISSING = "name_missing"
    TOO_LONG = "too_long"
    NOT_FROM_HERE = "not_from_here"
    NOT_OPEN = "not_open"


@dataclass(frozen=True, slots=True)
class Reply:
    """A form as it was sent, tidied. `decision` None is a form that asks for nothing that there is."""

    decision: Decision | None = None
    name: str = ""
    comment: str = ""
    token: str = ""


#: Nothing was sent yet.
NO_REPLY: Final = Reply()


@dataclass(frozen=True, slots=True)
class Shown:
    """A quote as its page shows it: its row, what it said when it was sent, and how it stands now.

    `answered_at` is in the company's time zone.
    """

    quote: Quote
    snapshot: dict[str, Any]
    standing: Standing
    answered_at: datetime | None
