"""What is said of a field that doesn't exist."""

from typing import Any

import pytest
from pydantic import ValidationError
from tests.contract.operations import WRITES
from tests.contract.test_requests import request_model

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.hints import likely_name, with_hints
from ledgerbee.http.validation import validated
from ledgerbee.http.wire import RequestModel
from ledgerbee.ledger.entries.wire import CreateJournalEntryBatchRequest, CreateJournalEntryRequest
from ledgerbee.parties.customers.wire import CreateCustomerRequest
from ledgerbee.sales.invoices.requests import CreateInvoiceRequest

MODELS = list(dict.fromkeys(model for row in WRITES if (model := request_model(row)) is not None))


def texts(model: type[RequestModel], body: dict[str, Any]) -> dict[str, str]:
    """What is told of the unknown fields of a body, by property."""
    with pytest.raises(LedgerBeeError) as caught:
        validated(model, body)
    found = caught.value.details["validationErrors"]
    return {
        one["property"]: one["constraints"]["whitelistValidation"]
        for one in found
        if "whitelistValidation" in one["constraints"]
    }


@pytest.mark.parametrize(
    ("model", "body", "name", "meant"),
    [
        (CreateInvoiceRequest, {"lines": [{"productId": 1}]}, "lines.0.productId", "priceId"),
        (CreateInvoiceRequest, {"lines": [{}, {"price_id": 1}]}, "lines.1.price_id", "priceId"),
        (CreateInvoiceRequest, {"customer": 1}, "customer", "customerId"),
        (CreateInvoiceRequest, {"customer_id": 1}, "customer_id", "customerId"),
        (CreateInvoiceRequest, {"referense": 1}, "referense", "reference"),
        (CreateInvoiceRequest, {"due-date": 1}, "due-date", "dueDate"),
        (CreateJournalEntryRequest, {"lines": [{"accountNumber": 1010}]}, "lines.0.accountNumber", "accountId"),
        (CreateJournalEntryRequest, {"lines": [{"vatCode": "U25"}]}, "lines.0.vatCode", "vatCodeId"),
        (CreateJournalEntryRequest, {"supplierId": 1}, "supplierId", "vendorId"),
        (CreateJournalEntryRequest, {"Date": 1}, "Date", "date"),
        (CreateJournalEntryBatchRequest, {"entries": [{"lines": [{"account_id": 1}]}]}, "entries.0.lines.0.account_id",
         "accountId"),
        (CreateCustomerRequest, {"number": "1"}, "number", "customerNumber"),
        (CreateCustomerRequest, {"zip": "1"}, "zip", "postalCode"),
    ],
)  # fmt: skip
def test_a_likely_slip_is_told(model: type[RequestModel], body: dict[str, Any], name: str, meant: str) -> None:
    assert texts(model, body)[name] == f"{name} should not exist: did you mean {meant}?"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_found_in_another_spelling(model: type[RequestModel]) -> None:
    names = [str(field.alias) for field in model.model_fields.values()]
    for name in names:
        snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
        for spelling in (snake, name.upper(), snake.replace("_", "-")):
            if spelling not in names:
                assert texts(model, {spelling: 1})[spelling] == f"{spelling} should not exist: did you mean {name}?"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_what_is_near_nothing_has_no_hint(model: type[RequestModel]) -> None:
    assert texts(model, {"noSuchField": 1}) == {"noSuchField": "noSuchField should not exist"}


def test_hints_are_few_and_of_short_names() -> None:
    assert likely_name("x" * 1_000_000, ["x" * 40]) is None
    with pytest.raises(ValidationError) as caught:
        CreateInvoiceRequest.model_validate({f"dueDate{number}": 1 for number in range(1_000)})
    assert sum("hint" in error for error in with_hints(CreateInvoiceRequest, caught.value.errors())) == 20
