"""The link by which the buyer of a sent quote sees and answers it (ours; decisions "Documents").

Its secret is 256 random bits behind the mark of the company's cell, and the only credential of its page. It names
neither company nor quote, and ends when the seller revokes it.
"""

from dataclasses import dataclass
from typing import Final, NewType
from uuid import UUID

QuoteLinkId = NewType("QuoteLinkId", UUID)

#: The kind of its credential, and of who acts by it.
QUOTE_LINK: Final = "quote_link"
#: The start of every such secret, so that logs leave it out and a leaked one is recognised.
LINK_PREFIX: Final = "lbq_"


@dataclass(frozen=True, slots=True)
class QuoteLink:
    """The link of one quote. `secret` is what its address ends in."""

    id: QuoteLinkId
    quote_id: UUID
    secret: str
