"""Refunds and disputes: nothing goes back twice, and nothing goes back without a booking."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from tests.api.test_charges import CLEARING, RECEIVABLE, UNIDENTIFIED, call_back, jobs_of
from tests.api.test_customer_credit import apply, credit_of, sell
from tests.api.test_payments import pay
from tests.card_provider import Behavior
from tests.charging import Charger
from tests.conftest import Api
from tests.days import job_of, today_of
from tests.ledger_books import as_owner
from tests.selling import booked, line

from ledgerbee.app.verify import verify
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.charge_returns.audit import fault_in_returns
from ledgerbee.payments.charges import actions as charges
from ledgerbee.payments.disputes import daily as dispute_days
from ledgerbee.payments.disputes.jobs import look_at_dispute
from ledgerbee.payments.providers.model import (
    ChargeStatus,
    DisputeStatus,
    ProviderDispute,
    ProviderError,
    ProviderName,
    ProviderUnclearError,
)
from ledgerbee.payments.refunds import actions, daily
from ledgerbee.payments.refunds.jobs import refund_charge

FEES, GAIN, LOSS = 2391, 3535, 3610
D = Decimal


class Refunder(Charger):
    """A company that charges, refunds, and loses disputes."""

    async def charged_for(self, invoice: dict[str, Any]) -> dict[str, Any]:
        """A charge of an invoice that succeeded."""
        charge = await self.carry_out(await self.charge(invoice))
        assert charge["status"] == "succeeded"
        return charge

    async def refund(self, charge: dict[str, Any], amount: str | None = None) -> dict[str, Any]:
        """Ask for a refund of a charge."""
        body = {} if amount is None else {"amount": amount}
        found: dict[str, Any] = await self.ok("POST", f"/v1/charges/{charge['id']}/refunds", body, status=202)
        return found

    async def carried(self, refund: dict[str, Any]) -> dict[str, Any]:
        """One run of the job of a refund, and the refund after it."""
        with suppress(ProviderUnclearError, LedgerBeeError):
            await refund_charge({ProviderName.STRIPE: self.provider}, job_of(self.api, refundId=refund["id"]))
        found: dict[str, Any] = await self.ok("GET", f"/v1/refunds/{refund['id']}")
        return found

    async def refunded(self, charge: dict[str, Any], amount: str | None = None) -> dict[str, Any]:
        """A refund that succeeded."""
        refund = await self.carried(await self.refund(charge, amount))
        assert refund["status"] == "succeeded"
        return refund

    async def told(self, charge: dict[str, Any], status: str, dispute_id: str = "dp_1", **fields: Any) -> None:
        """Let a dispute of all of a charge stand so at the provider, and have it looked at."""
        self.provider.disputes[dispute_id] = ProviderDispute(
            provider_id=dispute_id,
            charge_id=charge["providerId"],
            status=DisputeStatus(status),
            reason="fraudulent",
            **{"amount": D(charge["amount"]), "currency": charge["currency"], **fields},
        )
        job = job_of(self.api, provider="stripe", disputeId=dispute_id)
        with suppress(ProviderError, LedgerBeeError):
            await look_at_dispute({ProviderName.STRIPE: self.provider}, job, pauses_s=())

    async def rate(self, rate: str) -> None:
        """What a dollar is worth from today on."""
        body = {"currency": "USD", "date": self.api.clock.now.date().isoformat(), "rate": rate}
        await self.ok("PUT", "/v1/exchange-rates", body)

    async def disputes(self, query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ok("GET", f"/v1/disputes{query}"))["data"]
        return found

    async def standing(self, invoice: dict[str, Any]) -> tuple[str, str, str]:
        """Status, what is paid and what is due."""
        found = await self.invoice(invoice["id"])
        return found["status"], found["amountPaid"], found["amountDue"]

    async def check(self, receivable: str = "0") -> None:
        """Clearing is what the provider has, the receivable what is due less credit, and all of the books hold."""
        taken = sum(self.provider.taken.values(), D(0))
        given = sum((one.amount for one in self.provider.refunds if one.status is ChargeStatus.SUCCEEDED), D(0))
        lost = sum(
            (one.amount + (one.fee or 0) for one in self.provider.disputes.values() if one.status == "lost"), D(0)
        )
        assert await self.balance(CLEARING) == taken - given - lost
        assert await self.balance(RECEIVABLE) == D(receivable)
        assert (await self.api.run(verify, one_snapshot=True)).fault is None


@pytest.fixture
async def shop(api: Api) -> Refunder:
    refunder = Refunder(api)
    await refunder.set_up()
    return refunder


async def test_refunds_open_the_invoice_until_nothing_is_left(shop: Refunder) -> None:
    invoice = await shop.due()
    charge = await shop.charged_for(invoice)
    asked = await shop.refund(charge, "250")
    assert (asked["status"], asked["amount"], asked["journalEntryId"]) == ("pending", "250.00", None)
    refund = await shop.carried(asked)
    assert (refund["status"], refund["providerId"], refund["invoiceAmount"]) == ("succeeded", "re_2", "250.00")
    entry = await shop.entry(refund["journalEntryId"])
    assert booked(entry) == [
        (RECEIVABLE, D(250), D(250), "CONTROL"),
        (CLEARING, D(-250), D(-250), "ENTERED"),
    ]
    assert entry.content.description == f"Tilbagebetaling af korttræk, faktura {invoice['number']}, Havblik A/S"
    assert entry.content.reference == refund["reference"]
    assert await shop.standing(invoice) == ("partially_paid", "1000.00", "250.00")
    assert await shop.events("payment.refunded") == [refund]
    assert await shop.carried(asked) == refund  # whoever has the job once more asks nobody
    path = f"/v1/charges/{charge['id']}/refunds"
    over = await shop.refused("POST", path, {"amount": "1000.01"}, 409, "REFUND_EXCEEDS_CHARGE")
    assert over == {"amount": "1000.01", "amountLeft": "1000.00"}
    for wrong in ("0", "-1", "1.001"):
        await shop.refused("POST", path, {"amount": wrong}, 400, "SHARED_VALIDATION_FAILED")
    rest = await shop.refunded(charge)
    assert rest["amount"] == "1000.00"
    assert await shop.standing(invoice) == ("sent", "0.00", "1250.00")
    await shop.refused("POST", path, {}, 409, "REFUND_EXCEEDS_CHARGE")
    assert await shop.ok("GET", path) == [refund, rest]
    assert shop.provider.calls["refund"] == 2
    await shop.check("1250")
    # On somebody's word it is charged again.
    again = await shop.charged_for(invoice)
    assert (again["amount"], (await shop.standing(invoice))[0]) == ("1250.00", "paid")
    await shop.check()


async def test_two_at_once_are_never_more_than_the_charge(shop: Refunder) -> None:
    charge = await shop.charged_for(await shop.due())
    path = f"/v1/charges/{charge['id']}/refunds"
    answers = await asyncio.gather(*(shop.api.post(path, {"amount": "500"}) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [202, 202, 409, 409]
    refunds = await shop.ok("GET", path)
    runs = await asyncio.gather(*(shop.carried(one) for one in refunds * 2))
    assert {one["status"] for one in runs} <= {"pending", "succeeded"}
    assert [one["status"] for one in await shop.ok("GET", path)] == ["succeeded"] * 2
    assert shop.provider.calls["refund"] == 2
    await shop.check("1000")


async def test_answers_that_are_lost_late_or_wrong(shop: Refunder) -> None:
    charge = await shop.charged_for(await shop.due())
    for lost, calls in ((Behavior.LOSES_ANSWER, 1), (Behavior.LOSES_REQUEST, 3)):
        shop.provider.next = [lost]
        refund = await shop.carried(await shop.refund(charge, "100"))
        assert (refund["status"], refund["finishedAt"]) == ("unclear", None)
        shop.provider.is_silent = True
        assert (await shop.carried(refund))["status"] == "unclear"
        shop.provider.is_silent = False
        found = await shop.carried(refund)
        if lost is Behavior.LOSES_REQUEST:  # the request may still be on its way: it isn't repeated yet
            assert (found["status"], shop.provider.calls["refund"]) == ("unclear", calls - 1)
            shop.api.clock.now += timedelta(minutes=5)
            found = await shop.carried(refund)
        assert (found["status"], shop.provider.calls["refund"]) == ("succeeded", calls)
    shop.provider.next = [Behavior.MISUNDERSTANDS]
    refund = await shop.carried(await shop.refund(charge, "100"))
    assert refund["status"] == "unclear"
    assert (await shop.carried(refund))["status"] == "succeeded"  # asked again, it says what it was asked for
    # A worker died between question and answer: a second look within a minute waits, a later one asks.
    refund = await shop.refund(charge, "100")
    await shop.api.run(lambda context: actions.ask(context, UUID(refund["id"])))  # type: ignore[arg-type]
    before = shop.provider.calls.copy()
    assert (await shop.carried(refund))["status"] == "pending"
    assert shop.provider.calls == before
    shop.api.clock.now += timedelta(days=2)
    today = await today_of(shop.api)
    assert await shop.api.run(lambda context: daily.is_due(context, today.day))
    jobs = await jobs_of(shop)
    await daily.refund_day(today)
    assert await jobs_of(shop) == [*jobs, "refund_charge"]
    assert (await shop.carried(refund))["status"] == "succeeded"
    # What the provider has not decided is asked for, and callbacks have it looked at.
    shop.provider.next = [Behavior.UNDECIDED]
    refund = await shop.carried(await shop.refund(charge, "100"))
    assert (refund["status"], refund["providerId"] is not None) == ("pending", True)
    jobs = await jobs_of(shop)
    assert await call_back(shop, "evt_1", "refund.updated", refund["providerId"]) == 204
    assert await call_back(shop, "evt_2", "refund.updated", "re_other", refund["reference"]) == 204
    assert await call_back(shop, "evt_3", "refund.updated", "re_nobodys") == 204
    assert await jobs_of(shop) == [*jobs, *["refund_charge"] * 2]
    made = shop.provider.refunds
    made[-1] = replace(made[-1], status=ChargeStatus.SUCCEEDED)
    shop.api.clock.now += timedelta(minutes=2)
    assert (await shop.carried(refund))["status"] == "succeeded"
    assert await call_back(shop, "evt_4", "refund.updated", refund["providerId"]) == 204
    assert await jobs_of(shop) == [*jobs, *["refund_charge"] * 3]  # it may fail later
    await shop.check("500")


async def test_what_is_refused_or_fails_books_nothing(shop: Refunder, other_api: Api) -> None:
    invoice = await shop.due()
    charge = await shop.charge(invoice)
    path = f"/v1/charges/{charge['id']}/refunds"
    assert await shop.refused("POST", path, {}, 409, "CHARGE_INVALID_STATE") == {"status": "pending"}
    charge = await shop.carry_out(charge)
    for behavior, code in ((Behavior.REFUSES, "provider_refused"), (Behavior.DECLINES_FOR_GOOD, "stolen_card")):
        shop.provider.next = [behavior]
        refund = await shop.carried(await shop.refund(charge))
        assert (refund["status"], refund["failureCode"], refund["journalEntryId"]) == ("failed", code, None)
    assert refund["failureMessage"] == "Stolen card"
    assert [one["failureCode"] for one in await shop.events("refund.failed")] == ["provider_refused", "stolen_card"]
    assert await shop.standing(invoice) == ("paid", "1250.00", "0.00")
    # A locked period: nothing goes back that can't be booked.
    refund = await shop.refund(charge, "1000")
    await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-31"}, status=200)
    refund = await shop.carried(refund)
    assert (refund["status"], shop.provider.calls["refund"]) == ("pending", 2)
    locked = await shop.refused("POST", path, {"amount": "250"}, 409, "PERIOD_LOCKED")
    assert locked == {"date": "2026-03-16", "lockedThrough": "2026-03-31"}
    body = {"lockedThrough": "2026-02-28", "reopen": True}
    await shop.ok("PUT", "/v1/ledger/lock-date", body, status=200)
    assert (await shop.carried(refund))["status"] == "succeeded"
    assert shop.provider.calls["refund"] == 3
    await shop.check("1000")
    other = Refunder(other_api)
    await other.refused("GET", f"/v1/refunds/{refund['id']}", None, 404, "REFUND_NOT_FOUND")
    await other.refused("POST", path, {}, 404, "CHARGE_NOT_FOUND")


async def test_a_refund_that_fails_after_it_succeeded_is_told(shop: Refunder) -> None:
    charge = await shop.charged_for(await shop.due())
    refund = await shop.refunded(charge, "20")
    job = job_of(shop.api, refundId=refund["id"], hasSucceeded=True)
    failed = "ledgerbee_refunds_failed_later_total"
    before = REGISTRY.get_sample_value(failed) or 0
    await refund_charge({ProviderName.STRIPE: shop.provider}, job)
    assert REGISTRY.get_sample_value(failed) == before
    shop.provider.refunds[-1] = replace(shop.provider.refunds[-1], status=ChargeStatus.FAILED)
    jobs = await jobs_of(shop)
    assert await call_back(shop, "evt_1", "refund.failed", refund["providerId"], refund["reference"]) == 204
    assert await jobs_of(shop) == [*jobs, "refund_charge"]
    with capture_logs() as logs:
        await refund_charge({ProviderName.STRIPE: shop.provider}, job)
    assert [(one["event"], one["refund"]) for one in logs] == [("refund.failed_later", refund["id"])]
    assert REGISTRY.get_sample_value(failed) == before + 1
    assert await shop.ok("GET", f"/v1/refunds/{refund['id']}") == refund
    assert shop.provider.calls["refund"] == 1


async def test_credit_of_a_credit_note_goes_back_first_and_once(shop: Refunder) -> None:
    invoice = await shop.due("500")
    charge = await shop.charged_for(invoice)
    await shop.credited(invoice)
    customer = invoice["customerId"]
    assert (await credit_of(shop, customer))["DKK"] == ("625.00", "0.00", "0.00", "625.00")
    refund = await shop.refunded(charge, "400")
    assert (refund["invoiceAmount"], refund["unidentifiedAmount"]) == ("400.00", "0.00")
    assert await shop.standing(invoice) == ("credited", "225.00", "0.00")
    assert not await shop.events("invoice.reopened")
    (told,) = await shop.events("invoice.credit_refunded")
    assert (told["id"], told["amountPaid"]) == (invoice["id"], "225.00")
    assert (await credit_of(shop, customer))["DKK"] == ("225.00", "0.00", "0.00", "225.00")
    await shop.check("-225")
    later = await sell(shop, customer, "80")
    await apply(shop, later)  # 100.00 of 225.00
    path = f"/v1/charges/{charge['id']}/refunds"
    used = await shop.refused("POST", path, {}, 409, "CHARGE_CREDIT_USED")
    assert used == {"creditUsed": "100.00", "creditLeft": "125.00"}
    # Credit that a refund is about to take is nobody else's, and is free again when it fails.
    shop.provider.next = [Behavior.DECLINES_FOR_GOOD]
    refund = await shop.refund(charge, "100")
    await shop.refused("POST", path, {"amount": "26"}, 409, "CHARGE_CREDIT_USED")
    (balance,) = (await shop.ok("GET", f"/v1/customers/{customer}/credit"))["balances"]
    assert (balance["amount"], balance["reserved"], balance["available"]) == ("225.00", "100.00", "25.00")
    (source,) = balance["sources"]
    assert (source["used"], source["reserved"], source["available"]) == ("100.00", "100.00", "25.00")
    back = f"/v1/customers/{customer}/credit/refund"
    short = await shop.refused("POST", back, {"amount": "25.01"}, 409, "CUSTOMER_CREDIT_INSUFFICIENT")
    assert short == {"currency": "DKK", "available": "25.00"}
    other = await sell(shop, customer, "80")
    assert (await apply(shop, other))["amount"] == "25.00"
    await shop.refused("POST", f"/v1/invoices/{other['id']}/apply-credit", {}, 409, "CUSTOMER_CREDIT_INSUFFICIENT")
    assert (await shop.carried(refund))["status"] == "failed"
    assert (await credit_of(shop, customer))["DKK"] == ("225.00", "125.00", "0.00", "100.00")
    await shop.refunded(charge, "60")
    # Of a refund and a use at once the second sees what the first takes.
    answers = await asyncio.gather(
        shop.api.post(path, {"amount": "40"}),
        shop.api.post(f"/v1/invoices/{other['id']}/apply-credit", {"amount": "40"}),
        shop.api.post(back, {"amount": "40"}),
    )
    assert [one.status_code for one in answers].count(409) == 2
    for one in await shop.ok("GET", path):
        assert (await shop.carried(one))["unidentifiedAmount"] == "0.00"
    assert (await credit_of(shop, customer))["DKK"][3] == "0.00"
    assert (await shop.api.run(verify, one_snapshot=True)).fault is None


async def test_a_lost_dispute_takes_the_credit_of_a_refund(shop: Refunder) -> None:
    """The provider isn't asked for what can't be taken off anything any more."""
    invoice = await shop.due("500")
    charge = await shop.charged_for(invoice)
    await shop.credited(invoice)
    await apply(shop, await sell(shop, invoice["customerId"], "80"))  # 100.00 of 625.00
    refund = await shop.refund(charge, "425")
    await shop.told(charge, "lost", amount=D("200"))
    refund = await shop.carried(refund)
    assert (refund["status"], refund["failureCode"], shop.provider.calls["refund"]) == ("failed", "nothing_left", 0)
    assert await shop.balance(UNIDENTIFIED) == 0
    await shop.check("-325")


async def test_what_was_more_than_due_goes_back_before_the_invoice_opens(shop: Refunder) -> None:
    invoice = await shop.due()
    shop.provider.next = [Behavior.LOSES_ANSWER]
    charge = await shop.carry_out(await shop.charge(invoice))
    await pay(shop, invoice, "1000", date="2026-03-16")
    charge = await shop.carry_out(charge)
    assert charge["unappliedAmount"] == "1000.00"
    refund = await shop.refunded(charge, "1100")
    assert (refund["unappliedAmount"], refund["invoiceAmount"]) == ("1000.00", "100.00")
    assert await shop.balance(UNIDENTIFIED) == 0
    assert await shop.standing(invoice) == ("partially_paid", "1150.00", "100.00")
    await shop.check("100")


async def test_in_a_foreign_currency_nothing_is_left_in_either(shop: Refunder) -> None:
    """The receivable goes by the invoice's rate, clearing by the day's; settled again it is zero in both."""
    await shop.rate("7.3")
    price = await shop.price("1000.01", currency="USD")
    invoice = await shop.sold(line(price), currency="USD")
    assert invoice["amount"] == "1250.01"
    await shop.card(invoice["customerId"])
    charge = await shop.charged_for(invoice)
    shop.api.clock.now += timedelta(days=1)
    await shop.rate("6.9")
    for amount in ("333.33", "0.01", "416.67"):
        await shop.refunded(charge, amount)
    assert (await shop.standing(invoice))[1:] == ("500.00", "750.01")
    assert (await shop.api.run(verify, one_snapshot=True)).fault is None
    assert await shop.balance(RECEIVABLE) == D("5475.07")  # 750.01 x 7.3
    await shop.rate("7.7")
    await shop.charged_for(invoice)
    assert await shop.balance(RECEIVABLE) == 0
    await shop.told(charge, "lost", amount=D("500"), fee=D("15"))
    assert await shop.balance(FEES) == D("115.50")
    # Given back 750.01 at 6.9, charged at 7.7; given back 500.00 at 7.7.
    assert await shop.balance(GAIN) == -(D("5475.07") - D("5175.07")) - (D("5775.08") - D("5475.07"))
    assert await shop.balance(LOSS) == D("3850.00") - D("3650.00")
    assert (await shop.standing(invoice))[1:] == ("750.01", "500.00")
    last = (await shop.ok("GET", f"/v1/invoices/{invoice['id']}/charges"))[-1]
    await shop.refunded(last)
    assert (await shop.standing(invoice)) == ("sent", "0.00", "1250.01")
    assert await shop.value(
        "SELECT sum(l.base_amount) = (SELECT base_amount FROM invoices WHERE company_id = $1) FROM journal_lines l"
        " WHERE company_id = $1 AND line_type = 'CONTROL'",
        shop.api.company_id,
    )
    assert (await shop.api.run(verify, one_snapshot=True)).fault is None


async def test_in_a_foreign_currency_each_part_goes_by_its_own_rate(shop: Refunder, database_url: str) -> None:
    """Parts of the charge's rate, of the invoice's and of the day's in one entry, and a rest that rounding leaves."""
    await shop.rate("7.51935")
    invoice = await shop.sold(line(await shop.price("826.44", currency="USD")), currency="USD")
    await shop.card(invoice["customerId"])
    shop.provider.next = [Behavior.LOSES_ANSWER]
    charge = await shop.carry_out(await shop.charge(invoice))
    await pay(shop, invoice, "344.35", date="2026-03-16")
    charge = await shop.carry_out(charge)
    assert (charge["amount"], charge["unappliedAmount"]) == ("1033.05", "344.35")
    shop.api.clock.now += timedelta(days=1)
    await shop.rate("7.35517")
    refund = await shop.refunded(charge)
    assert booked(await shop.entry(refund["journalEntryId"])) == [
        (RECEIVABLE, D("688.70"), D("5178.57"), "CONTROL"),
        (UNIDENTIFIED, D("344.35"), D("2589.29"), "ENTERED"),
        (CLEARING, D("-1033.05"), D("-7598.26"), "ENTERED"),
        (GAIN, D(0), D("-169.60"), "ENTERED"),
    ]
    assert (await shop.api.run(verify, one_snapshot=True)).fault is None
    # In refunds and a lost dispute of all of it, with a fee: each part is rounded by itself.
    await shop.rate("7.524")
    other = await shop.sold(line(await shop.price("103.44", currency="USD")), currency="USD")
    await shop.card(other["customerId"])
    charge = await shop.charged_for(other)
    await shop.rate("7.3811")
    for amount in ("0.31", "33.33", "41.07"):
        await shop.refunded(charge, amount)
    await shop.told(charge, "lost", fee=D("15.01"))
    assert (await shop.api.run(verify, one_snapshot=True)).fault is None

    # Whoever changes a row and its entry alike is found by the rates.
    owner = await as_owner(database_url)
    await owner.execute("SET session_replication_role = replica")
    try:
        for part, amount in (
            ("base_amount", "amount"),
            ("base_unapplied", "unapplied_amount"),
            ("base_unidentified", "unidentified_amount"),
            ("base_fee", "fee"),
        ):
            for more in (1, -1):
                changed = await owner.execute(
                    "UPDATE journal_lines l SET base_amount = l.base_amount + $2 * sign(l.amount) FROM charge_returns r"
                    " WHERE r.company_id = $1 AND l.company_id = $1 AND l.entry_id = r.journal_entry_id AND"
                    f" l.line_type = 'ENTERED' AND l.amount <> 0 AND abs(l.amount) = r.{amount}",
                    shop.api.company_id,
                    D(more),
                )
                assert changed != "UPDATE 0"
                await owner.execute(
                    f"UPDATE charge_returns SET {part} = {part} + $2 WHERE company_id = $1 AND {amount} > 0",
                    shop.api.company_id,
                    D(more),
                )
                found = await shop.api.run(fault_in_returns)
                assert found is None if more < 0 else "isn't booked at the rates that it says" in str(found), part
    finally:
        await owner.close()


async def test_a_dispute_is_booked_when_it_is_lost_and_not_before(shop: Refunder) -> None:
    invoice = await shop.due()
    charge = await shop.charged_for(invoice)
    for status in ("open", "open"):
        await shop.told(charge, status)
    (dispute,) = await shop.disputes("?status=open")
    assert (dispute["status"], dispute["amount"], dispute["journalEntryId"]) == ("open", "1250.00", None)
    assert await shop.standing(invoice) == ("paid", "1250.00", "0.00")
    today = await today_of(shop.api)
    assert await shop.api.run(lambda context: dispute_days.is_due(context, today.day))
    jobs = await jobs_of(shop)
    await dispute_days.dispute_day(today)
    assert await jobs_of(shop) == [*jobs, "look_at_dispute"]
    for status in ("lost", "lost", "won", "open"):  # the first is final
        await shop.told(charge, status, fee=D(112))
    shop.provider.disputes["dp_1"] = ProviderDispute(
        provider_id="dp_1", charge_id=charge["providerId"], status=DisputeStatus.LOST, amount=D(1250), currency="DKK",
        reason="fraudulent", fee=D(112),
    )  # fmt: skip
    (lost,) = await shop.disputes()
    assert lost == await shop.ok("GET", f"/v1/disputes/{dispute['id']}")
    assert (lost["status"], lost["fee"], lost["invoiceAmount"]) == ("lost", "112.00", "1250.00")
    entry = await shop.entry(lost["journalEntryId"])
    assert booked(entry) == [
        (RECEIVABLE, D(1250), D(1250), "CONTROL"),
        (FEES, D(112), D(112), "ENTERED"),
        (CLEARING, D(-1250), D(-1250), "ENTERED"),
        (CLEARING, D(-112), D(-112), "ENTERED"),
    ]
    assert entry.content.description == f"Tabt indsigelse mod korttræk, faktura {invoice['number']}, Havblik A/S"
    events = await shop.events("payment.disputed")
    assert [(one["id"], one["dispute"]) for one in events] == [(charge["id"], dispute), (charge["id"], lost)]
    assert await shop.standing(invoice) == ("sent", "0.00", "1250.00")
    await shop.refused("POST", f"/v1/charges/{charge['id']}/refunds", {}, 409, "REFUND_EXCEEDS_CHARGE")
    assert not await shop.api.run(lambda context: dispute_days.is_due(context, today.day))
    await shop.check("1250")
    # One that is won leaves everything, and what is no dispute of the charge's too.
    other = await shop.due()
    await shop.told(charge := await shop.charged_for(other), "won", "dp_2")
    await shop.told(charge, "lost", "dp_2")
    await shop.told(charge, "lost", "dp_3", currency="EUR")
    assert [one["status"] for one in await shop.disputes()] == ["won", "lost"]
    assert (await shop.standing(other))[0] == "paid"


async def test_a_dispute_after_a_refund_takes_what_is_left(shop: Refunder) -> None:
    invoice = await shop.due()
    charge = await shop.charged_for(invoice)
    await shop.refunded(charge, "1000")
    under_way = await shop.refund(charge)
    await shop.told(charge, "lost")
    (lost,) = await shop.disputes()
    assert (lost["invoiceAmount"], lost["unidentifiedAmount"]) == ("250.00", "1000.00")
    assert await shop.balance(UNIDENTIFIED) == 1000
    # The refund that nobody asked the provider for yet is not made: the charge has nothing left.
    refund = await shop.carried(under_way)
    assert (refund["status"], refund["failureCode"]) == ("failed", "nothing_left")
    await shop.check("1250")


async def test_a_dispute_that_comes_before_its_charge_is_known(shop: Refunder) -> None:
    invoice = await shop.due()
    shop.provider.next = [Behavior.LOSES_ANSWER]
    charge = await shop.carry_out(await shop.charge(invoice))
    (made,) = shop.provider.charges
    job = job_of(shop.api, provider="stripe", disputeId="dp_1")
    await shop.told({**charge, "providerId": made.provider_id}, "lost")
    with pytest.raises(LedgerBeeError, match="dispute waits"):
        await look_at_dispute({ProviderName.STRIPE: shop.provider}, job, pauses_s=())
    assert await shop.disputes() == []
    # Told while the charge's answer is taken, it is there a moment later.
    looked = asyncio.create_task(look_at_dispute({ProviderName.STRIPE: shop.provider}, job))
    await asyncio.sleep(0.1)
    await shop.carry_out(charge)
    await looked
    assert [one["status"] for one in await shop.disputes()] == ["lost"]
    await shop.check("1250")


async def test_what_went_back_is_not_charged_again_by_itself(shop: Refunder) -> None:
    """A soft decline whose next charge was due tomorrow, and one that is under way as the dispute is lost."""
    invoice = await shop.due()
    charge = await shop.charged_for(invoice)
    await shop.refunded(charge, "250")
    shop.provider.next = [Behavior.DECLINES]
    assert (await shop.carry_out(await shop.charge(invoice)))["retryOn"] == "2026-03-17"
    await shop.told(charge, "lost", amount=D(500))
    path = f"/v1/invoices/{invoice['id']}/charges"
    assert [one["retryOn"] for one in await shop.ok("GET", path)] == [None, None]
    shop.provider.next = [Behavior.UNDECIDED]
    under_way = await shop.carry_out(await shop.charge(invoice))
    shop.api.clock.now += timedelta(minutes=5)
    await shop.told(charge, "lost", "dp_2", amount=D(100))
    shop.provider.decide(under_way["reference"], ChargeStatus.FAILED, is_soft=True)
    failed = await shop.carry_out(under_way)
    assert (failed["status"], failed["isSoftDecline"], failed["retryOn"]) == ("failed", True, None)
    shop.api.clock.now += timedelta(days=8)
    assert await shop.api.run(charges.retry_due) == []
    await shop.check("850")


async def test_what_was_given_up_stays_given_up(shop: Refunder) -> None:
    """What a refund or a lost dispute opens of an invoice that was written off is written off with the rest."""
    invoice = await shop.due()
    charge = await shop.charged_for(invoice)
    await shop.refunded(charge, "777.77")
    await shop.ok("POST", f"/v1/invoices/{invoice['id']}/write-off", {"description": "Konkurs"})
    refund = await shop.refunded(charge, "100")
    assert refund["invoiceAmount"] == "100.00"
    assert await shop.standing(invoice) == ("uncollectible", "372.23", "0.00")
    await shop.told(charge, "lost", amount=D("372.23"))
    assert await shop.standing(invoice) == ("uncollectible", "0.00", "0.00")
    written_off = [one["writeOff"] for one in await shop.events("invoice.written_off")]
    assert [(one["amount"], one["description"]) for one in written_off] == [
        ("777.77", "Konkurs"), ("877.77", "Konkurs"), ("1250.00", "Konkurs"),
    ]  # fmt: skip
    await shop.check()
