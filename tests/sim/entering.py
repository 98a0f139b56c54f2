"""How an entry comes about: what a caller enters, completed from the company's chart or refused.

Written from the contract and the decisions, with no line of `ledgerbee`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from tests.sim.figures import half_up, text_of, units_of
from tests.sim.requests import decimal_of

#: In a predicted answer: what only the system knows.
AN_ID, A_MOMENT, A_HASH, A_NUMBER, A_KEY = "<id>", "<moment>", "<hash>", "<number>", "<key>"
INVALID = "SHARED_VALIDATION_FAILED"

Entry = dict[str, Any]

_CONTROL_SIDES = {
    "CUSTOMER_INVOICE": "DEBIT", "CUSTOMER_PAYMENT": "CREDIT",
    "SUPPLIER_INVOICE": "CREDIT", "SUPPLIER_PAYMENT": "DEBIT",
}  # fmt: skip


class RefusedError(Exception):
    """A refusal: status, code, and the properties of the request that it names."""

    def __init__(self, status: int, code: str, *places: str) -> None:
        super().__init__(status, code, places)
        self.status, self.code, self.places = status, code, {place for place in places if place}


def told(checks: list[Callable[[], object]]) -> set[str]:
    """The places of what the checks find wrong with fields."""
    found: set[str] = set()
    for check in checks:
        try:
            check()
        except RefusedError as refusal:
            found |= refusal.places if refusal.code == INVALID else set()
    return found


def twice(name: str, tagged: Entry) -> set[str]:
    """The list of tags, where one is there twice."""
    tags = tagged.get("tagIds") or []
    return {name} if len(set(tags)) < len(tags) else set()


@dataclass(frozen=True)
class Line:
    """A line to post, in minor units of the entry's currency and of the base currency.

    `entered` is the place in the request of the line that it comes from, `rate` what it was taxed by, `difference` what
    the voucher's VAT is off by.
    """

    account: str
    side: str
    units: int
    base: int
    kind: str
    entered: int
    source: Entry
    rate: Any = None
    difference: int | None = None


@dataclass(frozen=True)
class Money:
    """An entry's currency, its rate (base units for one unit), and the day whose VAT rates count."""

    currency: str
    rate: str
    day: str


@dataclass(frozen=True)
class Entered:
    """An entry that is complete but not posted; `prefix` is its place in the request."""

    entry: Entry
    lines: list[Line]
    prefix: str


@dataclass(kw_only=True)
class Chart:
    """What entries are completed from. Customers and vendors name the control account of their group."""

    base: str
    accounts: dict[str, Entry]
    vat_codes: dict[str, Entry]
    categories: dict[str, Entry]
    customers: dict[str, str]
    vendors: dict[str, str]
    tags: dict[str, Entry] = field(default_factory=dict)
    rates: dict[tuple[str, str], str] = field(default_factory=dict)

    def complete(self, body: Entry, version: int, path: str) -> Entered:
        prefix = f"{path}." if path else ""
        try:
            return self._complete(body, version, prefix)
        except RefusedError as refusal:
            if refusal.code != INVALID:
                raise
            raise RefusedError(400, INVALID, *refusal.places, *self._faults(body, prefix)) from None

    def _faults(self, body: Entry, prefix: str) -> set[str]:
        """The places of all that is wrong with an entry's fields: they are told at once."""
        lines, original, currency = body["lines"], body.get("originalAmount"), body.get("currency") or self.base
        tax_point = body.get("deliveryDate") or body["date"]
        checks: list[Callable[[], object]] = [
            lambda: self._check_delivery(body, prefix),
            lambda: self._exchange_rate(body, currency, prefix),
            lambda: self._units([], "0" if original is None else original, currency, prefix),
            lambda: self._check_tags(body, lines, prefix),
        ]
        for number in range(len(lines)):
            bare = [line if place == number else {"amount": "0"} for place, line in enumerate(lines)]
            checks.append(partial(self._units, bare, "0", currency, prefix))
            if units_of(Decimal(str(lines[number]["amount"])), currency) is not None:
                checks.append(partial(self._check_vat, bare, currency, tax_point, prefix))
        return told(checks) | self.beside(body, set(), prefix)

    def beside(self, body: Entry, faults: set[str], prefix: str) -> set[str]:
        """The places of broken rules that need no books, and none of the fields that are wrong (`faults`)."""

        def right(*names: str) -> bool:
            return not faults & {prefix + name for name in names}

        lines, currency = body.get("lines") or [], body.get("currency") or self.base
        checks: list[Callable[[], object]] = []
        if right("date", "deliveryDate"):
            checks.append(lambda: self._check_delivery(body, prefix))
        if right("currency", "exchangeRate"):
            checks.append(lambda: self._exchange_rate(body, currency, prefix))
        if right("currency", "originalAmount") and body.get("originalAmount") is not None:
            checks.append(lambda: self._units([], body["originalAmount"], currency, prefix))
        found = told(checks) | twice(f"{prefix}tagIds", body)
        for number, line in enumerate(lines):
            place = f"lines.{number}"
            if right("currency", f"{place}.amount"):
                bare = [line if one == number else {"amount": "0"} for one in range(number + 1)]
                found |= told([partial(self._units, bare, "0", currency, prefix)])
            stated = [name for name in ("vatIncluded", "vatAmount") if line.get(name) is not None]
            if (
                stated
                and line.get("vatCodeId") is None
                and right(*(f"{place}.{name}" for name in ("vatCodeId", "vatIncluded", "vatAmount")))
            ):
                found.add(f"{prefix}{place}.{stated[0]}")
            found |= twice(f"{prefix}{place}.tagIds", line)
        return found

    def _check_delivery(self, body: Entry, prefix: str) -> None:
        delivered = body.get("deliveryDate")
        if delivered and not -3_653 <= (date.fromisoformat(delivered) - date.fromisoformat(body["date"])).days <= 366:
            raise RefusedError(400, INVALID, f"{prefix}deliveryDate")

    def _complete(self, body: Entry, version: int, prefix: str) -> Entered:
        for number, file in enumerate(body.get("attachments") or []):
            if file["contentType"] != "text/plain":  # the workload attaches nothing but text
                raise RefusedError(400, "INVALID_ATTACHMENT_TYPE", f"{prefix}attachments.{number}.content")
        self._check_delivery(body, prefix)
        lines, original = self._with_control(body, version, prefix)
        category = self._category(body, prefix)
        currency = body.get("currency") or self.base
        rate = self._exchange_rate(body, currency, prefix)
        units = self._units(lines, original, currency, prefix)
        tax_point = body.get("deliveryDate") or body["date"]
        self._check_vat(lines, currency, tax_point, prefix)
        self._check_tags(body, lines, prefix)
        money = Money(currency, rate, tax_point)
        posted = [part for place, line in enumerate(lines) for part in self.split(line, place, money)]
        if currency != self.base:
            posted = self._balanced_in_base(posted, money, prefix)
        entry = {
            "id": AN_ID, "entryNumber": 0, "entryType": body["entryType"], "date": body["date"],
            "deliveryDate": body.get("deliveryDate"), "description": body.get("description"),
            "reference": trimmed(body.get("reference")),
            "externalSystemId": trimmed(body.get("externalSystemId")), "currency": currency,
            "exchangeRate": plain(rate), "originalAmount": text_of(units, currency),
            "customerId": body.get("customerId"), "vendorId": body.get("vendorId"), "journalCategoryId": category,
            "tagIds": body.get("tagIds") or [],
            "lines": [self._line(line, currency) for line in posted],
            "attachmentCount": len(body.get("attachments") or []), "reversesEntryId": None,
            "reversedByEntryId": None, "sourceType": "API", "sourceId": None, "postedBy": A_KEY, "postedAt": A_MOMENT,
            "createdAt": A_MOMENT, "previousHash": A_HASH, "hash": A_HASH,
        }  # fmt: skip
        return Entered(entry, posted, prefix)

    def _with_control(self, body: Entry, version: int, prefix: str) -> tuple[list[Entry], Any]:
        """The lines with the receivable or payable, if that is the system's to add, and the original amount."""
        lines = [dict(line, lineType="ENTERED") for line in body["lines"]]
        original = body.get("originalAmount")
        if original is None:
            original = str(sum(Decimal(str(line["amount"])) for line in lines if line["side"] == "DEBIT"))
        control = self._party(body, prefix)
        if version == 2 and control is not None:
            for number, line in enumerate(lines):
                if line["accountId"] == control:
                    place = f"{prefix}lines.{number}.accountId"
                    raise RefusedError(400, "JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED", place)
            amount = Decimal(str(original))
            side = _CONTROL_SIDES[body["entryType"]]
            lines.append({
                "accountId": control, "side": side if amount >= 0 else other(side), "amount": str(abs(amount)),
                "lineType": "CONTROL",
            })  # fmt: skip
        return lines, original

    def warned(self, entry: Entry, version: int) -> Entry:
        """An entry as it is answered: of a caller that sends all lines, what is odd about its receivable or payable."""
        side = _CONTROL_SIDES.get(entry["entryType"])
        if version == 2 or side is None:
            return entry
        kind, name = (
            ("ACCOUNTS_RECEIVABLE", "receivable")
            if entry["entryType"].startswith("CUSTOMER")
            else ("ACCOUNTS_PAYABLE", "payable")
        )
        on_it = [line for line in entry["lines"] if self.accounts[line["accountId"]]["controlAccountType"] == kind]
        if not on_it:
            text = f"No line of this {entry['entryType']} stands on a {name}s account: the {name} is not changed by it"
            return {**entry, "warnings": [{"code": "CONTROL_LINE_MISSING", "message": text}]}
        booked = sum(Decimal(line["amount"]) * (1 if line["side"] == side else -1) for line in on_it)
        if booked == Decimal(entry["originalAmount"]):
            return entry
        places = len(entry["originalAmount"].partition(".")[2])
        text = f"The {name} changes by {booked:.{places}f} {entry['currency']}, but originalAmount is"
        warning = {"code": "CONTROL_AMOUNT_DIFFERS", "message": f"{text} {entry['originalAmount']}"}
        return {**entry, "warnings": [warning]}

    def entered_lines(self, body: Entry, version: int, prefix: str) -> tuple[list[Entry], int, str]:
        """A good entry's lines as they are drafted, its original amount in minor units, and its currency."""
        lines, original = self._with_control(body, version, prefix)
        currency = body.get("currency") or self.base
        return lines, self._units(lines, original, currency, prefix), currency

    def draft_line(self, line: Entry, currency: str) -> Entry:
        """A line of a draft: as it was entered."""
        posted = Line(line["accountId"], line["side"], self.units(line, currency), 0, line["lineType"], 0, line)
        shown = self._line(posted, currency)
        for name in ("amountInBaseCurrency", "vatRate", "vatDifference"):
            del shown[name]
        stated = line.get("vatAmount")
        units = None if stated is None else units_of(Decimal(str(stated)), currency)
        stated_text = None if units is None else text_of(units, currency)
        return shown | {"vatIncluded": line.get("vatIncluded"), "vatAmount": stated_text}

    def _line(self, line: Line, currency: str) -> Entry:
        account = self.accounts.get(line.account, {"accountNumber": 0, "name": ""})  # refused before it is posted
        return {
            "id": AN_ID, "accountId": line.account, "accountNumber": account["accountNumber"],
            "accountName": account["name"], "side": line.side, "amount": text_of(line.units, currency),
            "amountInBaseCurrency": text_of(line.base, self.base), "lineType": line.kind,
            "vatCodeId": line.source.get("vatCodeId"), "description": trimmed(line.source.get("description")),
            "tagIds": line.source.get("tagIds") or [], "vatRate": line.rate,
            "vatDifference": None if line.difference is None else text_of(line.difference, currency),
        }  # fmt: skip

    def _party(self, body: Entry, prefix: str) -> str | None:
        """The control account that the entry's type stands on, its parties checked."""
        kind = body["entryType"]
        for start, needed, foreign in (("CUSTOMER", "customerId", "vendorId"), ("SUPPLIER", "vendorId", "customerId")):
            if kind.startswith(start):
                if body.get(needed) is None:
                    raise RefusedError(400, "JOURNAL_ENTRY_PARTY_MISMATCH", prefix + needed)
                if body.get(foreign) is not None:
                    raise RefusedError(400, "JOURNAL_ENTRY_PARTY_MISMATCH", prefix + foreign)
        for name, known in (("customerId", self.customers), ("vendorId", self.vendors)):
            if body.get(name) is not None and body[name] not in known:
                raise RefusedError(404, f"{name[:-2].upper()}_NOT_FOUND", prefix + name)
        if kind.startswith("CUSTOMER"):
            return self.customers[body["customerId"]]
        return self.vendors[body["vendorId"]] if kind.startswith("SUPPLIER") else None

    def _category(self, body: Entry, prefix: str) -> str:
        wanted = body.get("journalCategoryId")
        if wanted is None:
            wanted = next(key for key, category in self.categories.items() if category["isDefault"])
        elif wanted not in self.categories:
            raise RefusedError(400, "JOURNAL_CATEGORY_NOT_FOUND", f"{prefix}journalCategoryId")
        if body["entryType"] not in self.categories[wanted]["allowedJournalTypes"]:
            raise RefusedError(400, "JOURNAL_CATEGORY_TYPE_NOT_ALLOWED", f"{prefix}journalCategoryId")
        return str(wanted)

    def _exchange_rate(self, body: Entry, currency: str, prefix: str) -> str:
        given = body.get("exchangeRate")
        if currency == self.base:
            if given is not None and decimal_of(given) != 1:
                raise RefusedError(400, INVALID, f"{prefix}exchangeRate")
            return "1"
        rate = given or self.rates.get((currency, body["date"]))
        if rate is None:  # the workload never asks for a published one
            raise RefusedError(400, "EXCHANGE_RATE_MISSING", f"{prefix}currency")
        return str(rate)

    def _units(self, lines: list[Entry], original: Any, currency: str, prefix: str) -> int:
        """Every amount is whole in minor units; the original amount in them."""
        signed = decimal_of(original)
        assert signed is not None
        units = units_of(signed, currency)
        if units is None:
            raise RefusedError(400, INVALID, f"{prefix}originalAmount")
        for number, line in enumerate(lines):
            if units_of(Decimal(str(line["amount"])), currency) is None:
                raise RefusedError(400, INVALID, f"{prefix}lines.{number}.amount")
        return units

    def _check_vat(self, lines: list[Entry], currency: str, day: str, prefix: str) -> None:
        for number, line in enumerate(lines):
            wanted = line.get("vatCodeId")
            if wanted is None:
                continue
            place = f"{prefix}lines.{number}.vatCodeId"
            if wanted not in self.vat_codes:
                raise RefusedError(404, "VAT_CODE_NOT_FOUND", place)
            account = self.accounts.get(line["accountId"])
            if not self.vat_codes[wanted]["isActive"] or (account and account["controlAccountType"]):
                raise RefusedError(400, "JOURNAL_ENTRY_VAT_NOT_ALLOWED", place)
            self._check_voucher(line, currency, day, f"{prefix}lines.{number}")

    def check_vouchers(self, lines: list[Entry], currency: str, day: str) -> None:
        """The first line whose voucher doesn't fit its code is refused."""
        for number, line in enumerate(lines):
            if line.get("vatCodeId"):
                self._check_voucher(line, currency, day, f"lines.{number}")

    def _check_voucher(self, line: Entry, currency: str, day: str, place: str) -> None:
        """What the voucher states fits the code: never a reverse charge, and near what the rate makes."""
        code = self.vat_codes[line["vatCodeId"]]
        if code["contraAccountToBookId"]:
            for name in ("vatIncluded", "vatAmount"):
                if line.get(name) not in {None, False}:
                    raise RefusedError(400, INVALID, f"{place}.{name}")
        if line.get("vatAmount") is None:
            return
        stated = units_of(Decimal(str(line["vatAmount"])), currency)
        if stated is None or (self._is_included(line, code) and stated >= self.units(line, currency)):
            raise RefusedError(400, INVALID, f"{place}.vatAmount")
        computed, one = self.computed_vat(line, currency, day), units_of(Decimal(1), currency)
        assert one is not None
        if abs(stated - computed) > one and 100 * abs(stated - computed) > computed:
            raise RefusedError(400, "JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH", f"{place}.vatAmount")
        if stated and not rate_on(code, day)["vatRate"]:
            raise RefusedError(400, "JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH", f"{place}.vatAmount")

    @staticmethod
    def _is_included(line: Entry, code: Entry) -> bool:
        given = line.get("vatIncluded")
        return bool(code["principle"] == "Gross" if given is None else given)

    def computed_vat(self, line: Entry, currency: str, day: str) -> int:
        """The VAT that the rate makes of an entered line, in minor units."""
        code = self.vat_codes[line["vatCodeId"]]
        rate, units = Fraction(str(rate_on(code, day)["vatRate"])), self.units(line, currency)
        return half_up(units * rate / (100 + rate) if self._is_included(line, code) else units * rate / 100)

    def _check_tags(self, body: Entry, lines: list[Entry], prefix: str) -> None:
        lists = [(f"{prefix}tagIds", body.get("tagIds") or [])]
        lists += [(f"{prefix}lines.{number}.tagIds", line.get("tagIds") or []) for number, line in enumerate(lines)]
        for name, tags in lists:
            if len(set(tags)) < len(tags):
                raise RefusedError(400, INVALID, name)
            for number, tag in enumerate(tags):
                if tag not in self.tags:
                    raise RefusedError(404, "DIMENSION_VALUE_NOT_FOUND", f"{name}.{number}")
        taken: dict[str, str] = {}
        for name, tags in lists:
            for number, tag in enumerate(tags):
                dimension = self.tags[tag]
                if dimension["isUnique"] and taken.setdefault(dimension["dimensionId"], tag) != tag:
                    raise RefusedError(400, "DIMENSION_NOT_ADDITIVE", f"{name}.{number}")

    def split(self, line: Entry, place: int, money: Money) -> list[Line]:
        """What an entered line is posted as: its base, the VAT, and a reverse charge's other side."""
        units = self.units(line, money.currency)
        code = self.vat_codes.get(line.get("vatCodeId") or "")
        account, side, kind = line["accountId"], line["side"], line.get("lineType", "ENTERED")
        if code is None:
            return [Line(account, side, units, self.converted(units, money), kind, place, line)]
        rate = rate_on(code, money.day)
        percent, share = rate["vatRate"], Fraction(rate["deductibleShare"])
        computed, stated = self.computed_vat(line, money.currency, money.day), line.get("vatAmount")
        vat = computed if stated is None else units_of(Decimal(str(stated)), money.currency)
        assert vat is not None
        own = units - vat if self._is_included(line, code) else units
        base = self.converted(own, money)
        difference = None if stated is None else vat - computed
        parts = [Line(account, side, own, base, kind, place, line, percent, difference)]
        if not vat and (money.currency == self.base or not code["contraAccountToBookId"]):
            return parts
        deducted = half_up(vat * share)
        contra = code["contraAccountToBookId"]
        bases = [vat - deducted, deducted, vat]
        if money.currency != self.base:
            # Nobody bills a reverse charge: it is computed of the base in base currency.
            whole = half_up(base * Fraction(str(percent)) / 100) if contra else self.converted(vat, money)
            bases = [whole - half_up(whole * share), half_up(whole * share), whole]
        added = [
            Line(account, side, vat - deducted, bases[0], "VAT", place, line, percent),
            Line(code["accountToBookId"], side, deducted, bases[1], "VAT", place, line, percent),
        ]
        if contra:
            added.append(Line(contra, other(side), vat, bases[2], "VAT_CONTRA", place, line, percent))
        return parts + [one for one in added if one.units or one.base]

    def converted(self, units: int, money: Money) -> int:
        """An amount in minor units of the base currency, rounded by itself."""
        if money.currency == self.base:
            return units
        one = units_of(Decimal(1), money.currency)
        assert one is not None
        return units_of_fraction(Fraction(money.rate) * Fraction(units, one), self.base)

    def units(self, line: Entry, currency: str) -> int:
        """An entered line's amount, which is whole in minor units."""
        units = units_of(Decimal(str(line["amount"])), currency)
        assert units is not None
        return units

    def _balanced_in_base(self, lines: list[Line], money: Money, prefix: str) -> list[Line]:
        """The lines, a unit more or less in base currency where they don't balance in it.

        First what was spent or sold, then other balances, then VAT, last what parties owe; in each class those whose
        own rounding went the other way the furthest.
        """
        check_balanced(lines, prefix)
        over = sum(line.base if line.side == "DEBIT" else -line.base for line in lines)
        one, unit = units_of(Decimal(1), money.currency), units_of(Decimal(1), self.base)
        assert one is not None
        assert unit is not None
        bases = [line.base for line in lines]
        steps = [-1 if (line.side == "DEBIT") == (over > 0) else 1 for line in lines]
        exact = [Fraction(money.rate) * unit * line.units / one for line in lines]
        order = sorted(
            range(len(lines)),
            key=lambda at: (self._class(lines[at]), steps[at] * (lines[at].base - exact[at]), at),
        )
        left = abs(over)
        for kind in range(4):
            members = [at for at in order if self._class(lines[at]) == kind]
            while left and (able := [at for at in members if bases[at] + steps[at] >= 0]):
                for at in able[:left]:
                    bases[at] += steps[at]
                left -= min(left, len(able))
        return [replace(line, base=base) for line, base in zip(lines, bases, strict=True)]

    def _class(self, line: Line) -> int:
        account = self.accounts.get(line.account)
        if line.kind == "CONTROL" or (account and account["controlAccountType"]):
            return 3
        if line.kind in {"VAT", "VAT_CONTRA"}:
            return 2
        return 0 if line.source.get("vatCodeId") or (account and account["ledgerType"] == "PROFIT_AND_LOSS") else 1

    def check_accounts(self, entered: Entered) -> None:
        for line in entered.lines:
            place = f"{entered.prefix}lines.{line.entered}"
            account = self.accounts.get(line.account)
            if account is None:
                raise RefusedError(404, "ACCOUNT_NOT_FOUND", f"{place}.accountId")
            if account["ledgerType"] not in {"BALANCE_SHEET", "PROFIT_AND_LOSS"} or not account["isActive"]:
                named = "vatCodeId" if line.kind in {"VAT", "VAT_CONTRA"} else "accountId"
                raise RefusedError(400, "ACCOUNT_NOT_BOOKABLE", f"{place}.{named}")
            party = {"ACCOUNTS_RECEIVABLE": "customerId", "ACCOUNTS_PAYABLE": "vendorId"}.get(
                account["controlAccountType"] or ""
            )
            if party and entered.entry[party] is None:
                raise RefusedError(400, "JOURNAL_ENTRY_PARTY_REQUIRED", place)


def rate_on(code: Entry, day: str) -> Entry:
    """The rate of a VAT code that holds on a day."""
    held = [rate for rate in code["rates"] if rate["validFrom"] is None or rate["validFrom"] <= day]
    return dict(held[-1])


def check_balanced(lines: list[Line], prefix: str) -> int:
    """The sum of either side, in minor units."""
    debit, credit = (sum(line.units for line in lines if line.side == side) for side in ("DEBIT", "CREDIT"))
    if debit != credit:
        raise RefusedError(400, "JOURNAL_ENTRY_UNBALANCED", f"{prefix}lines")
    return debit


def units_of_fraction(amount: Fraction, currency: str) -> int:
    """An amount rounded to minor units, halves away from zero."""
    one = units_of(Decimal(1), currency)
    assert one is not None
    return half_up(amount * one)


def other(side: str) -> str:
    return "CREDIT" if side == "DEBIT" else "DEBIT"


def trimmed(text: Any) -> Any:
    return text.strip() if isinstance(text, str) else text


def plain(number: Any) -> str:
    """A decimal without exponent or trailing zeros."""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
