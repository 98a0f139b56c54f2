"""What an accountant derives: wages, settlements, depreciation, exchange differences, the year end.

What the diary has on these is not read here. Each `rule_...` gives the kroner by account of its kind of journal.
"""

from datetime import date
from fractions import Fraction
from typing import Final

from tests.stories.company_year import law
from tests.stories.company_year.diary import Event
from tests.stories.company_year.law import ore
from tests.stories.company_year.ledger import (
    BANK,
    CREDITORS,
    DEFERRED_TAX,
    GAIN,
    LOAN,
    LOSS,
    NOTHING,
    ROUNDING,
    TAX_DUE,
    Ledger,
)

#: A year of 360 days: a quarter is a fourth of the 5.85 %.
LOAN_INTEREST: Final = Fraction(585, 10000) / 4
#: What the equipment was worth for tax when the year began.
TAX_VALUE: Final = Fraction(99000)


class Closing(Ledger):
    """A ledger whose derived postings follow from what stands in it."""

    def rule_salary(self, event: Event) -> dict[int, Fraction]:
        slips = [
            law.slip(Fraction(gross), Fraction(free), Fraction(percent), hourly=bool(hourly))
            for _, _, gross, free, percent, *hourly in event.facts
        ]
        sums = law.Slip(*[sum(column, NOTHING) for column in zip(*slips, strict=True)])
        atp = len(slips) * law.ATP_OWN, len(slips) * law.ATP_EMPLOYER
        return {
            2845: sums.gross,
            2910: sums.employer_pension,
            2898: atp[1],
            2860: sums.holiday_gross,
            2866: sums.holiday_liability,
            7940: -sums.labour_market,
            7920: -sums.tax,
            7960: -sum(atp, NOTHING),
            8000: -sums.own_pension - sums.employer_pension,
            7900: -sums.holiday_net,
            8030: -sums.holiday_liability,
            BANK: -sums.net,
        }

    def rule_paid(self, event: Event) -> dict[int, Fraction]:
        """What is owed on these accounts goes out of the bank."""
        owed = {
            int(account): -self.balance(int(account), event.day) for account in event.options["accounts"].split(",")
        }
        return owed | {BANK: -sum(owed.values(), NOTHING)}

    def rule_vat(self, event: Event) -> dict[int, Fraction]:
        """ML §§ 56, 57: output VAT less input VAT of the period, box by box in whole kroner."""
        boxes = [law.OUTPUT, law.FOREIGN_GOODS, law.FOREIGN_SERVICES, law.INPUT]
        balances = {account: self.balance(account, event.day) for account in boxes}
        due = -sum((law.whole(balance) for balance in balances.values()), NOTHING)
        lines = {account: -balance for account, balance in balances.items()} | {law.PAYABLE: -due}
        return lines | {ROUNDING: -sum(lines.values(), NOTHING)}

    def rule_depreciation(self, event: Event) -> dict[int, Fraction]:
        """ÅRL § 43: spread over the useful life. `asset FROM COST|KEY MONTHS`, up to the end of this month."""
        amount = NOTHING
        for _, since, cost, months in event.facts:
            year, month = map(int, since.split("-"))
            used = 12 * (event.day.year - year) + event.day.month - month + 1
            value = self.cost(cost) if cost.startswith("B") else Fraction(cost)
            part = [ore(value * min(max(at, 0), int(months)) / int(months)) for at in (used - 3, used)]
            amount += part[1] - part[0]
        return {3050: amount, 5610: -amount}

    def rule_interest(self, event: Event) -> dict[int, Fraction]:
        interest = ore(-self.balance(LOAN, event.day) * LOAN_INTEREST)
        return {3670: interest, BANK: -interest}

    def rule_accrual(self, event: Event) -> dict[int, Fraction]:
        """ÅRL § 49(1): costs stand in the year that they are for; `months` of a bill are of the next one."""
        months, _, of = event.options["months"].partition("/")
        amount = ore(self.cost(event.options["of"]) * Fraction(int(months), int(of)))
        return {6390: amount, int(event.options["account"]): -amount}

    def rule_difference(self, event: Event) -> dict[int, Fraction]:
        """What is left in kroner of a bill that was paid in its own currency."""
        paid = next(posting for posting in self.postings if posting.key == event.options["of"] and posting.party)
        settled = self._settle(event.options["bill"], paid.units)
        loss = paid.kroner - settled
        return {CREDITORS: -loss, LOSS if loss > 0 else GAIN: loss}

    def rule_revalue(self, event: Event) -> dict[int, Fraction]:
        """ÅRL § 39: money in another currency at the rate of the balance sheet day."""
        account = int(event.options["account"])
        found = [posting for posting in self.postings if posting.account == account and posting.party == event.party]
        units = sum((posting.units for posting in found), NOTHING)
        loss = sum((posting.kroner for posting in found), NOTHING) - ore(units * Fraction(event.options["at"]))
        return {account: -loss, LOSS if loss > 0 else GAIN: loss}

    def rule_stock(self, event: Event) -> dict[int, Fraction]:
        """ÅRL §§ 44-46: stock at cost, as counted."""
        change = Fraction(event.options["count"]) - self.balance(6140, event.day)
        return {6140: change, 1770: -change}

    def pro_rata(self, end: date) -> Fraction:
        """ML § 38(1): taxed turnover of all turnover, rounded up to a whole percent (VAT Directive, article 175(1))."""
        exempt = -self.balance(1012, end)
        everything = -sum((self.balance(account, end) for account in range(1010, 1300)), NOTHING)
        return Fraction(-((everything - exempt) * 100 // -everything), 100)

    def rule_prorata(self, event: Event) -> dict[int, Fraction]:
        """The year's own share replaces the one that was used, code by code."""
        more = self.pro_rata(event.day) - law.PRO_RATA
        amount = sum((ore(self.full_vat[code] * other * more) for code, other in law.OTHER_SHARE.items()), NOTHING)
        return {law.INPUT: amount, 2451: -amount}

    def taxable_income(self, day: date) -> Fraction:
        """SEL § 8, SL §§ 4-6: the result before tax, with what tax law has otherwise."""
        result = -sum((self.balance(account, day) for account in range(1010, 3703)), NOTHING)
        added = law.REPRESENTATION_ADDED_BACK * self.balance(1910, day) + self.balance(2660, day)
        own = self.balance(3050, day) - law.TAX_DEPRECIATION * self.tax_base_of_equipment(day)
        return Fraction((result + added + own) // 1)

    def tax_base_of_equipment(self, day: date) -> Fraction:
        """AL § 5(2): what was left at the beginning, and what came in."""
        return TAX_VALUE + self.balance(5580, day)

    def rule_tax(self, event: Event) -> dict[int, Fraction]:
        tax = ore(self.taxable_income(event.day) * law.CORPORATION_TAX)
        return {3740: tax, TAX_DUE: -tax}

    def rule_deferred(self, event: Event) -> dict[int, Fraction]:
        """ÅRL § 47: 22 % of what the equipment is worth more in the accounts than for tax."""
        books = sum((self.balance(account, event.day) for account in (5570, 5580, 5602, 5610)), NOTHING)
        for_tax = self.tax_base_of_equipment(event.day) * (1 - law.TAX_DEPRECIATION)
        more = ore((books - for_tax) * law.CORPORATION_TAX) + self.balance(DEFERRED_TAX, event.day)
        return {3760: more, DEFERRED_TAX: -more}
