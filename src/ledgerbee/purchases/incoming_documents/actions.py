"""Receiving e-invoices, and drafting what was received."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from msgspec.structs import replace as with_fields

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import is_currency
from ledgerbee.http.fields import normalised_email
from ledgerbee.ledger.drafts import actions as drafts
from ledgerbee.ledger.entries.model import EntryInput
from ledgerbee.ledger.uploads.model import NewAttachment
from ledgerbee.parties.contacts.model import ContactFields
from ledgerbee.parties.groups import store as groups
from ledgerbee.parties.groups.model import VendorGroup, VendorGroupId
from ledgerbee.parties.party.model import VENDOR_NOT_FOUND
from ledgerbee.parties.vendors import actions as vendors
from ledgerbee.parties.vendors import store as vendor_rows
from ledgerbee.parties.vendors.model import VENDOR_NUMBER_ALREADY_EXISTS, VendorFields
from ledgerbee.parties.wire import MAX_NUMBER, MAX_PAYMENT_TERMS_DAYS
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import TOO_MUCH_CONTENTION
from ledgerbee.purchases.incoming_documents import store
from ledgerbee.purchases.incoming_documents.answers import statuses
from ledgerbee.purchases.incoming_documents.answers import store as answers
from ledgerbee.purchases.incoming_documents.model import (
    BLOCKING,
    INCOMING_DOCUMENT_INVALID_STATE,
    INCOMING_DOCUMENT_NOT_DRAFTABLE,
    MAX_DOCUMENT_NUMBER,
    UNDRAFTABLE,
    FullIncomingDocument,
    IncomingDocument,
    IncomingDocumentId,
    IncomingStatus,
    Problem,
    ProblemCode,
    ReceivedDocument,
    ReceivedFile,
)
from ledgerbee.purchases.incoming_documents.model.messages import Envelope
from ledgerbee.purchases.incoming_documents.rules.checks import check
from ledgerbee.purchases.incoming_documents.rules.drafting import Accounts, Origin, draft_of, origin_of
from ledgerbee.purchases.incoming_documents.rules.parties import Known, check_parties, find_vendor, sender_id
from ledgerbee.purchases.incoming_documents.wire import details_of, file_name_of, render
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company
from ledgerbee.tenancy.rates import store as rates

#: Numbers of the vendor groups that a new company has.
_GROUPS: Final = {Origin.DOMESTIC: "1", Origin.EU: "2", Origin.ABROAD: "3"}
_NO_PDF: Final = Problem(ProblemCode.PDF_MISSING, "The document could not be set as PDF: the XML is attached alone")


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What a document comes to: its vendor, its draft where it can have one, and all that was noticed."""

    vendor_id: UUID | None
    entry: EntryInput | None
    problems: list[Problem]


async def receive(
    context: Context,
    file: ReceivedFile,
    document: ReceivedDocument,
    attachments: Sequence[NewAttachment],
    envelope: Envelope | None = None,
) -> tuple[FullIncomingDocument, bool]:
    """Keep a document that came in, and draft it where its vendor and accounts are known; whether it is a new one.

    The same bytes are the document that they were the first time. `attachments` are the XML and, where it could be set,
    the PDF. A message whose `envelope` is told gets its status. Emits `incoming_document.received`,
    `draft_journal_entry.created` of its draft and `incoming_message.received`. Raises `INCOMING_MESSAGE_DIFFERS`.
    """
    await store.wait_for_turn(context)
    known = await store.find_by_content(context, file.hash)
    if known is not None:
        if envelope is not None:
            await statuses.receive(context, envelope, known.document, document)
        (answered,) = await answers.with_answers(context, [known])
        return answered, False
    drawn = await _drawn(context, document, None, None)
    problems = [*drawn.problems, *_missing_pdf(attachments)]
    received = IncomingDocument(
        id=IncomingDocumentId(new_id()),
        hash=file.hash,
        file_name=file_name_of(file, document),
        document_format=document.format,
        document_type=document.type,
        document_number=document.true_number[:MAX_DOCUMENT_NUMBER],
        issue_date=document.issue_date,
        due_date=document.due_date,
        currency=document.currency,
        sender_id=sender_id(document.sender),
        sender_name=document.sender.name,
        details={},
        vendor_id=drawn.vendor_id,
        created_at=context.now,
        updated_at=context.now,
    )
    first = await store.find_like(context, received)
    if first is not None:
        text = f"{document.number} of the same sender came in before"
        problems.insert(0, Problem(ProblemCode.POSSIBLE_DUPLICATE, text))
    received = replace(received, duplicate_of=first, details=details_of(document, problems))
    if drawn.entry is not None:
        received = await _with_draft(context, received, drawn.entry, attachments)
    await store.insert(context, received, file.content)
    came_by = () if envelope is None else (await statuses.receive(context, envelope, received, document),)
    full = FullIncomingDocument(received, messages=came_by)
    context.emit("incoming_document.received", received.id, render(full).as_event())
    return full, True


async def draft(
    context: Context,
    document_id: IncomingDocumentId,
    document: ReceivedDocument,
    attachments: Sequence[NewAttachment],
    *,
    vendor_id: UUID | None,
    account_id: UUID | None,
) -> FullIncomingDocument:
    """Draft a document that has no draft: it lacked something, or its draft was deleted.

    Without a vendor it makes one of the sender. Emits `incoming_document.drafted`, `draft_journal_entry.created` and,
    where it makes a vendor, `vendor.created`. Raises `INCOMING_DOCUMENT_NOT_FOUND`, `INCOMING_DOCUMENT_INVALID_STATE`,
    `INCOMING_DOCUMENT_NOT_DRAFTABLE`, `VENDOR_NOT_FOUND`, `ACCOUNT_NOT_FOUND` and `ACCOUNT_NOT_BOOKABLE`.
    """
    await store.wait_for_turn(context)  # of two documents of one new sender the second finds the first one's vendor
    (before,) = await answers.with_answers(context, [await store.get_for_update(context, document_id)])
    if before.document.draft_journal_entry_id is not None:
        raise INCOMING_DOCUMENT_INVALID_STATE.in_state(before.status)
    if account_id is not None:
        await _check_account(context, account_id)
    chosen = vendor_id or before.document.vendor_id
    if vendor_id is not None and not await vendor_rows.get_many(context, [vendor_id]):
        raise VENDOR_NOT_FOUND.missing("vendorId", "vendorId", vendor_id)
    drawn = await _drawn(context, document, chosen, account_id)
    if drawn.vendor_id is None and not _has(drawn.problems, ProblemCode.VENDOR_AMBIGUOUS, *UNDRAFTABLE):
        made = await _make_vendor(context, document)
        drawn = await _drawn(context, document, made, account_id)
    if drawn.entry is None:
        codes = sorted({problem.code for problem in drawn.problems} & BLOCKING)
        raise INCOMING_DOCUMENT_NOT_DRAFTABLE.error(problems=list(codes))
    kept = [row for row in before.document.details["problems"] if row["code"] == ProblemCode.POSSIBLE_DUPLICATE]
    problems = [Problem(ProblemCode(row["code"]), row["message"]) for row in kept]
    problems += [*drawn.problems, *_missing_pdf(attachments)]
    changed = replace(
        before.document,
        vendor_id=drawn.vendor_id,
        details=details_of(document, problems),
        updated_at=context.now,
    )
    drafted = await _with_draft(context, changed, drawn.entry, attachments)
    after = FullIncomingDocument(drafted, answers=before.answers, messages=before.messages)
    await store.set_drafted(context, after.document)
    context.emit("incoming_document.drafted", document_id, render(after).as_event(), before=render(before).as_event())
    return after


def needs_vendor(full: FullIncomingDocument, vendor_id: UUID | None) -> bool:
    """Whether drafting a document may make a vendor: who asks has to be allowed to."""
    return (
        full.status in {IncomingStatus.RECEIVED, IncomingStatus.DISCARDED}
        and full.document.vendor_id is None
        and vendor_id is None
    )


async def _drawn(context: Context, document: ReceivedDocument, chosen: UUID | None, account_id: UUID | None) -> _Drawn:
    """Everything that there is to say of a document by what the company knows; `chosen` is its vendor, if known."""
    company = await companies.get(context)
    own = Known(company.company_id, company.vat_number, company.country_code)
    is_money = is_currency(document.currency)
    rate = await rates.find(context, document.currency, document.issue_date) if is_money else None
    problems = [
        *check_parties(document.sender, document.receiver, own, company.name),
        *check(document, None if rate is None else (company.base_currency, rate.value)),
    ]
    vendor_id = chosen
    if vendor_id is None:
        sender = document.sender
        known = await store.list_vendors(context, sender.numbers)
        found = find_vendor(sender, known, await store.vendor_chosen_before(context, sender_id(sender)))
        vendor_id = found.vendor_id
        problems = [*found.problems, *problems]
    if vendor_id is None or _has(problems, *UNDRAFTABLE):
        return _Drawn(vendor_id, None, problems)
    entry, more = await _entry(context, document, vendor_id, account_id, company)
    return _Drawn(vendor_id, entry, [*problems, *more])


async def _entry(
    context: Context, document: ReceivedDocument, vendor_id: UUID, account_id: UUID | None, company: Company
) -> tuple[EntryInput | None, list[Problem]]:
    choices = await store.list_choices(context, vendor_id)
    default = account_id or await store.default_account(context, vendor_id)
    wanted = {choice.account_id for choice in choices} | ({default} if default else set())
    usable: dict[UUID, UUID | None] = {
        account.id: account.vat_code_id
        for account in (await accounts.get_many(context, wanted)).values()
        if account.is_bookable and account.control_account_type is None
    }
    codes = [labelled.code for labelled in await vat_codes.list_all(context)]
    origin = origin_of(document.sender.known_country or company.country_code, company.country_code)
    found = Accounts(choices, default if default in usable else None, usable)
    return draft_of(document, vendor_id, found, codes, origin, company.preferred_language)


async def _with_draft(
    context: Context, document: IncomingDocument, entry: EntryInput, attachments: Sequence[NewAttachment]
) -> IncomingDocument:
    """The document with a draft of the entry."""
    ((draft_id, _),) = await drafts.create_identified(
        context, [with_fields(entry, attachments=tuple(attachments))], [""]
    )
    return replace(document, draft_journal_entry_id=draft_id, drafted_at=context.now)


async def _check_account(context: Context, account_id: UUID) -> None:
    found = next(iter((await accounts.get_many(context, [account_id])).values()), None)
    if found is None:
        raise ACCOUNT_NOT_FOUND.missing("accountId", "accountId", account_id)
    if not found.is_bookable or found.control_account_type is not None:
        raise ACCOUNT_NOT_BOOKABLE.error(property="accountId", accountId=str(account_id))


async def _make_vendor(context: Context, document: ReceivedDocument) -> UUID:
    """A vendor of what the document says of its sender, known by the sender's own number."""
    company, sender = await companies.get(context), document.sender
    country = sender.known_country or company.country_code
    days = (document.due_date - document.issue_date).days if document.due_date else None
    email = normalised_email(sender.email) if sender.email else None
    fields = VendorFields(
        number=await store.free_vendor_number(context, sender_id(sender)[:MAX_NUMBER]),
        name=sender.name,
        vendor_group_id=await _group(context, origin_of(country, company.country_code)),
        currency=document.currency,
        country_code=country,
        email=email,
        phone=sender.phone,
        address=sender.address,
        city=sender.city,
        postal_code=sender.postal_code,
        vat_number=sender.vat_number or next(iter(sender.numbers), None),
        payment_terms_days=days if days is not None and 0 <= days <= MAX_PAYMENT_TERMS_DAYS else None,
    )
    contact = ContactFields(name=sender.contact_name or sender.name, email=email, phone=sender.phone)
    try:
        return (await vendors.create(context, fields, [contact])).id
    except LedgerBeeError as fault:
        if fault.error_code is VENDOR_NUMBER_ALREADY_EXISTS:  # somebody took it since it was looked at
            raise TOO_MUCH_CONTENTION.error() from None
        raise


async def _group(context: Context, origin: Origin) -> VendorGroupId:
    """The group that new companies have for such vendors, else the first one."""
    found = [group for group, _ in await groups.list_all(context, VendorGroup)]
    return next((group.id for group in found if group.number == _GROUPS[origin]), found[0].id)


def _missing_pdf(attachments: Sequence[NewAttachment]) -> list[Problem]:
    return [] if any(file.content_type == "application/pdf" for file in attachments) else [_NO_PDF]


def _has(problems: Sequence[Problem], *codes: ProblemCode) -> bool:
    return any(problem.code in codes for problem in problems)
