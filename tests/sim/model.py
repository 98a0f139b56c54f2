"""The ledger as its documents describe it: one company's books in plain Python.

Written from the contract and the decisions, with no line of `ledgerbee`: what the system answers is compared with what
is predicted here. A request is asked about with `answer` and, once the system has answered the same, told with `take`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.sim.figures import half_up, shares, text_of, units_of
from tests.sim.requests import Request, decimal_of, entry_faults

#: In a predicted answer: what only the system knows.
AN_ID, A_MOMENT, A_HASH, A_NUMBER = "<id>", "<moment>", "<hash>", "<number>"

Entry = dict[str, Any]

_CONTROL_SIDES = {
    "CUSTOMER_INVOICE": "DEBIT", "CUSTOMER_PAYMENT": "CREDIT", "SUPPLIER_INVOICE": "CREDIT", "SUPPLIER_PAYMENT": "DEBIT",
}  # fmt: skip
#: The account that opens with earlier years' results, in the Danish chart and in the generic one.
_RETAINED = {6935, 2690}
_TITLES = {"da": "Tilbageførsel af nr. {}", "en": "Reversal of no. {}"}
_INVALID = "SHARED_VALIDATION_FAILED"


class Refused(Exception):
    """A refusal: status, code, and the properties of the request that it names."""

    def __init__(self, status: int, code: str, *places: str) -> None:
        super().__init__(status, code, places)
        self.status, self.code, self.places = status, code, {place for place in places if place}


@dataclass(frozen=True)
class Answer:
    """A predicted answer: the body of a success, or the code and the named properties of a refusal."""

    status: int
    body: Any = None
    code: str = ""
    places: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Line:
    """A line to post, in minor units. `entered` is the place in the request of the line that it comes from."""

    account: str
    side: str
    units: int
    kind: str
    entered: int
    source: Entry


@dataclass(frozen=True)
class Entered:
    """An entry that is complete but not posted; `prefix` is its place in the request."""

    entry: Entry
    lines: list[Line]
    prefix: str


@dataclass
class Company:
    """One company: its chart as it was found, and everything that happened to it since."""

    base: str
    language: str
    head: str
    accounts: dict[str, Entry]
    vat_codes: dict[str, Entry]
    categories: dict[str, Entry]
    customers: dict[str, str]
    vendors: dict[str, str]
    tags: dict[str, Entry] = field(default_factory=dict)
    rates: dict[tuple[str, str], str] = field(default_factory=dict)
    locked_through: str | None = None
    numbers: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    entries: dict[str, Entry] = field(default_factory=dict)

    def answer(self, request: Request, today: date) -> Answer:
        """What the system has to answer. Changes nothing."""
        try:
            status, body = getattr(self, f"_{request.kind}")(request, today)
        except Refused as refusal:
            return Answer(refusal.status, None, refusal.code, frozenset(refusal.places))
        return Answer(status, body)

    def take(self, request: Request, body: Any) -> None:
        """The system's own answer to a request that succeeded, compared already: it has happened."""
        match request.kind:
            case "enter" | "reverse":
                self._post([body])
            case "enter_batch" | "reverse_batch":
                self._post(body["entries"])
            case "correct":
                self.entries[body["id"]] = body
            case "lock":
                self.locked_through = body["lockedThrough"]
            case "rate":
                self.rates[body["currency"], body["date"]] = body["rate"]

    def _post(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.numbers[int(entry["date"][:4])] = entry["entryNumber"]
            self.head = entry["hash"]
            self.entries[entry["id"]] = entry
            if entry["reversesEntryId"] is not None:
                self.entries[entry["reversesEntryId"]]["reversedByEntryId"] = entry["id"]

    # What was asked for

    def _enter(self, request: Request, today: date) -> tuple[int, Any]:
        if faults := entry_faults(request.body, request.version):
            raise Refused(400, _INVALID, *faults)
        return 201, self._posted([self._entered(request.body, request.version, "")], today)[0]

    def _enter_batch(self, request: Request, today: date) -> tuple[int, Any]:
        bodies = request.body["entries"]
        if not 1 <= len(bodies) <= 100:
            raise Refused(400, _INVALID, "entries")
        paths = [f"entries.{number}" for number in range(len(bodies))]
        faults = {
            fault
            for body, path in zip(bodies, paths, strict=True)
            for fault in entry_faults(body, request.version, path)
        }
        if faults:
            raise Refused(400, _INVALID, *faults)
        entered = [self._entered(body, request.version, path) for body, path in zip(bodies, paths, strict=True)]
        return 201, {"totalCreated": len(bodies), "entries": self._posted(entered, today)}

    def _correct(self, request: Request, _: date) -> tuple[int, Any]:
        if faults := set(request.body) - {"reference", "externalSystemId"}:
            raise Refused(400, _INVALID, *faults)
        entry = self._found(request.path.split("/")[3])
        return 200, {**entry, **{name: _trimmed(value) for name, value in request.body.items()}}

    def _reverse(self, request: Request, today: date) -> tuple[int, Any]:
        entry = self._found(request.path.split("/")[3])
        on = request.body.get("date") or max(today.isoformat(), entry["date"])
        reversal = self._reversal(entry, on, request.body.get("description"), "")
        return 201, self._placed([reversal], [""], today)[0]

    def _reverse_batch(self, request: Request, today: date) -> tuple[int, Any]:
        ids = request.body["journalEntryIds"]
        if not 1 <= len(ids) <= 100 or len(set(ids)) < len(ids):
            raise Refused(400, _INVALID, "journalEntryIds")
        paths = [f"journalEntryIds.{number}" for number in range(len(ids))]
        entries = [self._found(entry_id, path) for entry_id, path in zip(ids, paths, strict=True)]
        reversals = []
        for entry, path in zip(entries, paths, strict=True):
            on = request.body.get("date") or max(today.isoformat(), entry["date"])
            reversals.append(self._reversal(entry, on, None, path))
        return 201, {"totalCreated": len(ids), "entries": self._placed(reversals, paths, today)}

    def _lock(self, request: Request, _: date) -> tuple[int, Any]:
        wanted = request.body["lockedThrough"]
        if wanted is not None and not "1900-01-01" <= wanted <= "2999-12-31":
            raise Refused(400, _INVALID, "lockedThrough")
        back = self.locked_through is not None and (wanted is None or wanted < self.locked_through)
        if back and not request.body.get("reopen"):
            raise Refused(409, "LOCK_DATE_MOVES_BACK")
        return 200, {"lockedThrough": wanted}

    def _rate(self, request: Request, _: date) -> tuple[int, Any]:
        body = request.body
        return 200, {
            "currency": body["currency"], "baseCurrency": self.base, "date": body["date"],
            "rate": _plain(body["rate"]), "source": "COMPANY", "publishedDate": body["date"],
        }  # fmt: skip

    def _read(self, request: Request, _: date) -> tuple[int, Any]:
        return 200, self._found(request.path.split("/")[3])

    def _list(self, request: Request, _: date) -> tuple[int, Any]:
        wanted = request.params
        page, limit = int(wanted.get("page", 1)), int(wanted.get("limit", 25))
        found = [entry for entry in self.entries.values() if _matches(entry, wanted)]
        found.sort(key=lambda entry: (entry["date"], entry["id"]), reverse=True)
        return 200, {
            "data": found[(page - 1) * limit : page * limit], "total": len(found), "page": page, "limit": limit,
            "totalPages": -(-len(found) // limit),
        }  # fmt: skip

    def _trial_balance(self, request: Request, _: date) -> tuple[int, Any]:
        first, last = date.fromisoformat(request.params["fromDate"]), date.fromisoformat(request.params["toDate"])
        year = date(first.year, 1, 1)
        figures: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        carried = 0
        for entry in self.entries.values():
            day = date.fromisoformat(entry["date"])
            for line in entry["lines"]:
                units, row = self.base_units(line), figures[line["accountId"]]
                is_result = self.accounts[line["accountId"]]["ledgerType"] == "PROFIT_AND_LOSS"
                if day < year and is_result:
                    carried += units
                elif day < first:
                    row[0] += units
                elif day <= last:
                    row[1 if units > 0 else 2] += abs(units)
        figures[next(key for key, account in self.accounts.items() if account["accountNumber"] in _RETAINED)][0] += (
            carried
        )
        return 200, {"accounts": dict(figures), "priorYearsResult": text_of(carried, self.base)}

    def base_units(self, line: Entry) -> int:
        """A posted line's base amount in minor units, debit positive."""
        units = units_of(Decimal(line["amountInBaseCurrency"]), self.base)
        assert units is not None
        return units if line["side"] == "DEBIT" else -units

    def _found(self, entry_id: str, path: str = "") -> Entry:
        if entry_id not in self.entries:
            raise Refused(404, "JOURNAL_ENTRY_NOT_FOUND", path)
        return self.entries[entry_id]

    # How an entry comes about

    def _posted(self, entered: list["Entered"], today: date) -> list[Entry]:
        """What is refused of an entry only once all entries of the request are complete, and their places."""
        for one in entered:
            if len(one.lines) < 2:
                raise Refused(400, _INVALID, f"{one.prefix}lines")
            _check_balanced(one.lines, one.prefix)
        placed = self._placed([one.entry for one in entered], [one.prefix.removesuffix(".") for one in entered], today)
        for one in entered:
            self._check_accounts(one)
        return placed

    def _entered(self, body: Entry, version: int, path: str) -> "Entered":
        prefix = f"{path}." if path else ""
        lines = [dict(line, lineType="ENTERED") for line in body["lines"]]
        original = body.get("originalAmount")
        if original is None:
            original = str(sum(Decimal(str(line["amount"])) for line in lines if line["side"] == "DEBIT"))
        control = self._party(body, prefix)
        if version == 2 and control is not None:
            for number, line in enumerate(lines):
                if line["accountId"] == control:
                    place = f"{prefix}lines.{number}.accountId"
                    raise Refused(400, "JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED", place)
            amount = Decimal(str(original))
            side = _CONTROL_SIDES[body["entryType"]]
            lines.append({
                "accountId": control, "side": side if amount >= 0 else _other(side), "amount": str(abs(amount)),
                "lineType": "CONTROL",
            })  # fmt: skip
        category = self._category(body, prefix)
        currency = body.get("currency") or self.base
        rate = self._exchange_rate(body, currency, prefix)
        units = self._units(lines, original, currency, prefix)
        self._check_vat(lines, prefix)
        self._check_tags(body, lines, prefix)
        posted = [part for place, line in enumerate(lines) for part in self.split(line, place, currency)]
        in_base = self._in_base(posted, currency, rate, prefix)
        entry = {
            "id": AN_ID, "entryNumber": 0, "entryType": body["entryType"], "date": body["date"],
            "description": body.get("description"), "reference": _trimmed(body.get("reference")),
            "externalSystemId": _trimmed(body.get("externalSystemId")), "currency": currency,
            "exchangeRate": _plain(rate), "originalAmount": text_of(units, currency),
            "customerId": body.get("customerId"), "vendorId": body.get("vendorId"), "journalCategoryId": category,
            "tagIds": body.get("tagIds") or [],
            "lines": [self._line(line, base, currency) for line, base in zip(posted, in_base, strict=True)],
            "attachmentCount": 0, "reversesEntryId": None, "reversedByEntryId": None, "postedAt": A_MOMENT,
            "createdAt": A_MOMENT, "previousHash": A_HASH, "hash": A_HASH,
        }  # fmt: skip
        return Entered(entry, posted, prefix)

    def _line(self, line: Line, base: int, currency: str) -> Entry:
        account = self.accounts.get(line.account, {"accountNumber": 0, "name": ""})  # refused before it is posted
        return {
            "id": AN_ID, "accountId": line.account, "accountNumber": account["accountNumber"],
            "accountName": account["name"], "side": line.side, "amount": text_of(line.units, currency),
            "amountInBaseCurrency": text_of(base, self.base), "lineType": line.kind,
            "vatCodeId": line.source.get("vatCodeId"), "description": _trimmed(line.source.get("description")),
            "tagIds": line.source.get("tagIds") or [],
        }  # fmt: skip

    def _party(self, body: Entry, prefix: str) -> str | None:
        """The control account that the entry's type stands on, its parties checked."""
        kind = body["entryType"]
        for start, needed, foreign in (("CUSTOMER", "customerId", "vendorId"), ("SUPPLIER", "vendorId", "customerId")):
            if kind.startswith(start):
                if body.get(needed) is None:
                    raise Refused(400, "JOURNAL_ENTRY_PARTY_MISMATCH", prefix + needed)
                if body.get(foreign) is not None:
                    raise Refused(400, "JOURNAL_ENTRY_PARTY_MISMATCH", prefix + foreign)
        for name, known in (("customerId", self.customers), ("vendorId", self.vendors)):
            if body.get(name) is not None and body[name] not in known:
                raise Refused(404, f"{name[:-2].upper()}_NOT_FOUND", prefix + name)
        if kind.startswith("CUSTOMER"):
            return self.customers[body["customerId"]]
        return self.vendors[body["vendorId"]] if kind.startswith("SUPPLIER") else None

    def _category(self, body: Entry, prefix: str) -> str:
        wanted = body.get("journalCategoryId")
        if wanted is None:
            wanted = next(key for key, category in self.categories.items() if category["isDefault"])
        elif wanted not in self.categories:
            raise Refused(400, "JOURNAL_CATEGORY_NOT_FOUND", f"{prefix}journalCategoryId")
        if body["entryType"] not in self.categories[wanted]["allowedJournalTypes"]:
            raise Refused(400, "JOURNAL_CATEGORY_TYPE_NOT_ALLOWED", f"{prefix}journalCategoryId")
        return str(wanted)

    def _exchange_rate(self, body: Entry, currency: str, prefix: str) -> str:
        given = body.get("exchangeRate")
        if currency == self.base:
            if given is not None and decimal_of(given) != 1:
                raise Refused(400, _INVALID, f"{prefix}exchangeRate")
            return "1"
        rate = given or self.rates.get((currency, body["date"]))
        if rate is None:  # the workload never asks for a published one
            raise Refused(400, "EXCHANGE_RATE_MISSING", f"{prefix}currency")
        return str(rate)

    def _units(self, lines: list[Entry], original: Any, currency: str, prefix: str) -> int:
        """Every amount is whole in minor units; the original amount in them."""
        signed = decimal_of(original)
        assert signed is not None
        units = units_of(signed, currency)
        if units is None:
            raise Refused(400, _INVALID, f"{prefix}originalAmount")
        for number, line in enumerate(lines):
            if units_of(Decimal(str(line["amount"])), currency) is None:
                raise Refused(400, _INVALID, f"{prefix}lines.{number}.amount")
        return units

    def _check_vat(self, lines: list[Entry], prefix: str) -> None:
        for number, line in enumerate(lines):
            wanted = line.get("vatCodeId")
            if wanted is None:
                continue
            place = f"{prefix}lines.{number}.vatCodeId"
            if wanted not in self.vat_codes:
                raise Refused(404, "VAT_CODE_NOT_FOUND", place)
            account = self.accounts.get(line["accountId"])
            if not self.vat_codes[wanted]["isActive"] or (account and account["controlAccountType"]):
                raise Refused(400, "JOURNAL_ENTRY_VAT_NOT_ALLOWED", place)

    def _check_tags(self, body: Entry, lines: list[Entry], prefix: str) -> None:
        lists = [(f"{prefix}tagIds", body.get("tagIds") or [])]
        lists += [(f"{prefix}lines.{number}.tagIds", line.get("tagIds") or []) for number, line in enumerate(lines)]
        for name, tags in lists:
            if len(set(tags)) < len(tags):
                raise Refused(400, _INVALID, name)
            for number, tag in enumerate(tags):
                if tag not in self.tags:
                    raise Refused(404, "DIMENSION_VALUE_NOT_FOUND", f"{name}.{number}")
        taken: dict[str, str] = {}
        for name, tags in lists:
            for number, tag in enumerate(tags):
                dimension = self.tags[tag]
                if dimension["isUnique"] and taken.setdefault(dimension["dimensionId"], tag) != tag:
                    raise Refused(400, "DIMENSION_NOT_ADDITIVE", f"{name}.{number}")

    def split(self, line: Entry, place: int, currency: str) -> list[Line]:
        """What an entered line is posted as: its base, the VAT, and a reverse charge's other side."""
        units = units_of(Decimal(str(line["amount"])), currency)
        assert units is not None
        code = self.vat_codes.get(line.get("vatCodeId") or "")

        def part(account: str, side: str, amount: int, kind: str) -> list[Line]:
            return (
                [Line(account, side, amount, kind, place, line)] if amount or kind not in {"VAT", "VAT_CONTRA"} else []
            )

        account, side, kind = line["accountId"], line["side"], line.get("lineType", "ENTERED")
        rate = Fraction(str(code["vatRate"])) if code else Fraction(0)
        if code is None or not rate:
            return part(account, side, units, kind)
        is_gross = code["principle"] == "Gross"
        vat = half_up(units * rate / (100 + rate) if is_gross else units * rate / 100)
        deductible = half_up(vat * Fraction(str(code["deductiblePercent"])) / 100)
        contra = code["contraAccountToBookId"]
        return [
            *part(account, side, units - vat if is_gross else units, kind),
            *part(account, side, vat - deductible, "VAT"),
            *part(code["accountToBookId"], side, deductible, "VAT"),
            *(part(contra, _other(side), vat, "VAT_CONTRA") if contra else []),
        ]

    def _in_base(self, lines: list[Line], currency: str, rate: str, prefix: str) -> list[int]:
        """Each line's base amount. Each side is converted as a whole, and shared out to its lines."""
        if currency == self.base:
            return [line.units for line in lines]
        debit = _check_balanced(lines, prefix)
        exact = Fraction(rate) * Fraction(text_of(debit, currency))
        total = units_of_fraction(exact, self.base)
        found = [0] * len(lines)
        for side in ("DEBIT", "CREDIT"):
            places = [place for place, line in enumerate(lines) if line.side == side]
            for place, share in zip(places, shares(total, [lines[place].units for place in places]), strict=True):
                found[place] = share
        return found

    def _check_accounts(self, entered: "Entered") -> None:
        for line in entered.lines:
            place = f"{entered.prefix}lines.{line.entered}"
            account = self.accounts.get(line.account)
            if account is None:
                raise Refused(404, "ACCOUNT_NOT_FOUND", place)
            if account["ledgerType"] not in {"BALANCE_SHEET", "PROFIT_AND_LOSS"} or not account["isActive"]:
                raise Refused(400, "ACCOUNT_NOT_BOOKABLE", place)
            party = {"ACCOUNTS_RECEIVABLE": "customerId", "ACCOUNTS_PAYABLE": "vendorId"}.get(
                account["controlAccountType"] or ""
            )
            if party and entered.entry[party] is None:
                raise Refused(400, "JOURNAL_ENTRY_PARTY_REQUIRED", place)

    def _reversal(self, entry: Entry, on: str, description: str | None, path: str) -> Entry:
        if entry["reversesEntryId"] is not None:
            raise Refused(409, "JOURNAL_ENTRY_INVALID_STATE", path)
        if entry["reversedByEntryId"] is not None:
            raise Refused(409, "JOURNAL_ENTRY_ALREADY_REVERSED", path)
        if on < entry["date"]:
            raise Refused(400, _INVALID, f"{path}.date" if path else "date")
        if description is None:
            title = _TITLES[self.language].format(entry["entryNumber"])
            description = f"{title}: {entry['description']}"[:10_000] if entry["description"] else title
        original = entry["originalAmount"]
        negated = original[1:] if original.startswith("-") else f"-{original}"
        return {
            **entry, "id": AN_ID, "date": on, "description": description, "externalSystemId": None,
            "originalAmount": negated if original.strip("-0.") else original,
            "lines": [{**line, "id": AN_ID, "side": _other(line["side"])} for line in entry["lines"]],
            "reversesEntryId": entry["id"], "reversedByEntryId": None, "postedAt": A_MOMENT, "createdAt": A_MOMENT,
            "previousHash": A_HASH, "hash": A_HASH,
        }  # fmt: skip

    def _placed(self, entries: list[Entry], paths: list[str], today: date) -> list[Entry]:
        """The entries with their numbers: 1, 2, 3, ... in each financial year, which is the calendar's here."""
        numbers = dict(self.numbers)
        placed = []
        for entry, path in zip(entries, paths, strict=True):
            if self.locked_through is not None and entry["date"] <= self.locked_through:
                raise Refused(409, "PERIOD_LOCKED", path)
            day = date.fromisoformat(entry["date"])
            ten_years_on = date(today.year + 10, today.month, min(today.day, 28))
            if day.year < 1900 or day.year == 9999 or date(day.year + 1, 1, 1) - timedelta(days=1) > ten_years_on:
                raise Refused(400, "FISCAL_YEAR_MISSING", path)
            numbers[day.year] = numbers.get(day.year, 0) + 1
            placed.append({**entry, "entryNumber": numbers[day.year]})
        if placed:
            placed[0]["previousHash"] = self.head
        return placed


def _check_balanced(lines: list[Line], prefix: str) -> int:
    """The sum of either side, in minor units."""
    debit, credit = (sum(line.units for line in lines if line.side == side) for side in ("DEBIT", "CREDIT"))
    if debit != credit:
        raise Refused(400, "JOURNAL_ENTRY_UNBALANCED", f"{prefix}lines")
    return debit


def units_of_fraction(amount: Fraction, currency: str) -> int:
    """An amount rounded to minor units, halves away from zero."""
    one = units_of(Decimal(1), currency)
    assert one is not None
    return half_up(amount * one)


def _other(side: str) -> str:
    return "CREDIT" if side == "DEBIT" else "DEBIT"


def _trimmed(text: Any) -> Any:
    return text.strip() if isinstance(text, str) else text


def _plain(number: Any) -> str:
    """A decimal without exponent or trailing zeros."""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _matches(entry: Entry, wanted: dict[str, str]) -> bool:
    term = wanted.get("search", "").lower()
    amount = Decimal(entry["originalAmount"])
    return all((
        wanted.get("fromDate", "0") <= entry["date"] <= wanted.get("toDate", "9"),
        wanted.get("customerId") in {None, entry["customerId"]},
        wanted.get("vendorId") in {None, entry["vendorId"]},
        wanted.get("journalType") in {None, entry["entryType"]},
        wanted.get("externalSystemId") in {None, entry["externalSystemId"]},
        Decimal(wanted.get("minAmount", "-1e20")) <= amount <= Decimal(wanted.get("maxAmount", "1e20")),
        "accountId" not in wanted or any(line["accountId"] == wanted["accountId"] for line in entry["lines"]),
        any((entry[name] or "").lower().startswith(term) for name in ("description", "reference")) if term else True,
    ))  # fmt: skip
