"""What is decided alike of quotes and order confirmations. Pure."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import invalid
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.money import format_amount
from ledgerbee.sales.documents.addressing import addressee, check_customer, choose_template
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.documents.model import (
    Computed,
    Document,
    DocumentFields,
    DocumentRef,
    DocumentWarning,
    DraftFields,
    FullDocument,
    Origin,
)
from ledgerbee.sales.documents.rules import as_input
from ledgerbee.sales.presales.model import (
    CONVERTED,
    SALES_DOCUMENT_CONVERT_REQUIRES_SENT,
    Presale,
)
from ledgerbee.sales.sending.model import Booking, SendOptions, SendSources
from ledgerbee.sales.sending.rules import recipient_of

P = TypeVar("P", bound=Presale)
F = TypeVar("F", bound=DraftFields)

#: Changes by which the lines of a made document are priced anew; else the prices stand that the buyer was told.
_REPRICING = frozenset({"lines", "currency"})


def book(
    kind: AnyKind, draft: P, found: SendSources, computed: Computed, options: SendOptions, now: datetime
) -> Booking[P]:
    """All there is to write of a draft that is sent, or the first refusal, in this order:

    | refused | why |
    | --- | --- |
    | `SALES_DOCUMENT_CUSTOMER_INACTIVE` | nothing new is sold to the customer |
    | `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH` | the chosen template is none for the kind |
    | `kind.recipient_missing` | a mail needs an address |

    It is `sent` at once, also while its mail waits. `computed` are the draft's lines as they are taxed now.
    """
    sources = found.sources
    check_customer(sources)
    chosen = options.document_template_id or draft.document_template_id
    template = choose_template(kind.template_type, sources, chosen)
    recipient = recipient_of(sources, options, kind.recipient_missing)
    sent = replace(
        draft,
        status=kind.statuses("sent"),
        document_template_id=template.id if template else None,
        subtotal=computed.totals.subtotal,
        vat=computed.totals.vat,
        amount=computed.totals.amount,
        sent_at=now,
        updated_at=now,
    )
    return Booking(
        document=sent,
        entry=None,
        computed=computed,
        addressee=addressee(sources),
        template=template,
        in_base=None,
        recipient=recipient,
    )


def require_unconverted(kind: AnyKind, document: Presale, allowed: Collection[StrEnum]) -> None:
    """Raises `kind.invalid_state` for what was converted, and for another status than the allowed ones."""
    if document.is_converted:
        raise kind.invalid_state.in_state(CONVERTED)
    if document.status not in allowed:
        raise kind.invalid_state.in_state(document.status.value)


def require_convertible(kind: AnyKind, document: Presale, allowed: Collection[StrEnum]) -> None:
    """Raises `SALES_DOCUMENT_CONVERT_REQUIRES_SENT` for a draft, and what `require_unconverted` raises."""
    if document.status is kind.draft:
        raise SALES_DOCUMENT_CONVERT_REQUIRES_SENT.error(status=document.status.value)
    require_unconverted(kind, document, allowed)


def given_for(source: FullDocument[P], fields: type[F], changes: Changes[F]) -> F:
    """What a document made of another is drafted by: the source's own fields and lines, and the changes.

    The template stays behind: it is for the source's kind.
    """
    document = source.document
    said: dict[str, Any] = fields_of(document, DocumentFields) | {"document_template_id": None}
    copied = fields(**said, currency=document.currency, lines=tuple(as_input(line) for line in source.lines))
    return changes.applied_to(copied)


def origin_of(kind: AnyKind, source: FullDocument[P], changes: Changes[F]) -> Origin:
    """What a document is made of: with its lines, whose prices stand, unless a change has them priced anew."""
    stands = not _REPRICING & changes.fields.keys()
    return Origin(DocumentRef(kind.kind, source.document.id), source.lines if stands else None)


def warnings_of(source: Document, made: Document) -> tuple[DocumentWarning, ...]:
    """What to look at: the made document comes to another amount than the one that the buyer has seen."""
    was, now = _totals(source), _totals(made)
    if was == now:
        return ()
    text = "The draft comes to other totals than the document that it was made of"
    return (DocumentWarning("SALES_DOCUMENT_TOTALS_DIFFER", text, {"before": was, "after": now}),)


def require_of_target(target: str, others: Collection[str]) -> None:
    """Raises a validation error for fields (wire names) that documents of the target don't have."""
    problems = [
        (
            f"document.{name}",
            "whitelistValidation",
            f"document.{name} should not exist where the target is {target}",
        )
        for name in others
    ]
    if problems:
        raise invalid(*problems)


def _totals(document: Document) -> dict[str, str]:
    currency = document.currency
    return {
        "currency": currency,
        "subtotal": format_amount(document.subtotal, currency),
        "vat": format_amount(document.vat, currency),
        "amount": format_amount(document.amount, currency),
    }
