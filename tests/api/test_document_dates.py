"""The dates of documents and payments: a year ahead at most."""

from datetime import date
from typing import Any

import pytest
from tests.conftest import Api
from tests.selling import Shop, line

from ledgerbee.platform.context import Context


@pytest.mark.parametrize(
    ("today", "last", "too_late"),
    [("2026-03-16", "2027-03-16", "2027-03-17"), ("2028-02-29", "2029-02-28", "2029-03-01")],
)
async def test_a_document_is_dated_a_year_ahead_at_most(api: Api, today: str, last: str, too_late: str) -> None:
    api.clock.now = api.clock.now.replace(year=int(today[:4]), month=int(today[5:7]), day=int(today[8:]))
    for _ in range(2):
        assert (await api.post("/v1/fiscal-years")).status_code == 201
    shop = Shop(api)
    customer, one = await shop.customer(), line(await shop.price())

    async def refused(method: str, path: str, body: Any) -> None:
        details = await shop.refused(method, path, body, 400, "SHARED_VALIDATION_FAILED")
        assert [(row["property"], list(row["constraints"])) for row in details["validationErrors"]] == [
            ("date", ["maxDate"])
        ]

    body = {"customerId": customer, "lines": [one]}
    for day in (too_late, "2935-01-01", "9999-12-31"):
        await refused("POST", "/v1/invoices", {**body, "date": day})
    draft = await shop.draft(customer, one, date=last)
    path = f"/v1/invoices/{draft['id']}"
    await refused("PATCH", path, {"date": too_late})
    assert await shop.invoice(draft["id"]) == draft

    async def forgotten(context: Context) -> None:
        await context.connection.execute(
            "UPDATE invoices SET issue_date = $3, due_date = $3 WHERE company_id = $1 AND id = $2::text::uuid",
            api.company_id, draft["id"], date.fromisoformat(too_late),
        )  # fmt: skip

    await api.run(forgotten)  # a draft from before the rule
    await refused("POST", f"{path}/send", {"deliveryType": "Manual"})
    assert (await shop.invoice(draft["id"]))["status"] == "draft"
    await shop.ok("PATCH", path, {"date": today})
    sent = await shop.send(draft)
    await refused("POST", f"/v1/invoices/{sent['id']}/payments", {"date": too_late, "amount": "1"})
    assert (await shop.invoice(sent["id"]))["amountPaid"] == "0.00"


@pytest.mark.parametrize(("due", "status"), [("2036-03-13", 201), ("2036-03-14", 400), ("9999-12-31", 400)])
async def test_a_due_date_is_within_the_longest_terms(api: Api, due: str, status: int) -> None:
    shop = Shop(api)
    body = {"customerId": await shop.customer(), "date": "2026-03-16", "lines": [line(await shop.price())]}
    answer = await api.post("/v1/invoices", {**body, "dueDate": due})
    assert answer.status_code == status, answer.text
