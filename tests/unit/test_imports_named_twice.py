"""A row names what it refers to once: by its id, or by its number or name."""

import json
from typing import Any
from uuid import UUID

import pytest

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.json_body import decode_json
from ledgerbee.ledger.imports import row_wire
from ledgerbee.ledger.imports.rules import Directory

FIRST, SECOND = UUID("0197a5a0-0000-7000-8000-000000000001"), UUID("0197a5a0-0000-7000-8000-000000000002")
DIRECTORY = Directory(
    account_numbers={1010: FIRST, 1610: SECOND},
    vat_codes={"U25": FIRST, "I25": SECOND},
    customers={"C1": FIRST, "C2": SECOND},
    vendors={"V1": FIRST, "V2": SECOND},
    categories={"Sales": FIRST, "Purchases": SECOND},
)
#: (field with the id, field with the number or name, one that means `FIRST`, one that means `SECOND`)
OF_ENTRY = [
    ("customerId", "customerNumber", "C1", "C2"),
    ("vendorId", "vendorNumber", "V1", "V2"),
    ("journalCategoryId", "journalCategory", "Sales", "Purchases"),
]
OF_LINE = [("accountId", "accountNumber", 1010, 1610), ("vatCodeId", "vatCode", "U25", "I25")]
PAIRS = [(*pair, "") for pair in OF_ENTRY] + [(*pair, "lines.1.") for pair in OF_LINE]


def row(path: str, **fields: Any) -> dict[str, Any]:
    line = {"accountNumber": 1010, "side": "DEBIT", "amount": "1.00"}
    other = {"side": "CREDIT", "amount": "1.00", **(fields if path else {})}
    if not {"accountId", "accountNumber"} & set(other):
        other["accountNumber"] = 1610
    entry = {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "1.00", "lines": [line, other]}
    return entry if path else {**entry, **fields}


def both_ways(content: dict[str, Any]) -> list[Any]:
    """The row as the fast way has it, and as the models have it."""
    text = json.dumps(content).encode()
    plain = row_wire.decode_row(text)
    assert plain is not None
    return [plain, decode_json(text)]


@pytest.mark.parametrize(("id_name", "name", "first", "second", "path"), PAIRS)
def test_named_twice_is_refused_whether_or_not_the_two_agree(
    id_name: str, name: str, first: Any, second: Any, path: str
) -> None:
    for value in (first, second):
        for content in both_ways(row(path, **{id_name: str(FIRST), name: value})):
            with pytest.raises(LedgerBeeError) as refusal:
                row_wire.entered(content, DIRECTORY)
            assert refusal.value.details["validationErrors"] == [
                {
                    "property": f"{path}{name}",
                    "constraints": {"isEmpty": f"{path}{name} must be left out beside {id_name}"},
                }
            ]


@pytest.mark.parametrize(("id_name", "name", "first", "second", "path"), PAIRS)
def test_named_once_is_taken(id_name: str, name: str, first: Any, second: Any, path: str) -> None:
    for fields in ({id_name: str(FIRST)}, {name: first}):
        for content in both_ways(row(path, **fields)):
            entry = row_wire.entered(content, DIRECTORY)
            found = {
                "customerId": entry.customer_id,
                "vendorId": entry.vendor_id,
                "journalCategoryId": entry.journal_category_id,
                "accountId": entry.lines[1].account_id,
                "vatCodeId": entry.lines[1].vat_code_id,
            }
            assert found[id_name] == FIRST


@pytest.mark.parametrize("pair", OF_ENTRY)
def test_a_blank_beside_an_id_names_nothing(pair: tuple[str, str, str, str]) -> None:
    for content in both_ways(row("", **{pair[0]: str(FIRST), pair[1]: " "})):
        row_wire.entered(content, DIRECTORY)
