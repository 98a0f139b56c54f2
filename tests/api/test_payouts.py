"""Payouts of providers: booked once, to the last oere, whatever brings them; and what doesn't agree is named."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.card_provider import Behavior
from tests.cards import Cards
from tests.charging import Charger
from tests.conftest import Api, SteeredClock, new_company
from tests.days import job_of
from tests.sandboxes import advance
from tests.selling import booked, line

from ledgerbee.app.verify import verify
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.charges.jobs import charge_card
from ledgerbee.payments.disputes.jobs import look_at_dispute
from ledgerbee.payments.payouts.audit import fault_in_payouts
from ledgerbee.payments.payouts.jobs import give_up, read_payouts
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.payments.refunds.jobs import refund_charge
from ledgerbee.platform.db import Database

D = Decimal
BANK, CLEARING, FEES, UNIDENTIFIED = 6480, 6331, 2391, 8042
IMPORT = "/v1/payouts/import"


@pytest.fixture
async def charger(api: Api) -> Charger:
    charger = Charger(api)
    await charger.set_up()
    return charger


def moved(id_: str, type_: str, amount: str, fee: str = "0", **fields: Any) -> dict[str, Any]:
    """A movement as JSON, of the company's day."""
    return {
        "id": id_, "type": type_, "amount": amount, "fee": fee, "currency": "DKK", "date": "2026-03-16", **fields,
    }  # fmt: skip


async def bring(charger: Charger, *movements: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"provider": "stripe", "movements": list(movements), **fields}
    found: dict[str, Any] = await charger.ok("POST", IMPORT, body)
    return found


async def charged(charger: Charger, amount: str = "1000") -> dict[str, Any]:
    """A charge that succeeded, of `amount` and VAT."""
    return await charger.carry_out(await charger.charge(await charger.due(amount)))


async def balances(charger: Charger) -> tuple[Decimal, ...]:
    """Bank, clearing, fees and unidentified receipts."""
    return tuple([await charger.balance(number) for number in (BANK, CLEARING, FEES, UNIDENTIFIED)])


async def check_books(charger: Charger) -> None:
    assert await charger.api.run(fault_in_payouts) is None
    assert (await charger.api.run(verify, one_snapshot=True)).fault is None


async def test_a_payout_is_booked_with_what_nobody_knows(charger: Charger) -> None:
    charge = await charged(charger)
    answer = await bring(
        charger,
        moved("t1", "charge", "1250.00", "19.30", reference=charge["reference"], payout="po_1"),
        moved("t2", "charge", "500.00", "8.80", object="ch_of_nobody", payout="po_1", description="Other shop"),
        moved("t3", "fee", "-12.00", payout="po_1"),
        moved("t4", "payout", "-1709.90", object="po_1"),
    )
    (payout,) = answer["payouts"]
    assert (answer["taken"], answer["known"], payout["status"], payout["waitsFor"]) == (4, 0, "paid", None)
    assert (payout["amount"], payout["feeAmount"], payout["unidentifiedAmount"]) == ("1709.90", "40.10", "500.00")
    assert [one["object"] for one in payout["unmatched"]] == ["ch_of_nobody"]
    entry = await charger.entry(payout["journalEntryId"])
    assert booked(entry) == [
        (BANK, D("1709.90"), D("1709.90"), "ENTERED"),
        (FEES, D("40.10"), D("40.10"), "ENTERED"),
        (UNIDENTIFIED, D("-500.00"), D("-500.00"), "ENTERED"),
        (CLEARING, D("-1250.00"), D("-1250.00"), "ENTERED"),
    ]
    texts = [one.description for one in entry.content.lines if one.description]
    assert texts == ["charge ch_of_nobody t2 Other shop"]
    assert await charger.balance(CLEARING) == 0

    detail = await charger.ok("GET", f"/v1/payouts/{payout['id']}")
    assert [one["providerId"] for one in detail["movements"]] == ["t1", "t2", "t3", "t4"]
    assert detail["movements"][0]["chargeId"] == charge["id"]
    assert detail["unmatched"] == payout["unmatched"]
    (event,) = await charger.events("payout.paid")
    assert event == {name: value for name, value in payout.items() if name != "unmatched"}
    page = await charger.ok("GET", "/v1/payouts?provider=stripe&status=paid")
    assert (page["data"], page["total"]) == ([event], 1)
    assert (await charger.ok("GET", "/v1/payouts?status=pending"))["total"] == 0
    await check_books(charger)


async def test_a_movement_is_taken_once_whatever_brings_it(charger: Charger) -> None:
    charge = await charged(charger)
    whole = [
        moved("t1", "charge", "1250.00", "19.30", reference=charge["reference"], payout="po_1"),
        moved("t4", "payout", "-1230.70", object="po_1"),
    ]
    answers = await asyncio.gather(*(bring(charger, *whole) for _ in range(3)))
    assert sorted((one["taken"], one["known"], len(one["payouts"])) for one in answers) == [
        (0, 2, 0),
        (0, 2, 0),
        (2, 0, 1),
    ]
    after = await balances(charger)
    assert after == (D("1230.70"), D(0), D("19.30"), D(0))
    details = await charger.refused(
        "POST", IMPORT, {"provider": "stripe", "movements": [moved("t0", "other", "1"), {**whole[0], "fee": "1"}]}, 409,
        "PAYOUT_MOVEMENT_DIFFERS",
    )  # fmt: skip
    assert details == {"movementId": "t1", "property": "fee"}
    late = {"provider": "stripe", "movements": [moved("t9", "fee", "-1", payout="po_1")]}
    assert await charger.refused("POST", IMPORT, late, 409, "PAYOUT_ALREADY_PAID") == {
        "movementId": "t9", "payout": "po_1",
    }  # fmt: skip
    # The same charge in another movement is somebody else's money.
    twice = await bring(
        charger,
        moved("t5", "charge", "1250.00", reference=charge["reference"], payout="po_2"),
        moved("t6", "payout", "-1250.00", object="po_2"),
    )
    assert [one["providerId"] for one in twice["payouts"][0]["unmatched"]] == ["t5"]
    assert await balances(charger) == (D("2480.70"), D(0), D("19.30"), D("-1250.00"))
    await check_books(charger)


async def test_a_payout_waits_until_it_is_whole(charger: Charger) -> None:
    charge = await charged(charger)
    first = await bring(charger, moved("t4", "payout", "-1230.70", object="po_1"),
                        moved("t2", "fee", "-0.70", payout="po_1"))  # fmt: skip
    (payout,) = first["payouts"]
    assert (payout["status"], payout["waitsFor"], payout["unmatched"]) == ("pending", "incomplete", [])
    assert [one["providerId"] for one in (await charger.ok("GET", f"/v1/payouts/{payout['id']}"))["movements"]] == [
        "t4",
        "t2",
    ]
    assert await balances(charger) == (D(0), D(1250), D(0), D(0))
    rest = moved("t1", "charge", "1250.00", "18.60", reference=charge["reference"], payout="po_1")
    (payout,) = (await bring(charger, rest))["payouts"]
    assert payout["status"] == "paid"
    assert await balances(charger) == (D("1230.70"), D(0), D("19.30"), D(0))
    # What the provider takes back from the bank.
    (taken,) = (await bring(charger, moved("t7", "payout", "1230.70", object="po_1")))["payouts"]
    assert (taken["amount"], taken["providerId"], taken["leftAmount"]) == ("-1230.70", "t7", "1230.70")
    assert await balances(charger) == (D(0), D("1230.70"), D("19.30"), D(0))
    await check_books(charger)


async def test_in_a_locked_period_nothing_is_taken(charger: Charger) -> None:
    await charger.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-31"}, status=200)
    body = {"provider": "stripe", "movements": [moved("t4", "payout", "-100", object="po_1")]}
    await charger.refused("POST", IMPORT, body, 409, "PERIOD_LOCKED")
    assert (await charger.ok("GET", "/v1/payouts"))["total"] == 0
    assert (
        await charger.value("SELECT count(*) FROM payout_movements WHERE company_id = $1", charger.api.company_id) == 0
    )


EXCEL = (
    "sep=;\r\nId;Type;Beløb;Gebyr;Valuta;Dato;Ordrenr.;Udbetaling;Netto\r\n"
    "q/1;Charge;1.250,00;19,30;DKK;16-03-2026;{0};b1;1.230,70\r\n\r\n"
    "q/2;Payout;-1.230,70;;DKK;17-03-2026;;b1;\r\n"
)
POINTS = (
    "id,type,amount,fee,currency,date,reference,payout\n"
    'q/1,charge,"1,250.00",19.30,DKK,2026-03-16,{0},b1\n'
    "q/2,payout,-1230.70,0,DKK,2026-03-17,,b1\n"
)


@pytest.mark.parametrize(
    ("text", "encoding", "query"),
    [
        (EXCEL, "utf-8-sig", "?dateFormat=DD-MM-YYYY"),
        (EXCEL, "windows-1252", "?provider=stripe&encoding=windows-1252"),
        (POINTS, "utf-8", ""),
    ],
    ids=["excel", "windows", "points"],
)
async def test_a_file_as_programs_write_it(charger: Charger, text: str, encoding: str, query: str) -> None:
    charge = await charged(charger)
    headers = {"content-type": "text/csv"}
    raw = text.format(charge["reference"]).encode(encoding)
    path = f"{IMPORT}{query}"
    answer = await charger.api.request("POST", path, content=raw, headers=headers)
    assert answer.status_code == 201, answer.text
    (payout,) = answer.json()["payouts"]
    assert (payout["status"], payout["amount"], payout["date"], payout["unmatched"]) == (
        "paid",
        "1230.70",
        "2026-03-17",
        [],
    )
    assert await balances(charger) == (D("1230.70"), D(0), D("19.30"), D(0))
    again = await charger.api.request("POST", path, content=raw, headers=headers)
    assert (again.json()["taken"], again.json()["known"]) == (0, 2)


HEADER = "id;type;amount;currency;date\n"


@pytest.mark.parametrize(
    ("raw", "line_", "words"),
    [
        (b"id;type;amount\n1;fee;2\n", None, "no column currency, date"),
        (HEADER.encode() + "1;fee;1,50;DKK;2026-03-16\nå;fee;1,50;DKK;2026-03-16\n".encode("latin-1"), 3, "not UTF-8"),
        (HEADER.encode() + b"1;fee;1,50;DKK;2026-03-16\n2;fee;1,50;KRONER;2026-03-16\n", 3, "currency"),
        (HEADER.encode() + b"1;fee;1,505;DKK;2026-03-16\n2;fee;1,50;DKK;2026-03-16\n", 2, "2 decimals"),
        (HEADER.encode() + b"1;gift;1,50;DKK;2026-03-16\n", 2, "type"),
        (HEADER.encode() + b"1;fee;1,50;DKK;16. marts\n", 2, "date"),
        (HEADER.encode() + b"1;fee;1.500;DKK;2026-03-16\n", 2, "decimal mark"),
        (HEADER.encode() + b"1;fee;1,50;DKK\n", 2, "4 values"),
        (HEADER.encode() + b"1;payout;0;DKK;2026-03-16\n", 2, "zero"),
        (HEADER.encode() + b"1;fee;1,50;DKK;2026-03-16\n2;charge;0,00;DKK;2026-03-16\n", 3, "nothing moved"),
        (HEADER.encode(), None, "no row"),
        (b"", None, "empty"),
    ],
)
async def test_a_line_that_is_wrong_is_named(charger: Charger, raw: bytes, line_: int | None, words: str) -> None:
    answer = await charger.api.request(
        "POST", f"{IMPORT}?provider=stripe", content=raw, headers={"content-type": "text/csv"}
    )
    found = answer.json()
    assert (answer.status_code, found["code"]) == (400, "PAYOUT_IMPORT_UNREADABLE"), answer.text
    assert words in found["message"]
    assert found["details"].get("line") == line_


async def test_what_a_request_can_not_be(
    charger: Charger, http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    one = moved("t1", "fee", "-1.555")
    body = {"provider": "stripe", "movements": [one]}
    details = await charger.refused("POST", IMPORT, body, 400, "SHARED_VALIDATION_FAILED")
    assert details["validationErrors"][0]["property"] == "movements.0.amount"
    body["movements"] = [moved("t1", "fee", "-1")]
    await charger.refused("POST", f"{IMPORT}?provider=stripe", body, 400, "SHARED_VALIDATION_FAILED")
    await charger.refused("POST", IMPORT, {**body, "provider": "quickpay"}, 404, "PAYMENT_PROVIDER_NOT_FOUND")
    # Another company's account and payout.
    other = Charger(await new_company(http, database, clock))
    await other.set_up()
    accounts = await other.ok("GET", "/v1/accounts")
    foreign = next(one["id"] for one in accounts if one["accountNumber"] == BANK)
    payout = moved("t4", "payout", "-100", object="po_1")
    body = {"provider": "stripe", "movements": [payout], "bankAccountId": foreign}
    await charger.refused("POST", IMPORT, body, 404, "ACCOUNT_NOT_FOUND")
    (theirs,) = (await bring(other, payout, bankAccountId=foreign))["payouts"]
    await charger.refused("GET", f"/v1/payouts/{theirs['id']}", None, 404, "PAYOUT_NOT_FOUND")
    assert await balances(other) == (D(100), D(-100), D(0), D(0))


class Sandbox:
    """A company whose day can be moved, with the provider that is built in."""

    def __init__(self, api: Api) -> None:
        self.cards = Cards(api)
        self.charger = Charger(api)

    async def charge(self, number: str = "4242424242424242", amount: str = "1000") -> dict[str, Any]:
        invoice = await self.charger.sold(line(await self.charger.price(amount)))
        await self.cards.save(invoice["customerId"], number)
        charge = await self.charger.charge(invoice)
        await self.run(charge_card, chargeId=charge["id"])
        return await self.charger.charged(charge["id"])

    async def run(self, job: Any, **payload: str) -> None:
        with suppress(LedgerBeeError):
            await job(self.cards.providers, job_of(self.charger.api, **payload))

    async def read(self) -> dict[str, Any]:
        """Ask what moved; what doesn't agree."""
        await self.run(read_payouts, provider="sandbox")
        found: dict[str, Any] = await self.charger.ok("GET", "/v1/payment-providers/sandbox/reconciliation")
        return found


@pytest.fixture
async def sandbox(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> Sandbox:
    sandbox = Sandbox(await new_company(http, database, clock, is_sandbox=True))
    await sandbox.cards.enable()
    return sandbox


async def test_what_the_provider_pays_out_leaves_clearing_at_zero(sandbox: Sandbox) -> None:
    """Charges, a refund, a lost dispute and one that is won, over some weeks."""
    charger, api = sandbox.charger, sandbox.charger.api
    path = "/v1/payment-providers/sandbox/reconciliation"
    none = await charger.ok("GET", path)
    assert (none["provider"], none["createdAt"], none["differences"]) == ("sandbox", None, [])
    first = await sandbox.charge()
    lost, won = await sandbox.charge("4000000000000259"), await sandbox.charge("4000000000001976", "2000")
    assert (await sandbox.read())["differences"] == []
    assert (await charger.ok("GET", "/v1/payouts"))["total"] == 0
    refund = await charger.ok("POST", f"/v1/charges/{first['id']}/refunds", {"amount": "250"}, status=202)
    await sandbox.run(refund_charge, refundId=refund["id"])
    await advance(api, date(2026, 3, 18))
    assert (await sandbox.read())["differences"] == []
    (payout,) = (await charger.ok("GET", "/v1/payouts"))["data"]
    assert (payout["status"], payout["date"], payout["leftAmount"]) == ("paid", "2026-03-17", "0.00")
    fees = D("19.30") * 2 + D("36.80")
    assert (payout["amount"], payout["feeAmount"]) == (str(D(4750) - fees), str(fees))
    assert await balances(charger) == (D(4750) - fees, D(0), fees, D(0))
    # The disputed one is lost a week later, and taken from what is paid out next.
    await advance(api, date(2026, 3, 24))
    for one in (lost, won):
        await sandbox.run(look_at_dispute, provider="sandbox", disputeId=one["providerId"])
    assert await charger.balance(CLEARING) == D(-1250)
    await sandbox.charge(amount="4000")
    await sandbox.read()
    await advance(api, date(2026, 3, 26))
    assert (await sandbox.read())["differences"] == []
    payouts = await charger.ok("GET", "/v1/payouts")
    assert (payouts["total"], payouts["data"][0]["amount"]) == (2, str(D(5000) - D("71.80") - D(1250)))
    assert await charger.balance(CLEARING) == 0
    await sandbox.read()
    assert (await charger.ok("GET", "/v1/payouts"))["total"] == 2
    await check_books(charger)


async def test_what_does_not_agree_is_named(charger: Charger) -> None:
    """The provider lacks one charge, has one that nobody knows, and one that has no answer here yet."""
    listed, missing = await charged(charger), await charged(charger, "400")
    charger.provider.next = [Behavior.LOSES_ANSWER]
    unclear = await charger.carry_out(await charger.charge(await charger.due("100")))
    assert unclear["status"] == "unclear"
    there = {one.reference: one for one in charger.provider.charges}
    charger.provider.charges.remove(there[missing["reference"]])
    unknown = replace(there[listed["reference"]], provider_id="ch_77", reference="NOBODYS")
    charger.provider.charges.append(unknown)
    providers = {ProviderName.STRIPE: charger.provider}
    charger.api.clock.now += timedelta(days=4)
    await read_payouts(providers, job_of(charger.api, provider="stripe"))
    path = "/v1/payment-providers/stripe/reconciliation"
    found = await charger.ok("GET", path)
    assert {(one["kind"], one["reference"], one["amount"], one["providerAmount"]) for one in found["differences"]} == {
        ("unknown_here", "NOBODYS", None, "1250.00"),
        ("undecided_here", unclear["reference"], "125.00", "125.00"),
        ("missing_at_provider", missing["reference"], "500.00", None),
    }
    jobs = await charger.value(
        "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'charge_card' AND convert_from(payload, 'UTF8') LIKE $1",
        f"%{unclear['id']}%",
    )
    assert jobs >= 1
    assert (await charger.carry_out(unclear))["status"] == "succeeded"
    await give_up(job_of(charger.api, provider="stripe"), "it gave no answer")
    assert "It gave no answer" in (await charger.ok("GET", path))["failure"]
    await check_books(charger)
