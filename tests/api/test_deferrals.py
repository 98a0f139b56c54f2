"""Service periods of invoice lines, and the revenue that is deferred and recognised by them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tests.api.test_credit_notes import RECEIVABLE, faultless
from tests.api.test_invoices_pdf import pdf
from tests.conftest import Api
from tests.days import today_of
from tests.ledger_books import as_owner
from tests.selling import Shop, booked, line

from ledgerbee.core.dates import last_of_month
from ledgerbee.platform.context import Context
from ledgerbee.sales.deferrals import actions, store
from ledgerbee.sales.deferrals.daily import is_due, recognize_day

REVENUE = 1010
DEFERRED = 8071
OUTPUT_VAT = 7680
D = Decimal


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def days(first: str, last: str) -> dict[str, str]:
    return {"servicePeriodStart": first, "servicePeriodEnd": last}


def move(shop: Shop, day: str) -> None:
    shop.api.clock.now = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).replace(hour=12)


async def year(shop: Shop, net: str = "3650", **fields: Any) -> dict[str, Any]:
    """A sent invoice of 16 March for a year of 365 days from 1 March."""
    return await shop.sold(line(await shop.price(net), **days("2026-03-01", "2027-02-28")), **fields)


async def recognize(shop: Shop, month: str, **fields: Any) -> list[tuple[str, str]]:
    answer = await shop.ok("POST", "/v1/deferred-revenue/recognize", {"month": month, **fields}, status=200)
    return [(one["month"], one["amount"]) for one in answer["recognized"]]


async def report(shop: Shop, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = await shop.ok("GET", f"/v1/deferred-revenue{query}")
    return found


async def left(shop: Shop, query: str = "") -> str:
    """What is left by the report, all of which is on the account at the end of the day."""
    totals = (await report(shop, query))["totals"]
    assert totals["otherEntries"] in {"0.00", None}
    found: str = totals["left"]
    return found


async def test_a_year_is_earned_by_days(shop: Shop) -> None:
    """3,650.00 for 365 days, 10.00 a day: nothing on the day of the invoice, 310.00 at the end of March."""
    sold = await year(shop)
    assert booked(await shop.entry(sold["journalEntryId"])) == [
        (RECEIVABLE, D("4562.50"), D("4562.50"), "CONTROL"),
        (DEFERRED, D(-3650), D(-3650), "ENTERED"),
        (OUTPUT_VAT, D("-912.50"), D("-912.50"), "VAT"),
    ]
    # The sale is the base of its VAT, though it is earned later.
    assert (
        await shop.value(
            "SELECT v.code FROM journal_lines l JOIN vat_codes v USING (company_id) JOIN accounts a USING (company_id)"
            " WHERE l.company_id = $1 AND v.id = l.vat_code_id AND a.id = l.account_id AND a.number = 8071",
            shop.api.company_id,
        )
        == "S01"
    )
    await shop.refused("POST", "/v1/deferred-revenue/recognize", {"month": "2026-03"}, 400, "SHARED_VALIDATION_FAILED")
    move(shop, "2026-04-01")
    assert await recognize(shop, "2026-03") == [("2026-03", "310.00")]
    assert await recognize(shop, "2026-03") == []
    assert (await shop.balance(REVENUE), await shop.balance(DEFERRED)) == (D(-310), D(-3340))
    assert (await left(shop), await left(shop, "?asOf=2026-03-30"), await left(shop, "?asOf=2026-03-15")) == (
        "3340.00", "3650.00", "0.00",
    )  # fmt: skip
    move(shop, "2027-03-01")
    months = await recognize(shop, "2027-02")
    assert months[0] == ("2026-04", "300.00")
    assert months[-1] == ("2027-02", "280.00")
    assert len(months) == 11
    assert (await shop.balance(REVENUE), await shop.balance(DEFERRED)) == (D(-3650), D(0))
    assert (await report(shop))["data"] == []
    (one,) = (await report(shop, "?includeFinished=true"))["data"]
    assert (one["deferred"], one["recognized"], one["left"]) == ("3650.00", "3650.00", "0.00")
    assert await faultless(shop)


async def test_what_was_before_the_invoices_month_is_earned_at_once(shop: Shop) -> None:
    """890.00 for 89 days from 1 February, invoiced in March: 280.00 of February, then 310.00 and 300.00."""
    price = await shop.price("890")
    sold = await shop.sold(line(price, **days("2026-02-01", "2026-04-30")), line(price))
    assert booked(await shop.entry(sold["journalEntryId"]))[1:3] == [
        (REVENUE, D(-1170), D(-1170), "ENTERED"),
        (DEFERRED, D(-610), D(-610), "ENTERED"),
    ]
    assert (sold["lines"][0]["servicePeriodStart"], sold["lines"][0]["servicePeriodEnd"]) == (
        "2026-02-01", "2026-04-30",
    )  # fmt: skip
    assert sold["lines"][1]["servicePeriodStart"] is None
    move(shop, "2026-06-01")
    assert await recognize(shop, "2026-05") == [("2026-03", "310.00"), ("2026-04", "300.00")]
    entry_id = (await report(shop))["data"]
    assert entry_id == []
    listed = await shop.ok("GET", "/v1/journal-entries?limit=5")
    assert [one["date"] for one in listed["data"]][:2] != []
    assert await faultless(shop)


@pytest.mark.parametrize(
    "period", [days("2026-03-01", "2026-03-31"), days("2026-01-01", "2026-02-28"), {}], ids=["month", "past", "none"]
)
async def test_what_ends_with_the_invoices_month_is_not_deferred(shop: Shop, period: dict[str, str]) -> None:
    sold = await shop.sold(line(await shop.price("100"), **period))
    assert booked(await shop.entry(sold["journalEntryId"]))[1] == (REVENUE, D(-100), D(-100), "ENTERED")
    assert (await report(shop, "?includeFinished=true"))["data"] == []


async def test_groups_and_prepayments_that_do_not_defer(shop: Shop) -> None:
    groups = await shop.groups()
    path = f"/v1/product-groups/{groups['2']}"
    assert (await shop.ok("GET", path))["deferRevenue"] is True
    ahead = await year(shop, isPrepayment=True)
    assert booked(await shop.entry(ahead["journalEntryId"]))[1][0] == 7410
    price, customer = await shop.price("100"), await shop.customer()
    draft = await shop.draft(customer, line(price, **days("2026-03-01", "2026-12-31")))
    assert (await shop.ok("PATCH", path, {"deferRevenue": False}))["deferRevenue"] is False
    sold = await shop.send(draft)
    assert booked(await shop.entry(sold["journalEntryId"]))[1][0] == REVENUE
    assert await shop.value("SELECT count(*) FROM revenue_deferrals WHERE company_id = $1", shop.api.company_id) == 0
    assert await faultless(shop)


async def test_a_line_below_zero_is_deferred_too(shop: Shop) -> None:
    """An upgrade in mid-period: what is given back of the year goes off what was deferred, by the same days."""
    price = await shop.price("3650")
    sold = await shop.sold(
        line(price, **days("2026-03-01", "2027-02-28")),
        line(price, -1, unitPrice="365", **days("2026-04-01", "2027-02-28")),
    )
    assert sorted(booked(await shop.entry(sold["journalEntryId"]))[1:3]) == [
        (DEFERRED, D(-3650), D(-3650), "ENTERED"), (DEFERRED, D(365), D(365), "ENTERED"),
    ]  # fmt: skip
    assert await left(shop) == "3285.00"
    move(shop, "2026-05-01")
    # 300.00 less 365.00 x 30 / 334
    assert await recognize(shop, "2026-04") == [("2026-03", "310.00"), ("2026-04", "267.22")]
    move(shop, "2027-03-01")
    await recognize(shop, "2027-02")
    assert (await shop.balance(REVENUE), await shop.balance(DEFERRED)) == (D(-3285), D(0))
    assert await faultless(shop)


async def test_a_credit_goes_off_what_is_not_earned_yet(shop: Shop) -> None:
    """1,340.00 of 3,340.00 that are left: 2,000.00 are earned over the 334 days that are."""
    sold = await year(shop)
    move(shop, "2026-04-10")
    await recognize(shop, "2026-03")
    await shop.credited(sold, line(sold["lines"][0]["priceId"], 1, unitPrice="1340"))
    note = (await shop.ok("GET", "/v1/credit-notes"))["data"][0]
    assert booked(await shop.entry(note["journalEntryId"])) == [
        (RECEIVABLE, D(-1675), D(-1675), "CONTROL"),
        (DEFERRED, D(1340), D(1340), "ENTERED"),
        (OUTPUT_VAT, D(335), D(335), "VAT"),
    ]
    assert (await shop.note(note["id"]))["lines"][0]["servicePeriodEnd"] == "2027-02-28"
    (one,) = (await report(shop))["data"]
    assert (one["deferred"], one["recognized"], one["credited"], one["left"]) == (
        "3650.00", "310.00", "1340.00", "2000.00",
    )  # fmt: skip
    assert await left(shop, "?asOf=2026-04-09") == "3340.00"
    move(shop, "2026-05-01")
    assert await recognize(shop, "2026-04") == [("2026-04", "179.64")]
    # All that is left: 1,820.36 are not earned yet, 489.64 are.
    await shop.credited(sold)
    note = (await shop.ok("GET", "/v1/credit-notes"))["data"][0]
    assert booked(await shop.entry(note["journalEntryId"]))[1:3] == [
        (REVENUE, D("489.64"), D("489.64"), "ENTERED"),
        (DEFERRED, D("1820.36"), D("1820.36"), "ENTERED"),
    ]
    assert (await shop.balance(REVENUE), await shop.balance(DEFERRED)) == (D(0), D(0))
    assert await recognize(shop, "2026-04") == []
    assert await faultless(shop)


async def test_in_a_foreign_currency_what_was_booked_is_earned(shop: Shop) -> None:
    rate = {"currency": "EUR", "date": "2026-03-16", "rate": "7.4637"}
    await shop.ok("PUT", "/v1/exchange-rates", rate, status=200)
    price = await shop.price("33.33", currency="EUR")
    period = days("2026-03-01", "2026-05-31")
    sold = await shop.sold(line(price, **period), line(price, 3, **period), line(price, 7), currency="EUR")
    assert booked(await shop.entry(sold["journalEntryId"]))[2][0] == DEFERRED
    in_kroner = -(await shop.balance(DEFERRED))
    move(shop, "2026-04-20")
    (march,) = await recognize(shop, "2026-03")
    assert await left(shop) == f"{in_kroner - D(march[1]):.2f}"
    await shop.credited(sold, {"invoiceLineId": sold["lines"][0]["id"]})
    await shop.credited(sold, {"invoiceLineId": sold["lines"][1]["id"], "quantity": 1})
    assert await left(shop)
    move(shop, "2026-06-01")
    await recognize(shop, "2026-05")
    assert (await left(shop), await shop.balance(DEFERRED)) == ("0.00", D(0))
    assert await faultless(shop)
    await shop.credited(sold)
    assert await shop.balance(REVENUE) == D(0)
    assert await faultless(shop)


async def test_a_locked_month_waits(shop: Shop) -> None:
    """Nothing is booked of it, and no day is moved, until it is open or the operator names the day."""
    await year(shop)
    await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-31"}, status=200)
    move(shop, "2026-04-10")
    body = {"month": "2026-03"}
    await shop.refused("POST", "/v1/deferred-revenue/recognize", body, 409, "PERIOD_LOCKED")
    later = await shop.sold(line(await shop.price("910"), **days("2026-04-01", "2026-06-30")), date="2026-04-02")
    move(shop, "2026-05-02")
    await recognize_day(await today_of(shop.api))
    assert await (await today_of(shop.api)).read(lambda context: is_due(context, context.today))
    found = await report(shop)
    assert found["outstanding"] == [{"month": "2026-03", "deferrals": 1, "isLocked": True}]
    assert {one["invoiceId"]: one["recognized"] for one in found["data"]}[later["id"]] == "300.00"
    for day, rule in (("2026-03-30", "minDate"), ("2026-05-03", "maxDate")):
        details = await shop.refused(
            "POST", "/v1/deferred-revenue/recognize", body | {"date": day}, 400, "SHARED_VALIDATION_FAILED"
        )
        assert rule in str(details)
    assert await recognize(shop, "2026-03", date="2026-04-01") == [("2026-03", "310.00")]
    assert (await report(shop))["outstanding"] == [{"month": "2026-04", "deferrals": 1, "isLocked": False}]
    await recognize_day(await today_of(shop.api))
    await recognize_day(await today_of(shop.api))
    found = await report(shop)
    assert (found["outstanding"], found["totals"]["left"]) == ([], "3650.00")
    assert await faultless(shop)


async def test_of_two_at_once_one_recognises(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "CHUNK", 2)
    price = await shop.price("365")
    for _ in range(2):
        await shop.sold(*(line(price, **days("2026-03-01", "2027-02-28")) for _ in range(3)))
    move(shop, "2026-05-01")
    found = await asyncio.gather(*(recognize(shop, "2026-04") for _ in range(3)))
    assert max(found) == [("2026-03", "186.00"), ("2026-04", "180.00")]
    assert sum(len(one) for one in found) == 2
    entries = await shop.value(
        "SELECT count(*) FROM journal_entries WHERE company_id = $1 AND source_type = 'revenue_recognition'",
        shop.api.company_id,
    )
    assert entries == 6
    assert await faultless(shop)


async def test_a_recognition_is_not_reversed_by_itself(shop: Shop) -> None:
    await year(shop)
    move(shop, "2026-04-01")
    answer = await shop.ok("POST", "/v1/deferred-revenue/recognize", {"month": "2026-03"}, status=200)
    (entry_id,) = answer["recognized"][0]["journalEntryIds"]
    entry = await shop.ok("GET", f"/v1/journal-entries/{entry_id}")
    assert (entry["sourceType"], entry["date"]) == ("REVENUE_RECOGNITION", "2026-03-31")
    assert entry["description"] == "Indtægtsførsel af periodiseret omsætning, marts 2026"
    await shop.refused("POST", f"/v1/journal-entries/{entry_id}/reverse", {}, 409, "JOURNAL_ENTRY_INVALID_STATE")


async def test_drafts_keep_and_change_their_periods(shop: Shop) -> None:
    price, customer = await shop.price(), await shop.customer()
    draft = await shop.draft(customer, line(price, **days("2026-03-01", "2026-05-31")))
    path = f"/v1/invoices/{draft['id']}"
    other = await shop.customer()
    kept = await shop.ok("PATCH", path, {"customerId": other})
    assert kept["lines"][0]["servicePeriodEnd"] == "2026-05-31"
    changed = await shop.ok("PATCH", path, {"lines": [line(price, **days("2026-03-01", "2026-06-30"))]})
    assert changed["lines"][0]["servicePeriodEnd"] == "2026-06-30"
    none = await shop.ok("PATCH", path, {"lines": [line(price, servicePeriodStart=None, servicePeriodEnd=None)]})
    assert none["lines"][0]["servicePeriodEnd"] is None


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"servicePeriodStart": "2026-03-01"}, "lines.0.servicePeriodEnd"),
        ({"servicePeriodEnd": "2026-03-01", "servicePeriodStart": None}, "lines.0.servicePeriodStart"),
        (days("2026-03-02", "2026-03-01"), "lines.0.servicePeriodEnd"),
        (days("2026-03-01", "2206-03-01"), "lines.0.servicePeriodEnd"),
        (days("2026-03-01", "2026-02-30"), "lines.0.servicePeriodEnd"),
    ],
)
async def test_bad_periods_are_refused(shop: Shop, fields: dict[str, Any], name: str) -> None:
    body = {
        "customerId": await shop.customer(),
        "date": "2026-03-16",
        "lines": [line(await shop.price(), **fields)],
    }
    details = await shop.refused("POST", "/v1/invoices", body, 400, "SHARED_VALIDATION_FAILED")
    assert name in str(details)
    text = {"lineType": "text", "description": "x", **days("2026-03-01", "2026-03-31")}
    body["lines"] = [line(await shop.price()), text]
    details = await shop.refused("POST", "/v1/invoices", body, 400, "SHARED_VALIDATION_FAILED")
    assert "lines.1.servicePeriodStart" in str(details)


async def test_periods_are_printed_and_in_e_invoices(shop: Shop) -> None:
    customer = await shop.customer(vatNumber="29189846", eanNumber="5790000121526")
    period = days("2026-03-01", "2026-12-31")
    sold = await shop.send(await shop.draft(customer, line(await shop.price(), **period), line(await shop.price())))
    text, _ = await pdf(shop, sold)
    assert "1. mar. 2026 - 31. dec. 2026" in text
    note = await shop.send_note(await shop.credit(sold))
    for path in (f"/v1/invoices/{sold['id']}", f"/v1/credit-notes/{note['id']}"):
        xml = (await shop.api.get(f"{path}/e-invoice?format=peppol")).text
        found = "<cac:InvoicePeriod><cbc:StartDate>2026-03-01</cbc:StartDate><cbc:EndDate>2026-12-31</cbc:EndDate>"
        assert xml.count(found) == xml.count("<cac:InvoicePeriod>") == 1
        xml = (await shop.api.get(f"{path}/e-invoice?format=oioubl")).text
        assert xml.count("<cac:RequestedDeliveryPeriod><cbc:StartDate>2026-03-01</cbc:StartDate>") == 1


async def test_a_chart_without_the_account_gets_one(shop: Shop, database_url: str) -> None:
    """As charts of earlier releases are outside of Denmark: nothing is deferred until an account has the role."""
    owner = await as_owner(database_url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(shop.api.company_id))
    await owner.execute("UPDATE accounts SET role = NULL WHERE company_id = $1 AND number = 8071", shop.api.company_id)
    await owner.close()
    draft = await shop.draft(await shop.customer(), line(await shop.price(), **days("2026-03-01", "2026-12-31")))
    path, body = f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"}
    await shop.refused("POST", path, body, 400, "INVOICE_DEFERRAL_ACCOUNT_MISSING")
    account = {"accountNumber": 8072, "name": "Forudfaktureret", "ledgerType": "BALANCE_SHEET", "publicAccountId": 8070}
    account |= {"role": "DEFERRED_REVENUE", "accountClassification": "ASSET"}
    await shop.refused("POST", "/v1/accounts", account, 400, "SHARED_VALIDATION_FAILED")
    made = await shop.ok("POST", "/v1/accounts", account | {"accountClassification": "LIABILITY"})
    assert made["role"] == "DEFERRED_REVENUE"
    again = account | {"accountClassification": "LIABILITY", "accountNumber": 8073}
    details = await shop.refused("POST", "/v1/accounts", again, 409, "ACCOUNT_ROLE_ALREADY_EXISTS")
    assert details == {"property": "role", "value": "DEFERRED_REVENUE"}
    await shop.refused("PATCH", f"/v1/accounts/{made['id']}", {"isActive": False}, 409, "ACCOUNT_IN_USE")
    sold = await shop.send(draft)
    assert booked(await shop.entry(sold["journalEntryId"]))[1][0] == 8072
    assert await faultless(shop)


async def test_a_lost_invoice_keeps_its_schedule(shop: Shop) -> None:
    """A write-off takes the receivable and the VAT, as ever: what was sold for days to come is earned by days."""
    sold = await year(shop)
    await shop.ok("POST", f"/v1/invoices/{sold['id']}/write-off", {}, status=201)
    assert (await left(shop), await shop.balance(RECEIVABLE)) == ("3650.00", D(0))
    move(shop, "2026-04-01")
    assert await recognize(shop, "2026-03") == [("2026-03", "310.00")]
    assert await faultless(shop)


async def test_many_invoices_defer_by_one_statement(shop: Shop) -> None:
    price, customer = await shop.price("365"), await shop.customer()
    drafts = [await shop.draft(customer, line(price, **days("2026-03-01", "2027-02-28"))) for _ in range(3)]
    ids: Sequence[str] = [draft["id"] for draft in drafts]
    answer = await shop.ok("POST", "/v1/invoices/send-batch", {"invoiceIds": list(ids)}, status=200)
    assert {one["outcome"] for one in answer["results"]} == {"sent"}
    found = await report(shop, f"?invoiceId={ids[0]}")
    assert (found["total"], found["totals"]["left"], found["totals"]["otherEntries"]) == (1, "365.00", None)
    assert (await report(shop, f"?customerId={customer}&limit=2"))["totalPages"] == 2

    async def of_invoice(context: Context) -> int:
        return len(await store.list_of_invoice_for_update(context, UUID(ids[0])))

    assert await shop.api.run(of_invoice) == 1
    assert last_of_month(date(2026, 2, 3)) == date(2026, 2, 28)
