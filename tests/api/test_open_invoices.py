"""Open invoices as of a day, against what the invoices say and what was booked when."""

from typing import Any

from tests.api.test_customer_credit import apply, give
from tests.api.test_payments import pay
from tests.conftest import Api
from tests.selling import Shop, line


async def overdue(shop: Shop, **query: Any) -> dict[str, Any]:
    answer = await shop.api.get("/v1/open-invoices", params={"minDaysOverdue": 1, **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def open_amounts(found: dict[str, Any]) -> dict[str, tuple[str, int, str]]:
    return {one["id"]: (one["openAmount"], one["daysOverdue"], one["band"]) for one in found["data"]}


async def test_what_was_open_on_a_day_follows_from_what_was_booked_by_then(api: Api) -> None:
    shop = Shop(api)
    customer, other = await shop.customer(), await shop.customer(name="Svaneke Is")
    price = await shop.price("1000")

    async def sell(to: str, day: str, **fields: Any) -> dict[str, Any]:
        return await shop.send(await shop.draft(to, line(price), date=day, paymentTerms=8, **fields))

    paid, part, noted = (
        await sell(customer, "2026-01-02"),
        await sell(customer, "2026-01-12"),
        await sell(other, "2026-01-22"),
    )
    lost, used = await sell(other, "2026-02-01"), await sell(other, "2026-02-11")
    late = await sell(customer, "2026-03-10")
    euro = await shop.price("100", currency="EUR")
    await shop.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": "2026-01-02", "rate": "7.46"})
    foreign = await shop.send(await shop.draft(customer, line(euro), date="2026-01-02", paymentTerms=8, currency="EUR"))
    payment = await pay(shop, paid, "1250", date="2026-02-10")
    await pay(shop, part, "250", date="2026-02-20")
    await shop.credited(noted, line(price, "0.4"), date="2026-02-15")
    await shop.ok("POST", f"/v1/invoices/{lost['id']}/write-off", {"date": "2026-03-01"})
    await give(shop, other, "200", date="2026-02-12")
    api.clock.now = api.clock.now.replace(day=18)
    await apply(shop, used, "250")

    now = await overdue(shop)
    assert now["asOf"] == "2026-03-18"
    assert open_amounts(now) == {
        foreign["id"]: ("125.00", 67, "days61To90"),
        part["id"]: ("1000.00", 57, "days31To60"),
        noted["id"]: ("750.00", 47, "days31To60"),
        used["id"]: ("1000.00", 27, "days1To30"),
    }
    for one in now["data"]:
        assert one["openAmount"] == (await shop.invoice(one["id"]))["amountDue"]
    assert late["dueDate"] == "2026-03-18"  # its own day is still in time
    every = (await shop.api.get("/v1/open-invoices", params={"customerId": customer})).json()
    assert open_amounts(every)[late["id"]] == ("1250.00", 0, "notDue")
    (kroner,) = [one for one in every["totals"] if one["currency"] == "DKK"]
    assert (kroner["openAmount"], kroner["overdueAmount"], kroner["bands"]["notDue"]) == (
        "2250.00",
        "1000.00",
        "1250.00",
    )

    before = await overdue(shop, asOf="2026-02-09")
    assert open_amounts(before) == {
        paid["id"]: ("1250.00", 30, "days1To30"),
        foreign["id"]: ("125.00", 30, "days1To30"),
        part["id"]: ("1250.00", 20, "days1To30"),
        noted["id"]: ("1250.00", 10, "days1To30"),
    }
    page = await overdue(shop, asOf="2026-02-20", limit=2, page=2)
    assert (page["total"], page["totalPages"]) == (5, 3)
    assert open_amounts(page) == {
        noted["id"]: ("750.00", 21, "days1To30"),
        lost["id"]: ("1250.00", 11, "days1To30"),
    }
    assert {one["currency"]: (one["invoices"], one["openAmount"], one["bands"]) for one in page["totals"]} == {
        "DKK": (4, "4250.00", {"notDue": "0.00", "days1To30": "3250.00", "days31To60": "1000.00", "days61To90": "0.00",
                               "days91AndMore": "0.00"}),
        "EUR": (1, "125.00", {"notDue": "0.00", "days1To30": "0.00", "days31To60": "125.00", "days61To90": "0.00",
                              "days91AndMore": "0.00"}),
    }  # fmt: skip
    (sums,) = page["customers"]
    assert (sums["customerId"], sums["currency"], sums["invoices"], sums["openAmount"]) == (other, "DKK", 3, "3250.00")

    # What was settled and taken back was settled in between.
    await shop.ok("POST", f"/v1/payments/{payment['id']}/reverse", {"date": "2026-03-05"}, status=200)
    await shop.ok("POST", f"/v1/invoices/{lost['id']}/write-off/reverse", {"date": "2026-03-10"}, status=200)
    for day, standing in (("2026-03-04", False), ("2026-03-18", True)):
        stood = open_amounts(await overdue(shop, asOf=day))
        assert (paid["id"] in stood, lost["id"] in stood) == (standing, standing)
    found = await overdue(shop, customerId=customer, minDaysOverdue=67)
    assert set(open_amounts(found)) == {paid["id"], foreign["id"]}
    assert found["totals"][0]["invoices"] == 1


async def test_nobody_sees_what_another_company_is_owed(api: Api, other_api: Api) -> None:
    shop = Shop(api)
    await shop.sold(line(await shop.price("1000")), date="2026-01-02")
    assert (await overdue(shop))["total"] == 1
    assert (await overdue(Shop(other_api)))["total"] == 0
