"""What a scope allows, in the words of who is asked to give it: English as in the reference, and Danish."""

from decimal import Decimal
from typing import Final

from ledgerbee.platform.credentials.texts import text_of

_OF: Final = {
    "accounts": "kontoplanen og regnskabsårene",
    "api-keys": "virksomhedens API-nøgler",
    "audit": "revisionssporet",
    "bank": "bankkonti og deres kontoudtog",
    "companies": "virksomheder",
    "company": "virksomhedens oplysninger, valutakurser og låsedato",
    "connections": "de programmer, som brugerne lader arbejde i virksomheden, og hvad de har gjort",
    "customers": "kunder med grupper, kontakter og afdelinger",
    "deliveries": "hvordan dokumenter er nået frem til kunden",
    "dimensions": "dimensioner og deres værdier",
    "document-templates": "skabeloner til trykte dokumenter",
    "events": "alle hændelser, hver med det, den handler om",
    "invoices": "fakturaer og kreditnotaer",
    "journal-categories": "kassekladder",
    "journal-entries": "posteringer, udkast, importer og bilag samt indgående dokumenter",
    "oauth-clients": "virksomhedens OAuth-klienter",
    "order-confirmations": "ordrebekræftelser",
    "payment-methods": "kunders gemte kort og betalingsudbydere",
    "payments": "betalinger, opkrævninger, udbetalinger og kunders tilgodehavender",
    "portal-catalog": "de planer, som kundeportalen viser",
    "products": "varer med priser og grupper",
    "projects": "projekter og delprojekter, og hvad de tjener",
    "quotes": "tilbud",
    "reports": "rapporter over regnskabet",
    "subscriptions": "abonnementer og deres planer",
    "users": "hvem der kan logge ind i virksomheden, og deres roller",
    "vat-codes": "momskoder og deres satser",
    "vendors": "leverandører med grupper, kontakter og afdelinger",
    "webhook-endpoints": "webhook-adresser, og hvad der er sendt til dem",
}
_TEXTS: Final = {
    "company-write": "Ændre virksomhedens oplysninger, valutakurser og låsedato, og flytte dagen i en sandkasse",
    "deliveries-write": "Notere, at en mail kom tilbage",
    "invoices-write": "Oprette, ændre og sende fakturaer og kreditnotaer",
    "journal-entries-write": "Bogføre, tilbageføre og importere posteringer, føre udkast og modtage e-fakturaer",
    "meter-report": "Føre målere, melde forbrug og rette det",
    "payments-write": "Registrere betalinger og tage dem tilbage, trække på gemte kort, indlæse udbetalinger, og bruge "
    "eller tilbagebetale kunders tilgodehavender",
}
_VERBS: Final = {"read": "Se", "write": "Oprette og ændre"}


def words_of(scope: str, language: str) -> str:
    """What a credential with `scope` may do, in `da` or `en`: one sentence without a full stop."""
    if language != "da":
        return text_of(scope)
    resource, _, kind = scope.rpartition("-")
    return _TEXTS.get(scope) or f"{_VERBS[kind]} {_OF[resource]}"


def shown_amount(amount: Decimal, language: str) -> str:
    """An amount with two decimals, in groups of three digits as the language writes them."""
    english = f"{amount:,.2f}"
    return english.translate(str.maketrans(",.", ".,")) if language == "da" else english
