"""E-invoices that come in: a draft of each, what is shown of it, and nothing doubled, lost or booked unasked."""

import asyncio
import io
from base64 import b64encode
from decimal import Decimal
from typing import Any

import httpx
import pypdf
import pytest
from tests.conftest import Api
from tests.selling import Shop
from tests.table_rows import rows_of
from tests.ubl_files import RECEIVER, SENDER, entry, line, oioubl, peppol

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.purchases.incoming_documents.model import MAX_FILE
from ledgerbee.tenancy.api_keys import actions as api_keys

PATH = "/v1/incoming-documents"
XML = {"content-type": "application/xml"}


async def send(api: Api, raw: bytes, **headers: str) -> httpx.Response:
    return await api.request("POST", PATH, content=raw, headers={**XML, **headers})


async def received(api: Api, raw: bytes, status: int = 201) -> dict[str, Any]:
    answer = await send(api, raw)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def codes(document: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in document["problems"]]


@pytest.fixture
async def shop(api: Api) -> Shop:
    return Shop(api)


async def account(shop: Shop, number: int) -> str:
    return next(str(one["id"]) for one in await shop.ok("GET", "/v1/accounts") if one["accountNumber"] == number)


async def vendor(shop: Shop, number: int | None = 2450, **fields: Any) -> str:
    """The sender of the tests' documents as a vendor, whose bills go to an account."""
    groups = await shop.ok("GET", "/v1/vendor-groups")
    body = {
        "vendorNumber": "V-1", "name": SENDER["name"], "vendorGroupId": groups[0]["id"], "currency": "DKK",
        "countryCode": "DK", "contacts": [{"name": "Ib"}], "vatNumber": SENDER["vat"],
        **({"defaultAccountId": await account(shop, number)} if number else {}), **fields,
    }  # fmt: skip
    return str((await shop.ok("POST", "/v1/vendors", body))["id"])


async def draft_of(shop: Shop, document: dict[str, Any]) -> dict[str, Any]:
    return dict(await shop.ok("GET", f"/v2/draft-journal-entries/{document['draftJournalEntryId']}"))


async def book(shop: Shop, document: dict[str, Any]) -> dict[str, Any]:
    path = f"/v2/draft-journal-entries/{document['draftJournalEntryId']}/book"
    return dict(await shop.ok("POST", path, {}, status=200))


async def test_a_bill_is_drafted_and_booked_when_it_is_asked_for(shop: Shop) -> None:
    vendor_id, raw = await vendor(shop), peppol(line("1000.00", item="A1"), due="2026-04-15", vat="250.00")
    document = await received(shop.api, raw)
    assert (document["status"], document["vendorId"], document["problems"]) == ("drafted", vendor_id, [])
    assert (document["duplicateOf"], document["journalEntryId"], document["fileName"]) == (None, None, "F-1001.xml")
    totals = {"net": "1000.00", "vat": "250.00", "gross": "1250.00", "prepaid": "0.00", "rounding": "0.00",
              "payable": "1250.00", "vatCurrency": None, "vatInCurrency": None}  # fmt: skip
    assert document["totals"] == totals
    draft = await draft_of(shop, document)
    assert (draft["entryType"], draft["reference"], draft["originalAmount"]) == (
        "SUPPLIER_INVOICE",
        "F-1001",
        "1250.00",
    )
    shown = [(one["accountNumber"], one["side"], one["amount"], one["vatAmount"]) for one in draft["lines"]]
    assert shown == [(2450, "DEBIT", "1000.00", "250.00"), (7440, "CREDIT", "1250.00", None)]
    assert (await shop.ok("GET", "/v1/journal-entries"))["total"] == 0
    posted = await book(shop, document)
    assert [(one["accountNumber"], one["amount"]) for one in posted["lines"]] == [
        (2450, "1000.00"), (7740, "250.00"), (7440, "1250.00"),
    ]  # fmt: skip
    files = await shop.ok("GET", f"/v1/journal-entries/{posted['id']}/attachments")
    assert [one["fileName"] for one in files] == ["F-1001.xml", "F-1001.pdf"]
    xml, pdf = [(await shop.api.get(one["url"].removeprefix("/api"))).content for one in files]
    assert xml == raw
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert all(text in printed for text in (str(SENDER["name"]), "F-1001", "1.250,00"))
    now = await shop.ok("GET", f"{PATH}/{document['id']}")
    assert (now["status"], now["journalEntryId"]) == ("booked", posted["id"])


async def test_what_would_be_booked_with_wrong_figures_is_not_drafted(shop: Shop) -> None:
    await vendor(shop)
    euros = peppol().replace(b'currencyID="DKK"', b'currencyID="EUR"')
    type_code = b"</cbc:IssueDate><cbc:InvoiceTypeCode>381</cbc:InvoiceTypeCode>"
    credit = peppol().replace(b"</cbc:IssueDate>", type_code)
    strange = peppol(sender={**SENDER, "vat": "DK13585629"}).replace(b'currencyID="DKK"', b'currencyID="EUR"')
    for raw, wanted in (
        (euros, ["CURRENCY_DIFFERS"]),
        (credit, ["DOCUMENT_TYPE_DIFFERS"]),
        (strange, ["CURRENCY_DIFFERS", "VENDOR_UNKNOWN"]),
    ):
        document = await received(shop.api, raw)
        assert document["status"] == "received"
        assert set(wanted) <= set(codes(document))
        body = {"accountId": await account(shop, 2450)}
        path = f"{PATH}/{document['id']}/draft"
        details = await shop.refused("POST", path, body, 409, "INCOMING_DOCUMENT_NOT_DRAFTABLE")
        assert details == {"problems": wanted}
        assert await shop.ok("GET", f"{PATH}/{document['id']}") == document
    assert len(await shop.ok("GET", "/v1/vendors")) == 1, "no vendor is made for nothing"


async def test_the_same_file_is_one_draft_and_a_like_one_is_flagged(shop: Shop, other_api: Api) -> None:
    """A13: same bytes; same sender and number in another file; another type; another sender; ourselves."""
    await vendor(shop)
    raw = peppol()
    first = await received(shop.api, raw)
    assert await received(shop.api, raw, 200) == first
    encoded = {"fileName": "again.xml", "content": b64encode(raw).decode()}
    assert await shop.ok("POST", PATH, encoded, status=200) == first
    again = await received(shop.api, peppol(note="sent once more"))
    assert (again["duplicateOf"], codes(again), again["status"]) == (first["id"], ["POSSIBLE_DUPLICATE"], "drafted")
    note = await received(shop.api, peppol(kind="CreditNote"))
    other = await received(shop.api, peppol(sender={**SENDER, "vat": "DK13585628", "name": "Nordlys ApS"}))
    assert (note["duplicateOf"], other["duplicateOf"]) == (None, None)
    assert codes(other) == ["VENDOR_UNKNOWN", "SENDER_IS_COMPANY"]
    assert len({one["id"] for one in (first, again, note, other)}) == 4
    assert (await shop.ok("GET", "/v2/draft-journal-entries"))["total"] == 3
    foreign = await received(other_api, raw)
    assert (foreign["duplicateOf"], foreign["status"], codes(foreign)) == (None, "received", ["VENDOR_UNKNOWN"])
    assert (await other_api.get(PATH)).json()["total"] == 1


async def test_at_once_a_file_is_one_draft_and_of_two_like_ones_the_second_is_flagged(shop: Shop) -> None:
    await vendor(shop)
    answers = await asyncio.gather(*(send(shop.api, raw) for raw in [peppol(), peppol(), peppol(note="b"), peppol()]))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 2
    assert sum(answer.json()["duplicateOf"] is not None for answer in answers if answer.status_code == 201) == 1
    assert (await shop.ok("GET", "/v2/draft-journal-entries"))["total"] == 2


async def test_an_unknown_vendor_is_proposed_and_made_when_it_is_drafted(shop: Shop) -> None:
    document = await received(shop.api, peppol(due="2026-04-15"))
    assert (document["status"], document["vendorId"], codes(document)) == ("received", None, ["VENDOR_UNKNOWN"])
    assert document["sender"] == {
        "name": SENDER["name"], "vatNumber": SENDER["vat"], "endpointId": None, "address": "Kajen 4",
        "postalCode": "8000", "city": "Aarhus C", "countryCode": "DK", "email": SENDER["email"], "phone": None,
    }  # fmt: skip
    path, body = f"{PATH}/{document['id']}/draft", {"accountId": await account(shop, 2450)}
    untouched = await rows_of(shop.api)
    lacking = await shop.refused("POST", path, {}, 409, "INCOMING_DOCUMENT_NOT_DRAFTABLE")
    assert lacking == {"problems": ["ACCOUNT_UNKNOWN"]}
    await shop.refused("POST", path, {"vendorId": str(new_id())}, 404, "VENDOR_NOT_FOUND")
    await shop.refused("POST", path, {"accountId": str(new_id())}, 404, "ACCOUNT_NOT_FOUND")
    await shop.refused("POST", path, {"accountId": await account(shop, 7440)}, 400, "ACCOUNT_NOT_BOOKABLE")

    async def work(context: Context) -> str:
        _, secret = await api_keys.create(context, name="no vendors", scopes=["journal-entries-write"])
        return str(secret)

    key = await shop.api.run(work)
    narrow = await shop.api.request("POST", path, json=body, headers={"x-api-key": key})
    assert (narrow.status_code, narrow.json()["details"]) == (403, {"requiredScopes": ["vendors-write"]})
    changed = {table: found for table, found in (await rows_of(shop.api)).items() if found != untouched.get(table)}
    assert changed.keys() <= {"api_keys", "credentials", "events", "event_counters"}
    drafted = await shop.ok("POST", path, body, status=200)
    assert (drafted["status"], drafted["problems"]) == ("drafted", [])
    (made,) = await shop.ok("GET", "/v1/vendors")
    assert (made["id"], made["vendorNumber"], made["paymentTerms"]) == (drafted["vendorId"], "DK25313763", 30)
    details = await shop.refused("POST", path, body, 409, "INCOMING_DOCUMENT_INVALID_STATE")
    assert details == {"status": "drafted"}
    assert (await draft_of(shop, drafted))["attachmentCount"] == 2


async def test_what_was_chosen_last_time_is_chosen_again(shop: Shop) -> None:
    """The account and code that somebody put on the last draft, by item; the vendor by its sender, whatever it is."""
    gln = {"name": "Kiosken", "country": "DK", "endpoint": "0088|5798009811578"}
    lines = (line("100.00", name="Kaffe"), line("40.00", name="Te"))
    first = await received(shop.api, peppol(*lines, sender=gln))
    chosen = await vendor(shop, number=None, vatNumber=None)
    body = {"vendorId": chosen, "accountId": await account(shop, 2450)}
    first = await shop.ok("POST", f"{PATH}/{first['id']}/draft", body, status=200)
    vat = {code["vatCode"]: code["id"] for code in await shop.ok("GET", "/v1/vat-codes")}
    changed = [
        {"accountId": await account(shop, 2230), "side": "DEBIT", "amount": "100.00", "vatCodeId": vat["K070"],
         "vatIncluded": False, "description": "Kaffe"},
        {"accountId": await account(shop, 2450), "side": "DEBIT", "amount": "40.00", "vatCodeId": vat["K010"],
         "vatIncluded": False, "description": "Te"},
    ]  # fmt: skip
    path = f"/v2/draft-journal-entries/{first['draftJournalEntryId']}"
    await shop.ok("PATCH", path, {"lines": changed}, status=200)
    await book(shop, first)
    second = await received(shop.api, peppol(*lines, sender=gln, number="F-1002"))
    assert (second["vendorId"], second["status"], codes(second)) == (chosen, "drafted", [])
    shown = [(one["accountNumber"], one["vatCodeId"]) for one in (await draft_of(shop, second))["lines"][:2]]
    assert shown == [(2230, vat["K070"]), (2450, vat["K010"])]


async def test_a_credit_note_is_a_negative_bill(shop: Shop) -> None:
    await vendor(shop)
    document = await received(shop.api, oioubl(line("100.00"), kind="CreditNote", entries=[entry("charge", "20.00")]))
    assert (document["documentType"], document["format"], document["totals"]["gross"]) == (
        "credit_note",
        "oioubl",
        "150.00",
    )
    posted = await book(shop, document)
    assert posted["originalAmount"] == "-150.00"
    assert [(one["accountNumber"], one["side"], one["amount"]) for one in posted["lines"]] == [
        (2450, "CREDIT", "100.00"), (7740, "CREDIT", "25.00"), (2450, "CREDIT", "20.00"), (7740, "CREDIT", "5.00"),
        (7440, "DEBIT", "150.00"),
    ]  # fmt: skip


async def test_a_deleted_draft_can_be_made_again(shop: Shop) -> None:
    await vendor(shop)
    document = await received(shop.api, peppol())
    await shop.ok_empty("DELETE", f"/v2/draft-journal-entries/{document['draftJournalEntryId']}")
    gone = await received(shop.api, peppol(), 200)
    assert (gone["id"], gone["status"], gone["draftJournalEntryId"]) == (document["id"], "discarded", None)
    path = f"{PATH}/{document['id']}/draft"
    answers = await asyncio.gather(*(shop.api.post(path, {}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert (await shop.ok("GET", "/v2/draft-journal-entries"))["total"] == 1
    again = await shop.ok("GET", f"{PATH}/{document['id']}")
    assert (await draft_of(shop, again))["attachmentCount"] == 2


@pytest.mark.parametrize(
    ("country", "category", "rate", "lines"),
    [
        ("DE", "K", "0", [(2450, "100.00"), (7740, "25.00"), (7700, "25.00"), (7440, "100.00")]),
        ("DE", "AE", "0", [(2450, "100.00"), (7740, "25.00"), (7720, "25.00"), (7440, "100.00")]),
        ("NO", "O", "0", [(2450, "100.00"), (7740, "25.00"), (7720, "25.00"), (7440, "100.00")]),
        ("DE", "S", "19", [(2450, "119.00"), (7440, "119.00")]),
        ("DK", "AE", "0", [(2450, "100.00"), (7740, "25.00"), (7680, "25.00"), (7440, "100.00")]),
        ("DK", "E", "0", [(2450, "100.00"), (7440, "100.00")]),
    ],
)
async def test_vat_by_where_the_sender_is(
    shop: Shop, country: str, category: str, rate: str, lines: list[tuple[int, str]]
) -> None:
    sender = {**SENDER, "country": country, "vat": f"{country}123456789"}
    await vendor(shop, countryCode=country, vatNumber=sender["vat"])
    document = await received(shop.api, peppol(line("100.00", category=category, rate=rate), sender=sender))
    assert codes(document) == (["VAT_OF_ANOTHER_COUNTRY"] if rate == "19" else [])
    posted = await book(shop, document)
    assert [(one["accountNumber"], one["amount"]) for one in posted["lines"]] == lines


async def test_what_does_not_add_up_is_drafted_as_stated_and_can_not_be_booked(shop: Shop) -> None:
    await vendor(shop)
    stranger = {"name": "Somebody", "vat": "DK99999999", "country": "DK"}
    document = await received(shop.api, peppol(gross="1300.00", receiver=stranger))
    assert codes(document) == ["RECEIVER_DIFFERS", "TOTALS_DIFFER"]
    assert (await draft_of(shop, document))["originalAmount"] == "1300.00"
    path = f"/v2/draft-journal-entries/{document['draftJournalEntryId']}/book"
    await shop.refused("POST", path, {}, 400, "JOURNAL_ENTRY_UNBALANCED")


async def test_in_euro_the_draft_takes_the_rate_of_its_day(shop: Shop) -> None:
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.46"}, status=200)
    await vendor(shop)
    document = await received(shop.api, peppol(currency="EUR", vat_in=("DKK", "1865.00")))
    assert (document["problems"], document["totals"]["vatInCurrency"]) == ([], "1865.00")
    draft = await draft_of(shop, document)
    assert (draft["currency"], draft["exchangeRate"]) == ("EUR", None)
    assert await shop.balance(7740) == 0
    await book(shop, document)
    assert await shop.balance(7740) == Decimal("1865.00")
    off = await received(shop.api, peppol(currency="EUR", vat_in=("DKK", "186.50"), number="2"))
    assert codes(off) == ["VAT_IN_BASE_DIFFERS"]
    unknown = await received(shop.api, peppol(currency="XXX", number="3"))
    assert (unknown["status"], codes(unknown)) == ("received", ["CURRENCY_UNKNOWN", "PDF_MISSING"])
    path = f"{PATH}/{unknown['id']}/draft"
    refused = await shop.refused("POST", path, {}, 409, "INCOMING_DOCUMENT_NOT_DRAFTABLE")
    assert refused == {"problems": ["CURRENCY_UNKNOWN"]}


async def test_two_vendors_with_one_number_are_not_guessed_between(shop: Shop) -> None:
    chosen = await vendor(shop)
    await vendor(shop, vendorNumber="V-2")
    document = await received(shop.api, peppol())
    assert (document["vendorId"], codes(document)) == (None, ["VENDOR_AMBIGUOUS"])
    path = f"{PATH}/{document['id']}/draft"
    refused = await shop.refused("POST", path, {}, 409, "INCOMING_DOCUMENT_NOT_DRAFTABLE")
    assert refused == {"problems": ["VENDOR_AMBIGUOUS"]}
    await shop.ok("POST", path, {"vendorId": chosen}, status=200)
    assert (await received(shop.api, peppol(number="2")))["vendorId"] == chosen


async def test_what_is_refused_changes_nothing(shop: Shop) -> None:
    untouched = await rows_of(shop.api)
    too_large = await send(shop.api, b"<a>" + b"x" * MAX_FILE)
    assert (too_large.status_code, too_large.json()["details"]) == (413, {"maxBytes": MAX_FILE})
    bad = await send(shop.api, b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>')
    assert (bad.status_code, bad.json()["code"]) == (400, "INCOMING_DOCUMENT_UNREADABLE")
    for body, name, rule in [
        ({"fileName": "a.xml", "content": "no base64!"}, "content", "isBase64"),
        ({"fileName": "../a.xml", "content": ""}, "fileName", "isFileName"),
    ]:
        details = await shop.refused("POST", PATH, body, 400, "SHARED_VALIDATION_FAILED")
        assert [(one["property"], list(one["constraints"])) for one in details["validationErrors"]] == [(name, [rule])]
    text = await shop.api.request("POST", PATH, content=peppol(), headers={"content-type": "text/plain"})
    assert text.status_code == 415
    unknown = await shop.api.request("POST", f"{PATH}?x=1", content=peppol(), headers=XML)
    assert [one["property"] for one in unknown.json()["details"]["validationErrors"]] == ["x"]
    assert await rows_of(shop.api) == untouched


async def test_a_key_receives_once(shop: Shop) -> None:
    key = {"x-api-idempotency-key": str(new_id())}
    first, again = [await send(shop.api, peppol(), **key) for _ in range(2)]
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await send(shop.api, peppol(number="2"), **key)).json()["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_texts_no_font_shows_and_markup_stay_texts(shop: Shop) -> None:
    await vendor(shop)
    document = await received(shop.api, peppol(line("1.00", name="#eval(1) *a* _b_ [c] @d \\ <e>")))
    assert codes(document) == []
    assert (await draft_of(shop, document))["lines"][0]["description"] == "#eval(1) *a* _b_ [c] @d \\ <e>"
    chinese = await received(shop.api, peppol(line("1.00", name="木材"), number="2"))
    assert (codes(chinese), (await draft_of(shop, chinese))["attachmentCount"]) == (["PDF_MISSING"], 1)


async def test_the_list(shop: Shop) -> None:
    chosen = await vendor(shop)
    other = {**SENDER, "name": "Øl A/S", "vat": "DK13585629"}
    first = await received(shop.api, peppol(number="B-1", date="2026-03-02"))
    second = await received(shop.api, peppol(number="A-2", kind="CreditNote", date="2026-03-01"))
    third = await received(shop.api, peppol(number="C-3", sender=other, date="2026-03-03"))
    await book(shop, first)
    await shop.ok_empty("DELETE", f"/v2/draft-journal-entries/{second['draftJournalEntryId']}")

    async def found(query: str) -> list[str]:
        answer = await shop.ok("GET", f"{PATH}?{query}")
        assert answer["total"] == len(answer["data"])
        return [one["number"] for one in answer["data"]]

    assert await found("") == ["C-3", "A-2", "B-1"]
    assert await found("sortBy=number&sortOrder=ASC") == ["A-2", "B-1", "C-3"]
    assert await found("sortBy=date&sortOrder=ASC") == ["A-2", "B-1", "C-3"]
    assert await found("sortBy=senderName&sortOrder=DESC") == ["C-3", "A-2", "B-1"]
    assert [await found(f"status={one}") for one in ("booked", "discarded", "received", "drafted")] == [
        ["B-1"], ["A-2"], ["C-3"], [],
    ]  # fmt: skip
    assert await found("documentType=credit_note") == ["A-2"]
    assert await found(f"vendorId={chosen}") == ["A-2", "B-1"]
    assert (await found("search=b-"), await found("search=øl"), await found("search=x")) == (["B-1"], ["C-3"], [])
    assert third["sender"]["name"] == "Øl A/S"
    assert RECEIVER["name"] == "Nordlys ApS"


async def test_events_tell_what_came_in(shop: Shop) -> None:
    document = await received(shop.api, peppol())
    body = {"accountId": await account(shop, 2450)}
    drafted = await shop.ok("POST", f"{PATH}/{document['id']}/draft", body, status=200)
    events = await shop.ok("GET", f"/v1/audit-events?objectId={document['id']}")
    told = {one["type"]: one for one in events["data"]}
    assert told.keys() == {"incoming_document.received", "incoming_document.drafted"}
    assert told["incoming_document.received"]["data"] == document
    assert told["incoming_document.drafted"]["before"] == document
    assert told["incoming_document.drafted"]["data"] == drafted
