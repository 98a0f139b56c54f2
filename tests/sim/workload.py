"""Requests out of a seed: good entries that just balance, and entries with one thing wrong."""

from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.sim.entering import Entry, Money
from tests.sim.figures import PLACES, text_of
from tests.sim.model import Company
from tests.sim.requests import ENTRY_TYPES, Request
from tests.sim.years import after, before, months_later

NOBODY = "0192d3a0-0000-7000-8000-000000000001"
_FIRST_DAY = date(2025, 11, 1)
_TEXTS = (
    "", "Kaffe", "  Rejse til Ærø  ", 'Bilag "7" \\ 8', "tabs\tand\nlines", "\u2028\u0001\x7f",
    "🦊 日本", "K-1", "</script>",
)  # fmt: skip


@dataclass
class Workload:
    """One client's requests for one company. `tag` tells its idempotency keys from others'."""

    random: Random
    company: Company
    tag: str
    count: int = 0

    def next(self) -> Request:
        """The next request. What it asks for may depend on what was answered so far."""
        makers: tuple[tuple[int, Callable[[], Request | None]], ...] = (
            (34, self.enter), (12, self.enter_batch), (16, self.enter_wrong), (6, self.enter_batch_with_one_wrong),
            (6, self.correct), (9, self.reverse), (4, self.reverse_batch), (4, self.lock), (3, self.rate),
            (4, self.read), (4, self.list), (2, self.trial_balance), (8, self.draft), (8, self.book),
            (2, self.delete_draft), (2, self.read_draft), (5, self.enter_outside), (4, self.open_year),
        )  # fmt: skip
        made = None
        while made is None:
            made = self.random.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0]()
        return made

    # Requests

    def enter(self) -> Request:
        """A good entry, by either version."""
        version = self.random.choice((1, 2))
        return self._post("enter", f"/v{version}/journal-entries", self.entry(version))

    def enter_wrong(self) -> Request:
        """An entry with one thing wrong."""
        version = self.random.choice((1, 2))
        return self._post("enter", f"/v{version}/journal-entries", self.spoiled(self.entry(version)))

    def enter_outside(self) -> Request:
        """An entry at the edges of the known years, and far from them."""
        request = self.enter()
        years = self.company.years
        start = after(years.last_day)
        following = months_later(start, 12)
        day = self.random.choice(
            (
                before(years.first_day),
                years.first_day,
                years.last_day,
                start,
                before(following),
                following,
                "1900-01-01",
            )
        )
        if "currency" not in request.body or "exchangeRate" in request.body:  # the model doesn't know published rates
            request.body["date"] = day
        return request

    def open_year(self) -> Request:
        """A year beside those that there are, mostly; or one that can't be."""
        years, choose = self.company.years, self.random.choice
        start = after(years.last_day)
        body = choose((
            {}, {"endDate": before(years.first_day)}, {"startDate": start},
            {"startDate": start, "endDate": before(months_later(start, choose((1, 6, 15, 18, 19, 0))))},
            {"startDate": months_later(start, 1)}, {"startDate": years.known[-1][0]}, {"endDate": "1999-12-31"},
            {"startDate": f"{start[:8]}02"}, {"endDate": f"{start[:8]}15"}, {"startDate": "2999-01-01"},
            {"startDate": months_later(years.first_day, -3), "endDate": before(years.first_day)},
        ))  # fmt: skip
        return self._post("open_year", "/v1/fiscal-years", body)

    def enter_batch(self) -> Request:
        """Good entries in one go."""
        version = self.random.choice((1, 2))
        bodies = [self.entry(version) for _ in range(self.random.choice((1, 2, 3, 8, 20)))]
        return self._post("enter_batch", _BATCHES[version], {"entries": bodies})

    def enter_batch_with_one_wrong(self) -> Request:
        """A batch that one entry spoils."""
        request = self.enter_batch()
        place = self.random.randrange(len(request.body["entries"]))
        request.body["entries"][place] = self.spoiled(request.body["entries"][place])
        return request

    def draft(self) -> Request:
        """An entry that is to be posted later."""
        version = self.random.choice((1, 2))
        return self._post("draft", f"/v{version}/draft-journal-entries", self.entry(version))

    def book(self) -> Request | None:
        """Some draft's entry: also of one that is booked, or whose day is locked by now."""
        path = self._any_draft()
        return self._post("book", f"{path}/book", {}) if path else None

    def delete_draft(self) -> Request | None:
        """Some draft away, if it isn't booked."""
        path = self._any_draft()
        return Request("delete_draft", "DELETE", path) if path else None

    def read_draft(self) -> Request | None:
        """Some draft."""
        path = self._any_draft()
        return Request("read_draft", "GET", path) if path else None

    def correct(self) -> Request | None:
        """New values for the two fields that may change."""
        entry = self._any_entry()
        if entry is None:
            return None
        body: Entry = {}
        for name in ("reference", "externalSystemId"):
            if self.random.random() < 0.6:
                body[name] = self.random.choice((None, *_TEXTS))
        if self.random.random() < 0.1:
            body["description"] = "no"
        path = f"/v1/journal-entries/{self._or_nobody(entry['id'])}"
        return Request("correct", "PATCH", path, body, key=self._key())

    def reverse(self) -> Request | None:
        """The reversal of an entry: also of a reversal, of one that was reversed, of nothing."""
        entry = self._any_entry()
        if entry is None:
            return None
        body: Entry = {}
        if self.random.random() < 0.8:
            body["date"] = self._day_near(entry["date"])
        if self.random.random() < 0.3:
            body["description"] = self.random.choice(_TEXTS)
        return self._post("reverse", f"/v1/journal-entries/{self._or_nobody(entry['id'])}/reverse", body)

    def reverse_batch(self) -> Request | None:
        """Several reversals in one go; mostly of entries that can be reversed."""
        open_ones = [
            entry["id"]
            for entry in self.company.entries.values()
            if entry["reversesEntryId"] is None and entry["reversedByEntryId"] is None
        ]
        if len(open_ones) < 6:
            return None
        ids = self.random.sample(open_ones, self.random.choice((1, 2, 5)))
        if self.random.random() < 0.3:
            wrong = self._any_entry()
            assert wrong is not None
            ids.insert(self.random.randrange(len(ids) + 1), self._or_nobody(wrong["id"]))
        last = max(entry["date"] for entry in self.company.entries.values())
        body = {"journalEntryIds": ids, "date": last} if self.random.random() < 0.8 else {"journalEntryIds": ids}
        return self._post("reverse_batch", "/v1/journal-entries/reverse-batch", body)

    def lock(self) -> Request:
        """The lock date a little forwards, back, or off."""
        day = self.random.choice((None, "2025-10-31", "2025-11-30", "2025-12-31", "2026-01-31", "1899-12-31"))
        body = {"lockedThrough": day, "reopen": self.random.random() < 0.7}
        return Request("lock", "PUT", "/v1/ledger/lock-date", body, key=self._key())

    def rate(self) -> Request:
        """A rate of the company's own."""
        body = {"currency": self._foreign(), "date": self._day(), "rate": self._rate()}
        return Request("rate", "PUT", "/v1/exchange-rates", body, key=self._key())

    def read(self) -> Request | None:
        """One entry."""
        entry = self._any_entry()
        path = f"/v1/journal-entries/{self._or_nobody(entry['id'])}" if entry else ""
        return Request("read", "GET", path) if entry else None

    def list(self) -> Request | None:
        """A page of entries with some filters."""
        entry = self._any_entry()
        if entry is None:
            return None
        filters = {
            "fromDate": entry["date"], "toDate": entry["date"], "journalType": entry["entryType"],
            "customerId": entry["customerId"], "vendorId": entry["vendorId"],
            "externalSystemId": entry["externalSystemId"], "minAmount": entry["originalAmount"],
            "maxAmount": entry["originalAmount"], "accountId": self.random.choice(entry["lines"])["accountId"],
            "search": self.random.choice(("kaf", "K-1", "tilbage", "rev")), "page": "2", "limit": "5",
        }  # fmt: skip
        chosen = self.random.sample(sorted(filters), self.random.randrange(4))
        return Request(
            "list", "GET", "/v1/journal-entries", params={name: filters[name] for name in chosen if filters[name]}
        )

    def trial_balance(self) -> Request:
        """Any span of days."""
        first, last = sorted((self._day(), self._day()))
        return Request("trial_balance", "GET", "/v1/reports/trial-balance", params={"fromDate": first, "toDate": last})

    def _post(self, kind: str, path: str, body: Any) -> Request:
        return Request(kind, "POST", path, body, key=self._key())

    def _key(self) -> str:
        self.count += 1
        return f"{self.tag}-{self.count}"

    # Entries

    def entry(self, version: int) -> Entry:
        """An entry that is accepted, unless its day is locked."""
        choose = self.random.choice
        kind = choose(ENTRY_TYPES) if self.random.random() < 0.6 else "JOURNAL_ENTRY"
        body: Entry = {"entryType": kind, "date": self._day(), "lines": []}
        self._give_currency(body)
        if self.random.random() < 0.1:
            body["deliveryDate"] = self._day()
        currency = body.get("currency", self.company.base)
        if kind.startswith("CUSTOMER"):
            body["customerId"] = choose(sorted(self.company.customers))
        if kind.startswith("SUPPLIER"):
            body["vendorId"] = choose(sorted(self.company.vendors))
        if self.random.random() < 0.3:
            body["journalCategoryId"] = choose([
                key for key, category in sorted(self.company.categories.items())
                if kind in category["allowedJournalTypes"]
            ])  # fmt: skip
        for name in ("description", "reference", "externalSystemId"):
            if self.random.random() < 0.4:
                body[name] = choose(_TEXTS)
        main = choose(("DEBIT", "CREDIT"))
        for _ in range(choose((1, 1, 2, 3, 6))):
            side = main if self.random.random() < 0.8 else _OTHER[main]
            body["lines"].append(self._line(side, currency))
        self._give_tags(body)
        if self.random.random() < 0.15:
            body["attachments"] = [self.file() for _ in range(self.random.choice((1, 1, 2)))]
        self._balance(body, version, currency)
        return body

    def _balance(self, body: Entry, version: int, currency: str) -> None:
        """Add what is missing: as the original amount that makes the control line, or as a line."""
        money = Money(currency, "1", str(body.get("deliveryDate", body["date"])))
        over: int = sum(
            part.units if part.side == "DEBIT" else -part.units
            for line in body["lines"]
            for part in self.company.split(line, 0, money)
        )
        kind = body["entryType"]
        if version == 2 and kind != "JOURNAL_ENTRY":
            control_debits = kind in {"CUSTOMER_INVOICE", "SUPPLIER_PAYMENT"}
            body["originalAmount"] = text_of(-over if control_debits else over, currency)
            return
        if version == 2 or self.random.random() < 0.5:
            body["originalAmount"] = text_of(over, currency)
        if over == 0 and len(body["lines"]) > 1:
            return
        account = self.company.customers.get(body.get("customerId", "")) or self.company.vendors.get(
            body.get("vendorId", "")
        )
        if over == 0:  # a line alone that comes to nothing: never entered, amounts are above zero
            raise AssertionError("a single line is more than nothing")
        line = {
            "accountId": account if account and version == 1 else self._account(),
            "side": "CREDIT" if over > 0 else "DEBIT",
            "amount": text_of(abs(over), currency),
        }
        body["lines"].insert(self.random.randrange(len(body["lines"]) + 1), line)

    def _give_currency(self, body: Entry) -> None:
        chance = self.random.random()
        known = sorted(self.company.rates)
        if chance < 0.2:
            body["currency"], body["exchangeRate"] = self._foreign(), self._rate()
        elif chance < 0.3 and known:
            body["currency"], body["date"] = self.random.choice(known)
        elif chance < 0.4:
            body["currency"] = self.company.base

    def _give_tags(self, body: Entry) -> None:
        free = sorted(key for key, tag in self.company.tags.items() if not tag["isUnique"])
        unique = sorted(key for key, tag in self.company.tags.items() if tag["isUnique"])
        if not free or self.random.random() < 0.5:
            return
        body["tagIds"] = self.random.sample(free, self.random.randrange(len(free)))
        one = self.random.choice(unique)
        for line in body["lines"]:
            if self.random.random() < 0.4:
                line["tagIds"] = [one, *self.random.sample(free, self.random.randrange(2))]

    def _line(self, side: str, currency: str) -> Entry:
        units = self.random.choice((1, 3, 99, 100, self.random.randrange(1, 10**5), self.random.randrange(1, 10**9)))
        line: Entry = {"accountId": self._account(), "side": side, "amount": text_of(units, currency)}
        if self.random.random() < 0.4:
            active = sorted(key for key, code in self.company.vat_codes.items() if code["isActive"])
            line["vatCodeId"] = self.random.choice(active)
            self._give_voucher(line, currency)
        if self.random.random() < 0.2:
            line["description"] = self.random.choice(_TEXTS)
        return line

    def _give_voucher(self, line: Entry, currency: str) -> None:
        """What the voucher says of its VAT: whether it is in the amount, and sometimes how much, in minor units."""
        code = self.company.vat_codes[line["vatCodeId"]]
        if code["contraAccountToBookId"] or self.random.random() < 0.7:
            return
        line["vatIncluded"] = self.random.random() < 0.5
        rates = {rate["vatRate"] for rate in code["rates"]}
        if len(rates) == 1 and 0 not in rates and Decimal(line["amount"]) > 10 and self.random.random() < 0.5:
            stated = self.company.computed_vat(line, currency, "2026-01-01") + self.random.choice((-1, 0, 0, 1, 2))
            line["vatAmount"] = text_of(max(stated, 0), currency)

    def spoiled(self, body: Entry) -> Entry:
        """The entry with one thing changed for the worse."""
        body = deepcopy(body)
        self.random.choice(_SPOILERS)(self, body)
        return body

    # What to choose from

    def _account(self) -> str:
        return self.random.choice(sorted(key for key, account in self.company.accounts.items() if _is_plain(account)))

    def control(self, body: Entry) -> str:
        """The control account of the entry's party, or a receivables account that needs one."""
        company = self.company
        own = company.customers.get(body.get("customerId", "")) or company.vendors.get(body.get("vendorId", ""))
        return own or min(company.customers.values())

    def unbookable(self) -> str:
        """A heading, or an account that is no longer active."""
        return self.random.choice(
            sorted(
                key for key, account in self.company.accounts.items()
                if not account["isActive"] or account["ledgerType"] == "HEADING"
            )
        )  # fmt: skip

    def file(self) -> Entry:
        """One of a few contents: the same one is attached and refused again and again."""
        text = f"Bilag {self.random.randrange(6)}"
        return {"fileName": "bilag.txt", "contentType": "text/plain", "content": b64encode(text.encode()).decode()}

    def _any_entry(self) -> Entry | None:
        return self.random.choice(list(self.company.entries.values())) if self.company.entries else None

    def _any_draft(self) -> str | None:
        """The path of a draft: mostly of one that isn't booked."""
        drafts = self.company.drafts
        chosen = [key for key, (draft, _) in drafts.items() if draft["status"] == "draft" or self.random.random() < 0.1]
        version = self.random.choice((1, 2))
        return f"/v{version}/draft-journal-entries/{self._or_nobody(self.random.choice(chosen))}" if chosen else None

    def _or_nobody(self, entry_id: str) -> str:
        return NOBODY if self.random.random() < 0.05 else entry_id

    def _day(self) -> str:
        return (_FIRST_DAY + timedelta(days=self.random.randrange(150))).isoformat()

    def _day_near(self, day: str) -> str:
        return (date.fromisoformat(day) + timedelta(days=self.random.randrange(-2, 40))).isoformat()

    def _foreign(self) -> str:
        return self.random.choice([code for code in sorted(PLACES) if code != self.company.base])

    def _rate(self) -> str:
        return self.random.choice(("7.46", "0.000049123456", "1", "22.123456789012", "149.5"))


_OTHER = {"DEBIT": "CREDIT", "CREDIT": "DEBIT"}
_BATCHES = {1: "/v1/journal-batches", 2: "/v2/journal-entries/batch"}


def _is_plain(account: Entry) -> bool:
    return (
        account["isActive"]
        and account["controlAccountType"] is None
        and account["ledgerType"] in {"BALANCE_SHEET", "PROFIT_AND_LOSS"}
    )


def _on_a_line(name: str, *values: Any) -> Callable[[Workload, Entry], None]:
    def spoil(workload: Workload, body: Entry) -> None:
        workload.random.choice(body["lines"])[name] = workload.random.choice(values)

    return spoil


def _on_the_entry(name: str, *values: Any) -> Callable[[Workload, Entry], None]:
    def spoil(workload: Workload, body: Entry) -> None:
        body[name] = workload.random.choice(values)

    return spoil


def _off_by_a_little(workload: Workload, body: Entry) -> None:
    line = workload.random.choice(body["lines"])
    line["amount"] = workload.random.choice((f"{line['amount']}1", f"{line['amount']}000000000001", "0.01", "7"))


def _on_a_control_account(workload: Workload, body: Entry) -> None:
    workload.random.choice(body["lines"])["accountId"] = workload.control(body)


def _on_an_unbookable_account(workload: Workload, body: Entry) -> None:
    workload.random.choice(body["lines"])["accountId"] = workload.unbookable()


def _with_a_wrong_category(workload: Workload, body: Entry) -> None:
    body["journalCategoryId"] = workload.random.choice([
        NOBODY,
        *(
            key for key, category in sorted(workload.company.categories.items())
            if body["entryType"] not in category["allowedJournalTypes"]
        ),
    ])  # fmt: skip


def _with_an_inactive_vat_code(workload: Workload, body: Entry) -> None:
    codes = workload.company.vat_codes
    workload.random.choice(body["lines"])["vatCodeId"] = next(
        key for key in sorted(codes) if not codes[key]["isActive"]
    )


def _without_something(workload: Workload, body: Entry) -> None:
    # A foreign currency keeps its rate: the model doesn't know the published ones.
    del body[workload.random.choice(sorted(set(body) - {"exchangeRate"}))]


def _with_both_values_of_a_unique_dimension(workload: Workload, body: Entry) -> None:
    unique = sorted(key for key, tag in workload.company.tags.items() if tag["isUnique"])
    if unique:
        body["tagIds"] = [unique[0]]
        workload.random.choice(body["lines"])["tagIds"] = [unique[1]]


def _with_a_lying_attachment(workload: Workload, body: Entry) -> None:
    lie = {"contentType": "application/pdf", "fileName": "x.pdf"}
    body["attachments"] = [workload.file(), {**workload.file(), **lie}]


def _with_a_tag_twice(workload: Workload, body: Entry) -> None:
    tags = sorted(workload.company.tags)
    workload.random.choice([body, *body["lines"]])["tagIds"] = [tags[0], tags[0]] if tags else [NOBODY]


_SPOILERS: tuple[Callable[[Workload, Entry], None], ...] = (
    _off_by_a_little, _off_by_a_little, _on_a_control_account, _on_an_unbookable_account, _with_a_wrong_category,
    _with_a_lying_attachment, _with_an_inactive_vat_code, _without_something, _with_a_tag_twice,
    _with_both_values_of_a_unique_dimension,
    _on_a_line("accountId", NOBODY, "x"), _on_a_line("vatCodeId", NOBODY), _on_a_line("tagIds", [NOBODY]),
    _on_a_line("amount", "0", "-1", "1e18", "NaN", "", True, "1.00001"), _on_a_line("side", "LEFT"),
    _on_a_line("colour", "red"), _on_a_line("description", "x" * 1_001, 7),
    _on_the_entry("date", "0001-01-01", "1899-12-31", "9999-12-31", "2026-02-30", "2026-1-1", "2077-01-01"),
    _on_the_entry("originalAmount", "-0", "0", "1e18", "1.001", "99999999999999"), _on_the_entry("entryType", "LOAN"),
    _on_the_entry("customerId", NOBODY), _on_the_entry("vendorId", NOBODY),
    _on_the_entry("currency", "XXX", "dkk", "KWD"),
    _on_the_entry("exchangeRate", "0", "-1", "1.0000000000001", "1e9", "2"), _on_the_entry("tagIds", [NOBODY]),
    _on_the_entry("lines", []), _on_the_entry("description", "x" * 10_001), _on_the_entry("noSuchField", 1),
)  # fmt: skip
