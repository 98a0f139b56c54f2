"""Compares what the system says with what the model says: answer by answer, and at the end everything at once."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import asyncpg
import httpx
from tests.sim.entering import A_HASH, A_KEY, A_MOMENT, A_NUMBER, AN_ID
from tests.sim.figures import text_of
from tests.sim.model import Answer, Company
from tests.sim.requests import Request
from tests.sim.years import Year

_FORMS = {
    AN_ID: re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
    A_MOMENT: re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    A_NUMBER: re.compile(r"[1-9]\d*"),
    A_HASH: re.compile(r"[0-9a-f]{64}"),
    A_KEY: re.compile(r"api_key:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
}


class MismatchError(AssertionError):
    """The system said something else than the model."""


def check_answer(request: Request, expected: Answer, response: httpx.Response) -> None:
    """Raises `MismatchError` where a response is not the predicted one."""
    body = body_of(response)
    if response.status_code != expected.status:
        raise MismatchError(f"{request}\nexpected {expected}\ngot {response.status_code} {response.text}")
    if expected.body is None:
        faults = list(differences((expected.code, expected.places), (body["code"], _places(body))))
    elif request.kind == "trial_balance":
        faults = list(differences(expected.body, _trial_balance(body, expected.body["accounts"])))
    else:
        faults = list(differences(expected.body, body))
    if faults:
        raise MismatchError(f"{request}\n" + "\n".join(faults))


def body_of(response: httpx.Response) -> Any:
    """A response's JSON; the empty text where there is none."""
    return response.json() if response.content else ""


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    """Where two values differ; the names of an object have an order too."""
    if isinstance(expected, str) and expected in _FORMS:
        if not _FORMS[expected].fullmatch(str(actual)):
            yield f"{path}: expected {expected}, got {actual!r}"
    elif isinstance(expected, dict) and isinstance(actual, dict):
        if list(expected) != list(actual):
            yield f"{path}: expected the names {list(expected)}, got {list(actual)}"
        for name in expected.keys() & actual.keys():
            yield from differences(expected[name], actual[name], f"{path}.{name}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for place, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(one, other, f"{path}.{place}")
    elif expected != actual:
        yield f"{path}: expected {expected!r}, got {actual!r}"


def _places(body: Any) -> frozenset[str]:
    """The properties of the request that a refusal names."""
    details = body["details"]
    if "validationErrors" in details:
        return frozenset(fault["property"] for fault in details["validationErrors"])
    return frozenset([details["property"]] if details.get("property") else [])


def _trial_balance(body: Any, wanted: Iterable[str]) -> Any:
    """The figures of the accounts that something was posted on, in minor units."""
    rows = {row["accountId"]: row for row in body["rows"]}
    return {
        "accounts": {key: [_units(rows[key][name]) for name in ("opening", "debit", "credit")] for key in wanted},
        "priorYearsResult": body["priorYearsResult"],
    }


def _units(text: str) -> int:
    return int(text.replace(".", ""))


async def audit(database: "asyncpg.Connection[asyncpg.Record]", company_id: str, company: Company) -> None:
    """Raises `MismatchError` unless the tables hold what the model holds: entries, numbers, totals, parties."""
    await database.execute(f"SET app.company_id = '{company_id}'")
    rows = await database.fetch(
        "SELECT id::text, entry_number, entry_date::text, previous_hash, hash FROM journal_entries"
        " WHERE company_id = $1 ORDER BY chain_position",
        company_id,
    )
    same("entries", sorted(company.entries), sorted(row["id"] for row in rows))
    same("numbers in the order of posting", _numbers(company), _numbers_of(rows, company))
    same("the chain", [row["hash"] for row in rows][:-1], [row["previous_hash"] for row in rows][1:])
    found = await database.fetch(
        "SELECT start_date::text, end_date::text FROM fiscal_years WHERE company_id = $1 ORDER BY start_date",
        company_id,
    )
    same("the financial years", company.years.known, [tuple(row) for row in found])
    months, tags, parties = _totals(company)
    found = await database.fetch(
        "SELECT account_id::text, to_char(month, 'YYYY-MM'), sum(base_debit), sum(base_credit) FROM account_months"
        " WHERE company_id = $1 GROUP BY 1, 2",
        company_id,
    )
    same("balances by account and month", months, _by_place(found, company))
    found = await database.fetch(
        "SELECT tag_id::text || account_id, to_char(month, 'YYYY-MM'), base_debit, base_credit FROM tag_months"
        " WHERE company_id = $1",
        company_id,
    )
    same("balances by tag, account and month", tags, _by_place(found, company))
    found = await database.fetch(
        "SELECT coalesce(customer_id, vendor_id)::text, '', sum(base_amount) FILTER (WHERE is_debit),"
        " -sum(base_amount) FILTER (WHERE NOT is_debit) FROM journal_lines"
        " WHERE company_id = $1 AND coalesce(customer_id, vendor_id) IS NOT NULL GROUP BY 1",
        company_id,
    )
    same("balances by party", parties, _by_place(found, company))


def same(what: str, expected: Any, actual: Any) -> None:
    """Raises `MismatchError` with what it is about where two values differ."""
    if expected != actual:
        raise MismatchError(f"{what}: expected {expected}\ngot {actual}")


Numbers = dict[Year | None, list[int]]


def _numbers(company: Company) -> Numbers:
    """Every financial year's numbers: those that stand there, and those that have to."""
    counts = Counter(company.years.of(entry["date"]) for entry in company.entries.values())
    return {year: list(range(1, count + 1)) for year, count in counts.items()}


def _numbers_of(rows: Iterable[asyncpg.Record], company: Company) -> Numbers:
    numbers: Numbers = defaultdict(list)
    for row in rows:
        numbers[company.years.of(row["entry_date"])].append(row["entry_number"])
    return dict(numbers)


Totals = dict[tuple[str, str], tuple[str, str]]


def _by_place(rows: Iterable[asyncpg.Record], company: Company) -> Totals:
    zero = text_of(0, company.base)
    places = len(zero.partition(".")[2])
    return {
        (row[0], row[1]): tuple(f"{amount or 0:.{places}f}" for amount in (row[2], row[3]))  # type: ignore[misc]
        for row in rows
    }


def _totals(company: Company) -> tuple[Totals, Totals, Totals]:
    """Debit and credit by account and month, by tag and account and month, and by party, as text."""
    months: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    tags: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    parties: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for entry in company.entries.values():
        month = entry["date"][:7]
        for line in entry["lines"]:
            account, units = line["accountId"], company.base_units(line)
            side = 0 if line["side"] == "DEBIT" else 1
            months[account, month][side] += abs(units)
            for tag in {*entry["tagIds"], *line["tagIds"]}:
                tags[tag + account, month][side] += abs(units)
            control = company.accounts[account]["controlAccountType"]
            if control is not None:
                party = entry["customerId" if control == "ACCOUNTS_RECEIVABLE" else "vendorId"]
                parties[party, ""][side] += abs(units)
    return tuple(  # type: ignore[return-value]
        {key: (text_of(debit, company.base), text_of(credit, company.base)) for key, (debit, credit) in figures.items()}
        for figures in (months, tags, parties)
    )
