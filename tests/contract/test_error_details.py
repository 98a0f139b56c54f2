"""The `details` of errors: what the code raises, what the document's examples show, and what the server answers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from docs.reference import generate
from tests.contract.operations import WRITES, Row
from tests.contract.test_all_faults import places_of
from tests.contract.test_bad_bytes import replaced
from tests.contract.test_openapi import operations
from tests.contract.test_operations import path_of
from tests.contract.world import World

import ledgerbee

#: What may stand beside the others: told only where it applies.
MORE = {"furtherErrors", "properties", "hint", "isDefault", "sourceType", "sourceId"}
#: Codes that are raised with what the database tells: the keys, from its functions.
OF_THE_DATABASE: dict[str, list[set[str]]] = {
    "ACCOUNT_NOT_BOOKABLE": [{"property", "accountId"}],
    "ACCOUNT_NOT_FOUND": [{"property", "accountId"}],
    "DIMENSION_VALUE_NOT_FOUND": [{"property", "valueId"}],
    "FISCAL_YEAR_MISSING": [{"property", "date", "firstKnownDay", "lastKnownDay"}],
    "FISCAL_YEAR_NOT_ADJACENT": [{"firstKnownDay", "lastKnownDay"}],
    "FISCAL_YEAR_OVERLAPS": [{"firstKnownDay", "lastKnownDay"}],
    "JOURNAL_ENTRY_PARTY_REQUIRED": [{"property", "accountId", "field"}],
    "LOCK_DATE_MOVES_BACK": [{"lockedThrough"}],
    "PERIOD_LOCKED": [{"property", "date", "lockedThrough"}],
}
#: Helpers that raise a code that they are given, and with what.
BY_HELPERS: dict[str, list[set[str]]] = {
    "API_KEY_NOT_FOUND": [set()],
    "CONTACT_DEFAULT_REQUIRED": [set()],
    "CONTACT_MULTIPLE_DEFAULTS": [set()],
    "CREDIT_NOTE_EXCEEDS_INVOICE": [
        {"property"},
        {"property", "quantityLeft"},
        {"property", "totalPriceLeft"},
        {"vatRate", "subtotalLeft"},
        {"amountLeft"},
    ],
    "CREDIT_NOTE_LINE_NOT_ON_INVOICE": [{"property", "invoiceLineId"}, {"property", "priceId"}],
    "CREDIT_NOTE_NOT_FOUND": [set()],
    "CREDIT_NOTE_RECIPIENT_MISSING": [{"customerId"}],
    "CUSTOMER_GROUP_ACCOUNT_INVALID": [{"property", "accountId"}],
    "DEPARTMENT_DEFAULT_REQUIRED": [set()],
    "INVOICE_NOT_FOUND": [set()],
    "JOURNAL_IMPORT_NOT_FOUND": [set()],
    "JOURNAL_IMPORT_QUOTA_EXCEEDED": [{"waitingImports", "maxImports", "waitingBytes", "maxBytes"}],
    "INVOICE_RECIPIENT_MISSING": [{"customerId"}],
    "OAUTH_CLIENT_NOT_FOUND": [set()],
    "ORDER_CONFIRMATION_NOT_FOUND": [set()],
    "ORDER_CONFIRMATION_RECIPIENT_MISSING": [{"customerId"}],
    "PAYMENT_PROVIDER_REFUSED": [{"provider", "reason"}],
    "PAYMENT_PROVIDER_UNCLEAR": [{"provider", "reason"}],
    "PAYOUT_IMPORT_UNREADABLE": [{"line", "property"}],
    "PRODUCT_PRICE_QUANTITY_INVALID": [{"property", "priceId", "quantity"}],
    "QUOTE_NOT_FOUND": [set()],
    "USAGE_IMPORT_NOT_FOUND": [set()],
    "USAGE_IMPORT_QUOTA_EXCEEDED": [{"waitingImports", "maxImports", "waitingBytes", "maxBytes"}],
    "QUOTE_RECIPIENT_MISSING": [{"customerId"}],
    "VENDOR_GROUP_ACCOUNT_INVALID": [{"property", "accountId"}],
    "VENDOR_NOT_FOUND": [set()],
}
#: Of an entry and its reversal the entry that was asked for is named, where the batch doesn't say it by its place.
OF_REVERSALS = {"JOURNAL_ENTRY_ALREADY_REVERSED": "journalEntryId", "JOURNAL_ENTRY_INVALID_STATE": "journalEntryId"}
FAMILIES = {"_ALREADY_EXISTS": {"property", "value"}, "_INVALID_STATE": {"status"}, "_IN_USE": {"usedBy"}}


def raised() -> dict[str, list[set[str]]]:
    """The keys that each code is raised with, read in the code."""
    found: dict[str, list[set[str]]] = {
        code: [*OF_THE_DATABASE.get(code, []), *BY_HELPERS.get(code, [])] for code in {*OF_THE_DATABASE, *BY_HELPERS}
    }
    for file in Path(ledgerbee.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                code = ast.unparse(call.func.value)
                keys = {keyword.arg for keyword in call.keywords if keyword.arg}
                if not re.fullmatch(r"[A-Z][A-Z_]+", code) or file.parent.name == "openapi":
                    continue
                if call.func.attr == "missing":
                    (_, id_name, *_) = call.args
                    keys |= {"property", ast.literal_eval(id_name)}
                elif call.func.attr in {"taken", "used", "in_state"}:
                    keys |= {"taken": {"property", "value"}, "used": {"usedBy"}, "in_state": {"status"}}[call.func.attr]
                elif call.func.attr not in {"error", "unless"}:
                    continue
                found.setdefault(code.replace("LICENSE_REQUIRED", "LICENSE.REQUIRED"), []).append(
                    keys | {OF_REVERSALS[code] for _ in [0] if code in OF_REVERSALS}
                )
    return found


def examples_of_errors() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every example of an error in the document: operation, code, details."""
    for path, method, operation in operations():
        for answer in operation["responses"].values():
            for code, example in answer.get("content", {}).get("application/json", {}).get("examples", {}).items():
                yield f"{method.upper()} {path}", code, example["value"]["details"]


def test_examples_show_the_details_that_are_raised() -> None:
    known, wrong, count = raised(), [], 0
    for operation, code, details in examples_of_errors():
        count += 1
        if code == "SHARED_VALIDATION_FAILED":
            continue
        shapes = known.get(code, []) or [keys for end, keys in FAMILIES.items() if code.endswith(end)]
        if code.endswith("_NOT_FOUND"):
            shapes = [*shapes, {"property", *(key for key in details if key.endswith("Id"))}]
        if details.keys() - MORE not in [shape - MORE for shape in shapes]:
            wrong.append((operation, code, details, shapes))
    assert count > 800
    assert not wrong, wrong


def test_codes_that_end_alike_tell_alike() -> None:
    """Where the code is raised: whoever reads the details of one code of a family reads those of all."""
    for code, shapes in raised().items():
        for end, wanted in FAMILIES.items():
            if code.endswith(end) and code != "IDEMPOTENCY_KEY_IN_USE":
                assert all(wanted <= shape for shape in shapes), (code, shapes)
        if code.endswith("_NOT_FOUND") and code != "NOT_FOUND":
            for shape in shapes:
                told = shape - MORE
                assert not told or (len(told) == 2 and "property" in told), (code, shape)
    assert {error.code for error in generate.error_codes()} >= raised().keys() - {"VALIDATION_FAILED"}


@pytest.mark.parametrize("row", [row for row in WRITES if not row.file], ids=str)
async def test_a_reference_to_nothing_is_told_as_the_document_shows(row: Row, world: World) -> None:
    shown = {
        (operation, code): details for operation, code, details in examples_of_errors() if code.endswith("_NOT_FOUND")
    }
    body = row.sent(world)["json"]
    places = [place for place in places_of(body) if _is_reference(place[-1] if place else "")]
    for place in places:
        unknown = str(uuid4())
        value = [unknown] if str(place[-1]).endswith("Ids") else unknown
        answer = await world.api.request(row.method, path_of(row, world.ids), json=replaced(body, place, value))
        if answer.status_code == 200:  # a batch: each has an outcome of its own
            assert [one["code"][-10:] for one in answer.json()["results"]] == ["_NOT_FOUND"], (place, answer.text)
            continue
        code, details = answer.json()["code"], answer.json()["details"]
        if not code.endswith("_NOT_FOUND"):
            assert answer.status_code in {400, 409, 422}, (place, answer.text)
            continue
        where = ".".join(map(str, place)) + (".0" if isinstance(value, list) else "")
        assert details["property"] == where
        (id_name,) = details.keys() - {"property", "properties"}
        assert details[id_name] == unknown
        example = shown[str(row), code]
        assert example.keys() == details.keys() or example == {}, (code, example)
        if example:
            assert re.sub(r"\d+", "0", where).endswith(re.sub(r"\d+", "0", example["property"])[-8:]), (where, example)


def _is_reference(name: str | int) -> bool:
    own = {"externalSystemId", "partnerReferenceId"}  # references of the caller's
    return isinstance(name, str) and name.endswith(("Id", "Ids")) and name not in own
