"""Null in a change: it clears the field and reads back as null, or it is refused by name. It is never passed over."""

from typing import Any

import pytest
from tests.contract.operations import OF_COMPANIES, Row
from tests.contract.test_operations import path_of
from tests.contract.test_requests import request_model
from tests.contract.world import NewWorld, World

CHANGES = [row for row in OF_COMPANIES if row.method in {"PATCH", "PUT"} and request_model(row) is not None]
#: Fields of a request that the answer has under another name, or as something else.
ANSWERED_AS = {"logo": "hasLogo"}
#: What null means where a value always stands: what a new object without the field would have.
DEFAULTS = {
    ("PATCH /v1/invoices/{invoiceId}", "dueDate"): "2026-03-30",  # the customer's payment terms
    ("PATCH /v1/invoices/{invoiceId}", "currency"): "DKK",  # the company's
    ("PATCH /v1/invoices/{invoiceId}", "paymentTerms"): 14,  # the company's
    ("PATCH /v1/order-confirmations/{orderConfirmationId}", "currency"): "DKK",  # the company's
    ("PATCH /v1/quotes/{quoteId}", "currency"): "DKK",  # the company's
    ("PATCH /v2/draft-journal-entries/{draftJournalEntryId}", "currency"): "DKK",  # the company's
}
#: What goes with null where null alone is refused for a reason of its own, or means what other fields say.
WITH_IT: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT /v1/ledger/lock-date", "lockedThrough"): {"reopen": True},
    ("PATCH /v1/invoices/{invoiceId}", "dueDate"): {"date": "2026-03-16", "paymentTerms": 14},
}
#: Values that a field may take, for it to have one that can be cleared.
SAMPLES = (
    "Tekst",
    "2026-04-01",
    "2027-04-01",
    "EUR",
    "da",
    "dk@example.com",
    3,
    "3",
    True,
    {"a": "b"},
    "#aabbcc",
    "1/1",
)


@pytest.fixture
async def fresh(new_world: NewWorld) -> World:
    return await new_world()


@pytest.mark.parametrize("row", CHANGES, ids=str)
async def test_null_clears_or_is_refused(row: Row, fresh: World) -> None:
    model = request_model(row)
    assert model is not None
    valid = row.sent(fresh)["json"]
    for field in model.model_fields.values():
        name = str(field.alias)
        for sample in SAMPLES:
            set_ = await fresh.api.request(row.method, path_of(row, fresh.ids), json={**valid, name: sample})
            if set_.is_success:
                break
        answer = await fresh.api.request(
            row.method, path_of(row, fresh.ids), json={**valid, name: None, **WITH_IT.get((str(row), name), {})}
        )
        if answer.status_code == 400 and answer.json()["code"] == "SHARED_VALIDATION_FAILED":
            found = {one["property"]: one["constraints"] for one in answer.json()["details"]["validationErrors"]}
            assert list(found) == [name], answer.text
            assert found[name]["isDefined"] == f"{name} should not be null or undefined", answer.text
            assert all(text.startswith(f"{name} ") for text in found[name].values()), answer.text
            continue
        assert answer.status_code in {200, 201}, (name, answer.text)
        told: dict[str, Any] = answer.json()
        shown = told.get(ANSWERED_AS.get(name, name), "missing")
        assert shown == DEFAULTS.get((str(row), name)) or shown in (False, [], {}), (name, shown)
