"""Sending and converting quotes and order confirmations. A kind's own actions emit the events."""

from collections.abc import Awaitable, Callable, Collection
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError, within
from ledgerbee.core.fields import replace
from ledgerbee.parties.contacts import actions as contacts
from ledgerbee.parties.contacts import store as contact_rows
from ledgerbee.parties.contacts.model import ContactFields
from ledgerbee.parties.party import store as parties
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents import store
from ledgerbee.sales.documents.kind import KindOfDocument
from ledgerbee.sales.documents.model import Document, DraftFields, FullDocument, Origin
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.presales import rules
from ledgerbee.sales.presales.model import Converted, Presale
from ledgerbee.sales.sending import actions as sending
from ledgerbee.sales.sending.model import Draft, SendCommand, SendOptions

P = TypeVar("P", bound=Presale)
F = TypeVar("F", bound=DraftFields)
#: The fields and the row of what is made.
G = TypeVar("G", bound=DraftFields)
M = TypeVar("M", bound=Document)

#: Drafts a document of the target's kind.
Make = Callable[[Context, G, Origin], Awaitable[FullDocument[M]]]


async def send(
    context: Context, kind: KindOfDocument[F, P], command: SendCommand
) -> tuple[FullDocument[P], FullDocument[P]]:
    """Give a draft its number and hand it over; answers with it before and after. Mail waits for the worker.

    Prices stand as drafted; VAT is decided as it is now. An address that is no one's becomes a contact of the customer.
    What was sent, and whose delivery failed for good, can be sent again: it is handed over as it was sent.

    Refused in this order, and then nothing was written: `kind.not_found`; `kind.invalid_state` (also for the second of
    two racing sends); a validation error of the date; `SALES_DOCUMENT_VAT_CODE_UNUSABLE`,
    `SALES_DOCUMENT_AMOUNT_TOO_LARGE`; what `rules.book` refuses; texts that can't be printed. Raises
    `UntriedDocumentsError` where that has to be tried, see `printing.with_trials`.
    """
    document = await store.get_for_update(context, kind, command.document_id)
    if document.status is not kind.draft:
        if document.is_converted:
            rules.require_unconverted(kind, document, ())
        await sending.require_failed_delivery(context, kind, document)
        await _keep_recipient(context, kind, document, command.options)
        again = await sending.send_again(context, kind, document, command.options)
        return again.before, again.after
    check_date(document.issue_date, context.today)
    await _keep_recipient(context, kind, document, command.options)
    drafted = FullDocument(document, await store.lines_of(context, kind, document.id))
    (sent,) = await sending.send_drafts(kind, [Draft(context, command, drafted)], partial(rules.book, kind))
    if isinstance(sent, LedgerBeeError):
        raise sent
    return drafted, sent.full


async def convert(
    context: Context,
    kind: KindOfDocument[F, P],
    source: FullDocument[P],
    target: KindOfDocument[G, M],
    changes: Changes[G],
    make: Make[G, M],
) -> tuple[FullDocument[P], Converted[M]]:
    """Make a draft of the target's kind out of a document that `get_convertible` gave; each names the other.

    Fields, lines and prices are the source's, but for the changes; VAT is decided for the draft. Nothing is mailed and
    no number is taken. Answers with the source as it is then. Raises what drafting raises, with places of the request's
    `document`.
    """
    with within("document"):
        given = rules.given_for(source, target.fields, changes)
        made = await make(context, given, rules.origin_of(kind, source, changes))
    link: dict[str, Any] = {f"converted_to_{target.kind}_id": made.document.id}
    converted = replace(source.document, updated_at=context.now, **link)
    await store.update(context, kind, converted)
    warnings = rules.warnings_of(source.document, made.document)
    return FullDocument(converted, source.lines), Converted(made, warnings)


async def get_convertible(
    context: Context, kind: KindOfDocument[F, P], document_id: UUID, allowed: Collection[StrEnum]
) -> FullDocument[P]:
    """A document that can be converted, locked. Of two at once the second sees that it was.

    Raises `kind.not_found`, `SALES_DOCUMENT_CONVERT_REQUIRES_SENT`, `kind.invalid_state`.
    """
    document = await store.get_for_update(context, kind, document_id)
    rules.require_convertible(kind, document, allowed)
    return FullDocument(document, await store.lines_of(context, kind, document_id))


async def _keep_recipient(context: Context, kind: KindOfDocument[F, P], document: P, options: SendOptions) -> None:
    """Make a contact of the customer of an address that neither it nor one of its contacts has (contract 2.25)."""
    address = options.override_email
    if address is None or options.delivery_type is not DeliveryType.EMAIL:
        return
    customer = (await store.get_sources(context, kind, document)).facts.customer
    party = Party.customer(customer.id)
    await parties.require_for_update(context, party)  # of two at once the second sees the contact of the first
    known = [customer.email, *(contact.email for contact in await contact_rows.list_of_party(context, party))]
    if address.casefold() not in {email.casefold() for email in known if email}:
        if known == [customer.email] and customer.email:
            # The first contact is the default, which mail goes to: that stays the customer's own address.
            await contacts.create(context, party, ContactFields(name=customer.name, email=customer.email))
        await contacts.create(context, party, ContactFields(name=address, email=address))
