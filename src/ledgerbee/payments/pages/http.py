"""The page that a customer comes back to where the company has named none, at `/saved-cards/{language}` (ours).

It says what its address says, and knows nothing of anybody.
"""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from ledgerbee.payments.pages.page import PAGE_HEADERS, page_of

router = APIRouter(include_in_schema=False)

_TEXTS: Final = {
    ("da", "saved"): ("Kortet er gemt", "Du kan lukke siden nu."),
    ("da", "cancelled"): ("Der er ikke gemt noget kort", "Du kan lukke siden, eller bruge linket igen."),
    ("en", "saved"): ("The card is saved", "You can close this page now."),
    ("en", "cancelled"): ("No card was saved", "You can close this page, or use the link again."),
}


@router.get("/saved-cards/{language}")
async def show_saved(language: str, card: str = "cancelled") -> HTMLResponse:
    """The page; an address that nobody was sent to is answered in English."""
    language = language if language in {"da", "en"} else "en"
    title, text = _TEXTS[language, "saved" if card == "saved" else "cancelled"]
    values = {"language": language, "title": title, "text": text}
    return HTMLResponse(page_of("ledgerbee.payments.pages", "saved.html", values), headers=PAGE_HEADERS)
