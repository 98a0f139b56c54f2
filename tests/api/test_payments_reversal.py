"""Payments that are taken back: the entry reversed, the invoice open again, in both currencies as it was."""

import asyncio
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.api.test_invoices_delivery import claim, given_up, job_of, mailed, record, status_of
from tests.api.test_payments import pay
from tests.conftest import Api
from tests.selling import Shop, booked, line

from ledgerbee.app.verify import verify
from ledgerbee.ledger.verify import Verification
from ledgerbee.sales.delivery.model import Outcome

UNKNOWN = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def take_back(shop: Shop, payment: dict[str, Any], **body: Any) -> dict[str, Any]:
    taken: dict[str, Any] = await shop.ok("POST", f"/v1/payments/{payment['id']}/reverse", body, status=200)
    return taken


async def payments_of(shop: Shop, invoice: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await shop.ok("GET", f"/v1/invoices/{invoice['id']}/payments")
    return found


async def receivable(shop: Shop, column: str) -> Decimal:
    """What stands on the receivables account: `amount` in the currencies of the entries, `base_amount` in kroner."""
    found: Decimal = await shop.value(
        f"SELECT coalesce(sum({column}), 0) FROM journal_lines WHERE company_id = $1 AND customer_id IS NOT NULL",
        shop.api.company_id,
    )
    return found


async def test_a_payment_is_taken_back(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("100")))
    payment = await pay(shop, sent, "125", reference="Bank 17", date="2026-03-10")
    assert (payment["reversedAt"], payment["reversalEntryId"]) == (None, None)
    assert await shop.ok("GET", f"/v1/payments/{payment['id']}") == payment
    shop.api.clock.advance(days=3)
    taken = await take_back(shop, payment)
    assert taken == payment | {
        "reversedAt": "2026-03-19T12:00:00.000Z", "reversalEntryId": taken["reversalEntryId"],
    }  # fmt: skip
    assert await payments_of(shop, sent) == [taken]
    assert await shop.ok("GET", f"/v1/payments/{payment['id']}") == taken
    assert await shop.invoice(sent["id"]) == sent | {"updatedAt": "2026-03-19T12:00:00.000Z"}

    entry, reversal = await shop.entry(payment["journalEntryId"]), await shop.entry(taken["reversalEntryId"])
    assert (entry.reversed_by_entry_id, reversal.content.reverses_entry_id) == (reversal.id, entry.id)
    assert booked(reversal) == [(account, -amount, -base, kind) for account, amount, base, kind in booked(entry)]
    assert reversal.content.date.isoformat() == "2026-03-19"
    assert reversal.content.description == "Tilbageførsel af nr. 2: Betaling af faktura 1, Havblik A/S"
    assert reversal.content.journal_category_id == entry.content.journal_category_id
    assert await shop.events("payment.reversed") == [taken]
    (told,) = await shop.events("journal_entry.reversed")
    assert (told["id"], told["reversedByEntryId"]) == (str(entry.id), str(reversal.id))
    assert len(await shop.events("journal_entry.posted")) == 3
    assert await shop.balance(6190) == 125
    assert await shop.balance(6480) == 0
    assert (await shop.api.run(verify, one_snapshot=True)).fault is None

    await pay(shop, sent, "125", date="2026-03-19")
    assert (await shop.invoice(sent["id"]))["status"] == "paid"
    assert len(await shop.events("invoice.paid")) == 2


async def test_day_and_text_can_be_chosen(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("100")))
    taken = await take_back(
        shop, await pay(shop, sent, "5", date="2026-03-10"), date="2026-03-10", description="Afvist"
    )
    reversal = await shop.entry(taken["reversalEntryId"])
    assert (reversal.content.date.isoformat(), reversal.content.description) == ("2026-03-10", "Afvist")
    later = await pay(shop, sent, "5", date="2026-03-20")
    answer = await shop.api.request("POST", f"/v1/payments/{later['id']}/reverse")
    assert answer.status_code == 200, "no body is needed"
    reversal = await shop.entry(answer.json()["reversalEntryId"])
    assert reversal.content.date.isoformat() == "2026-03-20", "today is before the payment"


async def test_the_other_payments_stay(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("100")))
    first, second, third = [await pay(shop, sent, amount) for amount in ("25", "60", "40")]
    assert (await shop.invoice(sent["id"]))["status"] == "paid"
    expected = {"25": ("100.00", "25.00"), "40": ("60.00", "65.00"), "60": ("0.00", "125.00")}
    for payment, (paid, due) in zip((first, third, second), expected.values(), strict=True):
        await take_back(shop, payment)
        now = await shop.invoice(sent["id"])
        assert (now["amountPaid"], now["amountDue"]) == (paid, due)
        assert now["status"] == ("sent" if paid == "0.00" else "partially_paid")
        assert await shop.balance(6190) == Decimal(due)
        assert (await shop.api.run(verify, one_snapshot=True)).fault is None


class TestForeignCurrency:
    async def sold(self, shop: Shop, amount: str) -> dict[str, Any]:
        return await shop.sold(line(await shop.price(amount, currency="EUR"), unitPrice=amount), currency="EUR")

    @pytest.mark.parametrize(("rate", "account"), [("9.5", 3535), ("2.5", 3610)])
    async def test_gain_and_loss_go_back_too(self, shop: Shop, rate: str, account: int) -> None:
        sent = await self.sold(shop, "100")
        before = await receivable(shop, "base_amount")
        payment = await pay(shop, sent, "125", exchangeRate=rate)
        assert await shop.balance(account) != 0
        await take_back(shop, payment, date="2026-03-31")
        assert await shop.balance(account) == 0
        assert await shop.balance(6480) == 0
        assert await receivable(shop, "base_amount") == before

    @pytest.mark.parametrize("seed", range(5))
    async def test_in_any_order_the_receivable_ends_where_it_should(self, shop: Shop, seed: int) -> None:
        """Zero in both currencies when paid in full, as booked when everything was taken back."""
        random = Random(seed)  # noqa: S311  a reproducible order
        amount = f"{random.randrange(1, 40_000) / Decimal(100)}"
        sent = await self.sold(shop, amount)
        as_booked = await receivable(shop, "amount"), await receivable(shop, "base_amount")
        live: list[dict[str, Any]] = []

        async def pay_some(most: Decimal) -> None:
            due = Decimal((await shop.invoice(sent["id"]))["amountDue"])
            rate = f"{random.randrange(1, 10**12)}e-11"
            if due:
                part = min(most, due)
                live.append(await pay(shop, sent, f"{part:f}", exchangeRate=f"{Decimal(rate):f}"))

        for _ in range(14):
            if live and random.random() < 0.4:
                await take_back(shop, live.pop(random.randrange(len(live))))
            else:
                await pay_some(Decimal(random.randrange(1, 8_000)) / 100)
            found = await shop.invoice(sent["id"])
            assert Decimal(found["amountPaid"]) == sum(Decimal(payment["amount"]) for payment in live)
            assert 0 <= await receivable(shop, "base_amount") <= as_booked[1]
        await pay_some(Decimal(1_000_000))
        assert (await shop.invoice(sent["id"]))["status"] == "paid"
        assert {await receivable(shop, "amount"), await receivable(shop, "base_amount")} == {0}
        assert (await shop.api.run(verify, one_snapshot=True)).fault is None
        for payment in live:
            await take_back(shop, payment)
        assert (await receivable(shop, "amount"), await receivable(shop, "base_amount")) == as_booked
        assert {await shop.balance(account) for account in (3535, 3610, 6480)} == {0}
        assert (await shop.api.run(verify, one_snapshot=True)).fault is None

    async def test_what_others_settle_leaves_nothing(self, shop: Shop) -> None:
        """134.37 at 7.3146 are 982.86, and the 52.40 that were paid 383.28 of them (383.284...).

        The credit note takes the 599.58 that were left and 52.40 at the rate, 383.29: the customer has that as a
        credit. When the payment goes back 0.01 is left, and nothing of the invoice.
        """
        await shop.ok(
            "PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.3146"}, status=200
        )
        swede = await shop.customer(vatZone="eu", countryCode="SE", vatNumber="SE556677889901")
        price = await shop.price("134.37", currency="EUR")
        sent = await shop.send(await shop.draft(swede, line(price, unitPrice="134.37"), currency="EUR"))
        payment = await pay(shop, sent, "52.40", exchangeRate="7.3146")
        await shop.credited(sent)
        assert await receivable(shop, "base_amount") == Decimal("-383.29")
        taken = await take_back(shop, payment)
        assert booked(await shop.entry(taken["reversalEntryId"]))[-2:] == [
            (6190, Decimal(0), Decimal("0.01"), "CONTROL"),
            (3535, Decimal(0), Decimal("-0.01"), "ENTERED"),
        ]
        assert (await shop.invoice(sent["id"]))["status"] == "credited"
        assert await receivable(shop, "base_amount") == 0
        assert await shop.balance(3535) + await shop.balance(3610) == 0
        assert (await shop.api.run(verify, one_snapshot=True)).fault is None

    @pytest.mark.parametrize(("currency", "rate"), [("EUR", "7.3146"), ("JPY", "0.0443")])
    @pytest.mark.parametrize("seed", range(3))
    async def test_whatever_settles_it_when_all_is_used_nothing_is_left(
        self, shop: Shop, seed: int, currency: str, rate: str
    ) -> None:
        """Payments, notes, payments that go back, and credit that is paid back, in any order."""
        random = Random(seed)  # noqa: S311  a reproducible order
        await shop.ok(
            "PUT", "/v1/exchange-rates", {"currency": currency, "date": "2026-03-16", "rate": rate}, status=200
        )
        unit = 1 if currency == "JPY" else Decimal("0.01")
        price = await shop.price("1", currency=currency)
        sent = await shop.sold(
            *(line(price, unitPrice=f"{random.randrange(1, 5_000) * unit}") for _ in range(4)), currency=currency
        )
        live: list[dict[str, Any]] = []
        lines = list(sent["lines"])
        day = {"date": "2026-03-20", "exchangeRate": rate}
        for _ in range(12):
            due = Decimal((await shop.invoice(sent["id"]))["amountDue"])
            turn = random.randrange(4)
            if turn == 0 and lines:
                await shop.credited(sent, {"invoiceLineId": lines.pop()["id"]})
            elif turn == 1 and live:
                await shop.api.post(f"/v1/payments/{live.pop(random.randrange(len(live)))['id']}/reverse", {})
            elif turn == 2:
                body = {"amount": f"{random.randrange(1, 300) * unit}", "currency": currency, **day}
                await shop.api.post(f"/v1/customers/{sent['customerId']}/credit/refund", body)
            elif due:
                part = min(due, random.randrange(1, 6_000) * unit)
                live.append(await pay(shop, sent, f"{part:f}", exchangeRate=rate))
            assert (await shop.api.run(verify, one_snapshot=True)).fault is None
        if (due := (await shop.invoice(sent["id"]))["amountDue"]) not in {"0", "0.00"}:
            await pay(shop, sent, due, exchangeRate=rate)
        found = await shop.ok("GET", f"/v1/customers/{sent['customerId']}/credit")
        for one in found["balances"]:
            if Decimal(one["available"]):
                body = {"amount": one["available"], "currency": currency, **day}
                await shop.ok("POST", f"/v1/customers/{sent['customerId']}/credit/refund", body)
        assert {await receivable(shop, "amount"), await receivable(shop, "base_amount")} == {0}
        assert (await shop.api.run(verify, one_snapshot=True)).fault is None


class TestDelivery:
    """Without its payments an invoice is where its delivery left it."""

    async def test_its_mail_still_waits(self, shop: Shop) -> None:
        sent = await mailed(shop)
        payment = await pay(shop, sent, sent["amount"])
        await take_back(shop, payment)
        assert (await shop.invoice(sent["id"]))["status"] == "scheduled"
        delivery = UUID((await job_of(shop))["deliveryId"])
        payment = await pay(shop, sent, "1")
        await claim(shop, delivery)
        await take_back(shop, payment)
        assert (await shop.invoice(sent["id"]))["status"] == "sending"
        await record(shop, delivery, Outcome.DELIVERED)
        assert (await shop.invoice(sent["id"]))["status"] == "sent"
        await take_back(shop, await pay(shop, sent, "1"))
        assert (await shop.invoice(sent["id"]))["status"] == "sent"

    async def test_its_mail_failed_for_good(self, shop: Shop) -> None:
        failed = await given_up(shop)
        await take_back(shop, await pay(shop, failed, "1"))
        assert (await shop.invoice(failed["id"]))["status"] == "scheduled"
        assert (await status_of(shop, failed))["status"] == "failed"


class TestRefusals:
    """Refused means: nothing is booked, the payment counts."""

    async def refused(self, shop: Shop, status: int, code: str, **body: Any) -> dict[str, Any]:
        sent = await shop.sold(line(await shop.price("100")))
        payment = await pay(shop, sent, "25", date="2026-03-10")
        before = await shop.invoice(sent["id"])
        if code == "PERIOD_LOCKED":
            await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-15"})
        details = await shop.refused("POST", f"/v1/payments/{payment['id']}/reverse", body, status, code)
        assert await shop.ok("GET", f"/v1/payments/{payment['id']}") == payment
        assert await shop.invoice(sent["id"]) == before
        assert await shop.value("SELECT count(*) FROM journal_entries") == 2
        assert await shop.events("payment.reversed") == []
        return details

    async def test_a_locked_period(self, shop: Shop) -> None:
        details = await self.refused(shop, 409, "PERIOD_LOCKED", date="2026-03-15")
        assert details == {"property": "date", "lockedThrough": "2026-03-15", "date": "2026-03-15"}

    @pytest.mark.parametrize(
        ("body", "property_"),
        [
            ({"date": "2026-03-09"}, "date"),
            ({"date": "10-03-2026"}, "date"),
            ({"date": "2027-12-31"}, "date"),
            ({"date": 5}, "date"),
            ({"description": "x" * 10_001}, "description"),
            ({"description": 5}, "description"),
            ({"amount": "5"}, "amount"),
        ],
    )
    async def test_bad_input(self, shop: Shop, body: dict[str, Any], property_: str) -> None:
        details = await self.refused(shop, 400, "SHARED_VALIDATION_FAILED", **body)
        assert [problem["property"] for problem in details["validationErrors"]] == [property_]

    async def test_twice(self, shop: Shop) -> None:
        sent = await shop.sold(line(await shop.price("100")))
        taken = await take_back(shop, await pay(shop, sent, "25"))
        now = await shop.invoice(sent["id"])
        details = await shop.refused("POST", f"/v1/payments/{taken['id']}/reverse", {}, 409, "PAYMENT_ALREADY_REVERSED")
        assert details == {"reversalEntryId": taken["reversalEntryId"]}
        assert await shop.invoice(sent["id"]) == now
        assert await shop.value("SELECT count(*) FROM journal_entries") == 3

    async def test_another_companys(self, shop: Shop, other_api: Api) -> None:
        payment = await pay(shop, await shop.sold(line(await shop.price("100"))), "25")
        for one, payment_id in ((Shop(other_api), payment["id"]), (shop, UNKNOWN)):
            await one.refused("POST", f"/v1/payments/{payment_id}/reverse", {}, 404, "PAYMENT_NOT_FOUND")
            await one.refused("GET", f"/v1/payments/{payment_id}", None, 404, "PAYMENT_NOT_FOUND")
        assert await shop.ok("GET", f"/v1/payments/{payment['id']}") == payment

    async def test_the_journal_leaves_it_to_the_payment(self, shop: Shop) -> None:
        payment = await pay(shop, await shop.sold(line(await shop.price("100"))), "25")
        path = f"/v1/journal-entries/{payment['journalEntryId']}/reverse"
        details = await shop.refused("POST", path, {}, 409, "JOURNAL_ENTRY_INVALID_STATE")
        assert (details["status"], details["sourceType"], details["sourceId"]) == ("document", "payment", payment["id"])
        taken = await take_back(shop, payment)
        await shop.refused("POST", path, {}, 409, "JOURNAL_ENTRY_ALREADY_REVERSED")
        path = f"/v1/journal-entries/{taken['reversalEntryId']}/reverse"
        await shop.refused("POST", path, {}, 409, "JOURNAL_ENTRY_INVALID_STATE")


class TestAtOnce:
    async def test_of_several_one_wins(self, shop: Shop) -> None:
        sent = await shop.sold(line(await shop.price("100")))
        payment = await pay(shop, sent, "25")
        answers = await asyncio.gather(*(shop.api.post(f"/v1/payments/{payment['id']}/reverse") for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
        assert {answer.json().get("code") for answer in answers} == {None, "PAYMENT_ALREADY_REVERSED"}
        assert (await shop.invoice(sent["id"]))["amountPaid"] == "0.00"
        assert await shop.balance(6190) == 125

    async def test_payments_come_in_meanwhile(self, shop: Shop) -> None:
        sent = await shop.sold(line(await shop.price("100")))
        payments = [await pay(shop, sent, "25") for _ in range(3)]
        body = {"date": "2026-03-20", "amount": "20"}
        answers = await asyncio.gather(
            *(shop.api.post(f"/v1/payments/{payment['id']}/reverse") for payment in payments),
            *(shop.api.post(f"/v1/invoices/{sent['id']}/payments", body) for _ in range(3)),
        )
        assert {answer.status_code for answer in answers} <= {200, 201, 400}
        made = sum(answer.status_code == 201 for answer in answers)
        assert made >= 2
        assert (await shop.invoice(sent["id"]))["amountPaid"] == f"{20 * made}.00"
        assert (await shop.api.run(verify, one_snapshot=True)).fault is None

    async def test_a_repeated_request_takes_it_back_once(self, shop: Shop) -> None:
        payment = await pay(shop, await shop.sold(line(await shop.price("100"))), "25")
        path, key = f"/v1/payments/{payment['id']}/reverse", {"x-api-idempotency-key": "once"}
        first, second = [await shop.api.post(path, {}, headers=key) for _ in range(2)]
        assert (first.json(), second.headers["Idempotent-Replayed"]) == (second.json(), "true")


class TestAudit:
    """`verify` names what doesn't fit."""

    @pytest.fixture
    async def paid(self, shop: Shop) -> dict[str, Any]:
        sent = await shop.sold(line(await shop.price("100")))
        await take_back(shop, await pay(shop, sent, "25"))
        await pay(shop, sent, "50")
        return sent

    @pytest.fixture(autouse=True)
    def login(self, database_url: str) -> None:
        self.database_url = database_url

    async def after(self, shop: Shop, *statements: str) -> Verification:
        """What is found after the owner's statements, with every trigger switched off."""
        owner = await asyncpg.connect(self.database_url)
        await owner.execute("SET session_replication_role = replica")
        for statement in statements:
            await owner.execute(statement)
        await owner.close()
        result: Verification = await shop.api.run(verify, one_snapshot=True)
        return result

    async def test_an_amount_paid_that_no_payments_make(self, shop: Shop, paid: dict[str, Any]) -> None:
        assert (await shop.api.run(verify, one_snapshot=True)).passed
        result = await self.after(shop, f"UPDATE invoices SET amount_paid = 75 WHERE id = '{paid['id']}'")
        assert "invoice 1 (partially_paid) of 125" in str(result.fault)
        assert "75.0000 paid; its payments are 50.0000" in str(result.fault)

    async def test_a_status_that_says_too_much(self, shop: Shop, paid: dict[str, Any]) -> None:
        result = await self.after(shop, f"UPDATE invoices SET status = 'paid' WHERE id = '{paid['id']}'")
        assert "invoice 1 (paid) of 125" in str(result.fault)

    async def test_a_mark_without_a_reversal(self, shop: Shop, paid: dict[str, Any]) -> None:
        live = next(payment for payment in await payments_of(shop, paid) if payment["reversedAt"] is None)
        other = await pay(shop, paid, "50")
        await take_back(shop, other)
        entry = paid["journalEntryId"]
        result = await self.after(
            shop,
            f"UPDATE invoices SET amount_paid = 0, status = 'sent' WHERE id = '{paid['id']}'",
            f"UPDATE payments SET reversed_at = now(), reversal_entry_id = '{entry}' WHERE id = '{live['id']}'",
        )
        assert str(result.fault) == f"payment {live['id']} and its entry disagree on whether it was taken back"

    @pytest.mark.parametrize(
        ("statement", "what"),
        [
            ("UPDATE number_series SET last_number = last_number + 100 WHERE {}", "101 invoice numbers were taken, 1"),
            ("INSERT INTO number_series SELECT company_id, 'x', '', 5 FROM ledgers WHERE {}", "numbers were taken"),
            ("UPDATE invoices SET number_sequence = 7 WHERE {}", "invoice number 1 is missing"),
            ("UPDATE invoices SET base_amount = 124 WHERE {}", "invoice 1 is booked, but no entry"),
            ("UPDATE invoices SET journal_entry_id = gen_random_uuid() WHERE {}", "invoice 1 is booked, but no entry"),
            ("UPDATE payments SET base_settled = 49 WHERE {} AND reversed_at IS NULL", "payment "),
            (("UPDATE payments p SET journal_entry_id = i.journal_entry_id FROM invoices i"
             " WHERE p.{0} AND i.{0} AND p.reversed_at IS NULL"), "payment "),
            ("DELETE FROM payments WHERE {} AND reversed_at IS NULL", "entry 4 "),
            ("DELETE FROM invoices WHERE {}; DELETE FROM payments WHERE {}; DELETE FROM number_series WHERE {}",
             "entry 1 "),
            (("DELETE FROM events WHERE {} AND type = 'journal_entry.posted' AND sequence = 1 AND object_id ="
             " (SELECT id FROM journal_entries WHERE {} AND entry_number = 2)"), "no event tells of it"),
        ],
    )  # fmt: skip
    @pytest.mark.usefixtures("paid")
    async def test_what_a_stolen_role_could_write(self, shop: Shop, statement: str, what: str) -> None:
        assert (await shop.api.run(verify, one_snapshot=True)).passed
        mine = f"company_id = '{shop.api.company_id}'"
        result = await self.after(shop, statement.replace("{0}", "{}").replace("{}", mine))
        assert result.fault is not None
        assert result.fault.what.startswith(what)


async def test_the_database_keeps_a_payment_as_it_is(shop: Shop, database_url: str) -> None:
    sent = await shop.sold(line(await shop.price("100")))
    taken, live = await take_back(shop, await pay(shop, sent, "25")), await pay(shop, sent, "50")
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute(f"SET app.company_id = '{shop.api.company_id}'")
        for statement, payment in (
            ("UPDATE payments SET amount = 1 WHERE id = $1", live),
            ("DELETE FROM payments WHERE id = $1", live),
            ("UPDATE payments SET reversed_at = NULL, reversal_entry_id = NULL WHERE id = $1", taken),
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                await owner.execute(statement, payment["id"])
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute("UPDATE payments SET reversed_at = now() WHERE id = $1", live["id"])
    finally:
        await owner.close()
