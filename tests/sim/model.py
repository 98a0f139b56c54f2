"""The ledger as its documents describe it: one company's books in plain Python.

Written from the contract and the decisions, with no line of `ledgerbee`: what the system answers is compared with what
is predicted here. A request is asked about with `answer` and, once the system has answered the same, told with `take`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from tests.sim.entering import (
    A_HASH,
    A_KEY,
    A_MOMENT,
    AN_ID,
    INVALID,
    Chart,
    Entered,
    Entry,
    RefusedError,
    check_balanced,
    other,
    plain,
    trimmed,
)
from tests.sim.figures import text_of, units_of
from tests.sim.requests import Request, entry_faults
from tests.sim.years import Years

#: The account that opens with earlier years' results, in the Danish chart and in the generic one.
_RETAINED = {6935, 2690}
_TITLES = {"da": "Tilbageførsel af nr. {}", "en": "Reversal of no. {}"}


@dataclass(frozen=True)
class Answer:
    """A predicted answer: the body of a success, or the code and the named properties of a refusal."""

    status: int
    body: Any = None
    code: str = ""
    places: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class Company(Chart):
    """One company: its chart as it was found, and everything that happened to it since."""

    language: str
    head: str
    years: Years
    locked_through: str | None = None
    #: The last number in each financial year, by its first day.
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    entries: dict[str, Entry] = field(default_factory=dict)
    #: Drafts as they are shown, with the request that each was made by.
    drafts: dict[str, tuple[Entry, Request]] = field(default_factory=dict)

    def answer(self, request: Request, today: date) -> Answer:
        """What the system has to answer. Changes nothing."""
        try:
            status, body = getattr(self, f"_{request.kind}")(request, today)
        except RefusedError as refusal:
            return Answer(refusal.status, None, refusal.code, frozenset(refusal.places))
        return Answer(status, body)

    def take(self, request: Request, body: Any) -> None:
        """The system's own answer to a request that succeeded, compared already: it has happened."""
        match request.kind:
            case "enter" | "reverse":
                self._post([body])
            case "enter_batch" | "reverse_batch":
                self._post(body["entries"])
            case "draft":
                self.drafts[body["id"]] = body, request
            case "book":
                draft, made_by = self.drafts[request.path.split("/")[3]]
                self.drafts[draft["id"]] = {**draft, "status": "booked", "journalEntryId": body["id"]}, made_by
                self._post([body])
            case "delete_draft":
                del self.drafts[request.path.split("/")[3]]
            case "correct":
                self.entries[body["id"]] = body
            case "lock":
                self.locked_through = body["lockedThrough"]
            case "open_year":
                self.years.add((body["startDate"], body["endDate"]))
            case "rate":
                self.rates[body["currency"], body["date"]] = body["rate"]

    def _post(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            year = self.years.for_posting(entry["date"], date.fromisoformat(entry["postedAt"][:10]))
            assert year is not None, "what was posted was predicted"
            self.years.add(year)
            self.numbers[year[0]] = entry["entryNumber"]
            self.head = entry["hash"]
            self.entries[entry["id"]] = {name: value for name, value in entry.items() if name != "warnings"}
            if entry["reversesEntryId"] is not None:
                self.entries[entry["reversesEntryId"]]["reversedByEntryId"] = entry["id"]

    # What was asked for

    def _enter(self, request: Request, today: date) -> tuple[int, Any]:
        if faults := entry_faults(request.body, request.version):
            raise RefusedError(400, INVALID, *faults, *self.beside(request.body, faults, ""))
        (posted,) = self._posted([self.complete(request.body, request.version, "")], today)
        return 201, self.warned(posted, request.version)

    def _enter_batch(self, request: Request, today: date) -> tuple[int, Any]:
        bodies = request.body["entries"]
        if not 1 <= len(bodies) <= 100:
            raise RefusedError(400, INVALID, "entries")
        paths = [f"entries.{number}" for number in range(len(bodies))]
        faults = {
            fault
            for body, path in zip(bodies, paths, strict=True)
            for fault in entry_faults(body, request.version, path)
        }
        if faults:
            for body, path in zip(bodies, paths, strict=True):
                faults |= self.beside(body, faults, f"{path}.")
            raise RefusedError(400, INVALID, *faults)
        entered = self._all_complete(bodies, request.version, paths)
        posted = [self.warned(one, request.version) for one in self._posted(entered, today)]
        return 201, {"totalCreated": len(bodies), "entries": posted}

    def _all_complete(self, bodies: list[Any], version: int, paths: list[str]) -> list[Entered]:
        """Each entry of a batch. The first refusal decides; one of fields is told with those of the other entries."""
        entered: list[Entered] = []
        refusals: list[RefusedError] = []
        for body, path in zip(bodies, paths, strict=True):
            try:
                entered.append(self.complete(body, version, path))
            except RefusedError as refusal:
                refusals.append(refusal)
        if refusals and refusals[0].code != INVALID:
            raise refusals[0]
        if refusals:
            places = {place for refusal in refusals if refusal.code == INVALID for place in refusal.places}
            raise RefusedError(400, INVALID, *places)
        return entered

    def _draft(self, request: Request, _: date) -> tuple[int, Any]:
        """The workload drafts good entries, but for what a voucher states; whether they can be booked is seen then."""
        body = request.body
        lines, units, currency = self.entered_lines(body, request.version, "")
        self.check_vouchers(body["lines"], currency, body["date"])
        return 201, {
            "id": AN_ID, "entryType": body["entryType"], "date": body["date"], "deliveryDate": body.get("deliveryDate"),
            "description": body.get("description"),
            "reference": trimmed(body.get("reference")), "externalSystemId": trimmed(body.get("externalSystemId")),
            "currency": currency, "exchangeRate": plain(body["exchangeRate"]) if "exchangeRate" in body else None,
            "originalAmount": text_of(units, currency), "customerId": body.get("customerId"),
            "vendorId": body.get("vendorId"), "journalCategoryId": body.get("journalCategoryId"),
            "tagIds": body.get("tagIds") or [], "lines": [self.draft_line(line, currency) for line in lines],
            "attachmentCount": len(body.get("attachments") or []), "status": "draft", "journalEntryId": None,
            "createdAt": A_MOMENT, "updatedAt": A_MOMENT,
        }  # fmt: skip

    def _book(self, request: Request, today: date) -> tuple[int, Any]:
        made_by = self._open_draft(request)
        (posted,) = self._posted([self.complete(made_by.body, made_by.version, "")], today)
        booked = {**posted, "sourceType": "DRAFT", "sourceId": request.path.split("/")[3]}
        return 200, self.warned(booked, made_by.version)

    def _delete_draft(self, request: Request, _: date) -> tuple[int, Any]:
        self._open_draft(request)
        return 204, ""

    def _open_draft(self, request: Request) -> Request:
        draft_id = request.path.split("/")[3]
        if draft_id not in self.drafts:
            raise RefusedError(404, "DRAFT_JOURNAL_ENTRY_NOT_FOUND")
        draft, made_by = self.drafts[draft_id]
        if draft["status"] != "draft":
            raise RefusedError(409, "DRAFT_JOURNAL_ENTRY_INVALID_STATE")
        return made_by

    def _read_draft(self, request: Request, _: date) -> tuple[int, Any]:
        draft_id = request.path.split("/")[3]
        if draft_id not in self.drafts:
            raise RefusedError(404, "DRAFT_JOURNAL_ENTRY_NOT_FOUND")
        return 200, {**self.drafts[draft_id][0], "updatedAt": A_MOMENT}

    def _correct(self, request: Request, _: date) -> tuple[int, Any]:
        if faults := set(request.body) - {"reference", "externalSystemId"}:
            raise RefusedError(400, INVALID, *faults)
        entry = self._found(request.path.split("/")[3])
        return 200, {**entry, **{name: trimmed(value) for name, value in request.body.items()}}

    def _reverse(self, request: Request, today: date) -> tuple[int, Any]:
        entry = self._found(request.path.split("/")[3])
        on = request.body.get("date") or max(today.isoformat(), entry["date"])
        reversal = self._reversal(entry, on, request.body.get("description"), "")
        self._check_day([entry], on)
        return 201, self._placed([reversal], ["date"], today)[0]

    def _reverse_batch(self, request: Request, today: date) -> tuple[int, Any]:
        ids = request.body["journalEntryIds"]
        if not 1 <= len(ids) <= 100 or len(set(ids)) < len(ids):
            raise RefusedError(400, INVALID, "journalEntryIds")
        paths = [f"journalEntryIds.{number}" for number in range(len(ids))]
        entries = [self._found(entry_id, path) for entry_id, path in zip(ids, paths, strict=True)]
        reversals = []
        for entry, path in zip(entries, paths, strict=True):
            on = request.body.get("date") or max(today.isoformat(), entry["date"])
            reversals.append(self._reversal(entry, on, None, path))
        self._check_day(entries, request.body.get("date"))
        return 201, {"totalCreated": len(ids), "entries": self._placed(reversals, ["date"] * len(ids), today)}

    def _lock(self, request: Request, _: date) -> tuple[int, Any]:
        wanted = request.body["lockedThrough"]
        if wanted is not None and not "1900-01-01" <= wanted <= "2999-12-31":
            raise RefusedError(400, INVALID, "lockedThrough")
        back = self.locked_through is not None and (wanted is None or wanted < self.locked_through)
        if back and not request.body.get("reopen"):
            raise RefusedError(409, "LOCK_DATE_MOVES_BACK")
        return 200, {"lockedThrough": wanted}

    def _open_year(self, request: Request, today: date) -> tuple[int, Any]:
        start, end = self.years.asked_for(request.body, today)
        is_locked = self.locked_through is not None and end <= self.locked_through
        return 201, {
            "id": AN_ID, "startDate": start, "endDate": end, "lastEntryNumber": 0, "isLocked": is_locked,
        }  # fmt: skip

    def _rate(self, request: Request, _: date) -> tuple[int, Any]:
        body = request.body
        return 200, {
            "currency": body["currency"], "baseCurrency": self.base, "date": body["date"],
            "rate": plain(body["rate"]), "source": "COMPANY", "publishedDate": body["date"],
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
        first, last = request.params["fromDate"], request.params["toDate"]
        year = self.years.start_around(first)
        figures: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        carried = 0
        for entry in self.entries.values():
            day = entry["date"]
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
            raise RefusedError(404, "JOURNAL_ENTRY_NOT_FOUND", path)
        return self.entries[entry_id]

    def _posted(self, entered: list[Entered], today: date) -> list[Entry]:
        """What is refused of an entry only once all entries of the request are complete, and their places."""
        for one in entered:
            if len(one.lines) < 2:
                raise RefusedError(400, INVALID, f"{one.prefix}lines")
            check_balanced(one.lines, one.prefix)
        placed = self._placed([one.entry for one in entered], [f"{one.prefix}date" for one in entered], today)
        for one in entered:
            self.check_accounts(one)
        return placed

    @staticmethod
    def _check_day(entries: list[Entry], on: str | None) -> None:
        if on is not None and any(on < entry["date"] for entry in entries):
            raise RefusedError(400, INVALID, "date")

    def _reversal(self, entry: Entry, on: str, description: str | None, path: str) -> Entry:
        if entry["reversesEntryId"] is not None:
            raise RefusedError(409, "JOURNAL_ENTRY_INVALID_STATE", path)
        if entry["reversedByEntryId"] is not None:
            raise RefusedError(409, "JOURNAL_ENTRY_ALREADY_REVERSED", path)
        if description is None:
            title = _TITLES[self.language].format(entry["entryNumber"])
            description = f"{title}: {entry['description']}"[:10_000] if entry["description"] else title
        original = entry["originalAmount"]
        negated = original[1:] if original.startswith("-") else f"-{original}"
        return {
            **entry, "id": AN_ID, "date": on, "description": description, "externalSystemId": None,
            "originalAmount": negated if original.strip("-0.") else original,
            "lines": [{**line, "id": AN_ID, "side": other(line["side"])} for line in entry["lines"]],
            "reversesEntryId": entry["id"], "reversedByEntryId": None, "attachmentCount": 0, "postedAt": A_MOMENT,
            "sourceType": "REVERSAL", "sourceId": entry["id"], "postedBy": A_KEY, "createdAt": A_MOMENT,
            "previousHash": A_HASH, "hash": A_HASH,
        }  # fmt: skip

    def _placed(self, entries: list[Entry], paths: list[str], today: date) -> list[Entry]:
        """The entries, whose days the request has at `paths`, with their numbers: 1, 2, 3, ... in each year."""
        numbers, years = dict(self.numbers), Years(self.years.known)
        placed = []
        for entry, path in zip(entries, paths, strict=True):
            if self.locked_through is not None and entry["date"] <= self.locked_through:
                raise RefusedError(409, "PERIOD_LOCKED", path)
            year = years.for_posting(entry["date"], today)
            if year is None:
                raise RefusedError(400, "FISCAL_YEAR_MISSING", path)
            years.add(year)
            numbers[year[0]] = numbers.get(year[0], 0) + 1
            placed.append({**entry, "entryNumber": numbers[year[0]]})
        if placed:
            placed[0]["previousHash"] = self.head
        return placed


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
