"""How an entry comes about: what a caller enters, completed from the company's chart or refused.

Written from the contract and the decisions, with no line of `ledgerbee`.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.sim.figures import half_up, shares, text_of, units_of
from tests.sim.requests import decimal_of

#: In a predicted answer: what only the system knows.
AN_ID, A_MOMENT, A_HASH, A_NUMBER = "<id>", "<moment>", "<hash>", "<number>"
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
        for number, file in enumerate(body.get("attachments") or []):
            if file["contentType"] != "text/plain":  # the workload attaches nothing but text
                raise RefusedError(400, "INVALID_ATTACHMENT_TYPE", f"{prefix}attachments.{number}.content")
        lines, original = self._with_control(body, version, prefix)
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
            "description": body.get("description"), "reference": trimmed(body.get("reference")),
            "externalSystemId": trimmed(body.get("externalSystemId")), "currency": currency,
            "exchangeRate": plain(rate), "originalAmount": text_of(units, currency),
            "customerId": body.get("customerId"), "vendorId": body.get("vendorId"), "journalCategoryId": category,
            "tagIds": body.get("tagIds") or [],
            "lines": [self._line(line, base, currency) for line, base in zip(posted, in_base, strict=True)],
            "attachmentCount": len(body.get("attachments") or []), "reversesEntryId": None,
            "reversedByEntryId": None, "postedAt": A_MOMENT, "createdAt": A_MOMENT, "previousHash": A_HASH,
            "hash": A_HASH,
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

    def entered_lines(self, body: Entry, version: int, prefix: str) -> tuple[list[Entry], int, str]:
        """A good entry's lines as they are drafted, its original amount in minor units, and its currency."""
        lines, original = self._with_control(body, version, prefix)
        currency = body.get("currency") or self.base
        return lines, self._units(lines, original, currency, prefix), currency

    def draft_line(self, line: Entry, currency: str) -> Entry:
        """A line of a draft: as it was entered."""
        posted = Line(line["accountId"], line["side"], self.units(line, currency), line["lineType"], 0, line)
        shown = self._line(posted, 0, currency)
        del shown["amountInBaseCurrency"]
        return shown

    def _line(self, line: Line, base: int, currency: str) -> Entry:
        account = self.accounts.get(line.account, {"accountNumber": 0, "name": ""})  # refused before it is posted
        return {
            "id": AN_ID, "accountId": line.account, "accountNumber": account["accountNumber"],
            "accountName": account["name"], "side": line.side, "amount": text_of(line.units, currency),
            "amountInBaseCurrency": text_of(base, self.base), "lineType": line.kind,
            "vatCodeId": line.source.get("vatCodeId"), "description": trimmed(line.source.get("description")),
            "tagIds": line.source.get("tagIds") or [],
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

    def _check_vat(self, lines: list[Entry], prefix: str) -> None:
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

    def split(self, line: Entry, place: int, currency: str) -> list[Line]:
        """What an entered line is posted as: its base, the VAT, and a reverse charge's other side."""
        units = self.units(line, currency)
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
            *(part(contra, other(side), vat, "VAT_CONTRA") if contra else []),
        ]

    def units(self, line: Entry, currency: str) -> int:
        """An entered line's amount, which is whole in minor units."""
        units = units_of(Decimal(str(line["amount"])), currency)
        assert units is not None
        return units

    def _in_base(self, lines: list[Line], currency: str, rate: str, prefix: str) -> list[int]:
        """Each line's base amount. Each side is converted as a whole, and shared out to its lines."""
        if currency == self.base:
            return [line.units for line in lines]
        debit = check_balanced(lines, prefix)
        exact = Fraction(rate) * Fraction(text_of(debit, currency))
        total = units_of_fraction(exact, self.base)
        found = [0] * len(lines)
        for side in ("DEBIT", "CREDIT"):
            places = [place for place, line in enumerate(lines) if line.side == side]
            for place, share in zip(places, shares(total, [lines[place].units for place in places]), strict=True):
                found[place] = share
        return found

    def check_accounts(self, entered: Entered) -> None:
        for line in entered.lines:
            place = f"{entered.prefix}lines.{line.entered}"
            account = self.accounts.get(line.account)
            if account is None:
                raise RefusedError(404, "ACCOUNT_NOT_FOUND", place)
            if account["ledgerType"] not in {"BALANCE_SHEET", "PROFIT_AND_LOSS"} or not account["isActive"]:
                raise RefusedError(400, "ACCOUNT_NOT_BOOKABLE", place)
            party = {"ACCOUNTS_RECEIVABLE": "customerId", "ACCOUNTS_PAYABLE": "vendorId"}.get(
                account["controlAccountType"] or ""
            )
            if party and entered.entry[party] is None:
                raise RefusedError(400, "JOURNAL_ENTRY_PARTY_REQUIRED", place)


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
