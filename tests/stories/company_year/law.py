"""What the law says of a company's figures, as plain arithmetic. Nothing here is the product's.

Amounts are exact fractions of kroner (or of a voucher's currency) until `ore` rounds them, halves away from zero.
Sources: ML momsloven, MB momsbekendtgørelsen (BEK 1435/2023), BL bogføringsloven, ÅRL årsregnskabsloven, LL
ligningsloven, SL statsskatteloven, SEL selskabsskatteloven, AL afskrivningsloven, KSL kildeskatteloven, AMBL
arbejdsmarkedsbidragsloven, FL ferieloven.
"""

from fractions import Fraction
from typing import Final, NamedTuple

#: ML § 33: the tax is 25 % of the taxable amount. A price that contains it holds 25/125 = one fifth.
VAT: Final = Fraction(25, 100)
CONTAINED: Final = Fraction(25, 125)

#: ML § 38(1): of what serves taxed and exempt sales alike, the taxed share of the turnover is deducted. During the year
#: that of the year before counts; the year's own replaces it at year end (VAT Directive, articles 174 and 175).
PRO_RATA: Final = Fraction(93, 100)

# Where the tax stands until it is settled (the public standard chart).
OUTPUT, FOREIGN_GOODS, FOREIGN_SERVICES, INPUT, PAYABLE = 7680, 7700, 7720, 7740, 7840


class Code(NamedTuple):
    """What a code of the public VAT code list means.

    `owed_on` is the account of a tax that we owe: on a sale, or as buyer. `share` of it (or of what the voucher states)
    is deducted. `in_price`: an amount contains the tax unless the voucher says otherwise. `box` counts the base.
    """

    owed_on: int | None = None
    share: Fraction = Fraction(0)
    in_price: bool = False
    box: str | None = None
    pro_rata: bool = False


def _billed(share: Fraction, *, pro_rata: bool = False) -> Code:
    return Code(share=share, in_price=True, pro_rata=pro_rata)


_FULL: Final = Fraction(1)
CODES: Final[dict[str, Code]] = {
    # ML § 37(1): what serves taxed sales only is deducted in full.
    "K010": _billed(_FULL),
    # Without tax on the voucher: insurance, banks, passenger transport (ML § 13(1) nos. 10, 11, 15), or no deduction.
    "K030": Code(in_price=True),
    # ML § 41(3): a hired van below 3 tonnes that is also used otherwise: a third of the tax on the hire.
    "K060": _billed(Fraction(1, 3)),
    # ML § 42(2): restaurant bills with a business purpose: a quarter. § 42(1) no. 5 allows no other representation.
    "K070": _billed(Fraction(1, 4)),
    # The same where the purpose serves taxed and exempt sales (§ 42(2) with § 38(1)).
    "K080": _billed(Fraction(1, 4) * PRO_RATA, pro_rata=True),
    # ML § 42(4), (5): a leased passenger car: what the lessor states as deductible.
    "K090": _billed(_FULL),
    # Two thirds and a half of the tax, as the list of codes has them.
    "K610": _billed(Fraction(2, 3)),
    "K040": _billed(Fraction(1, 2)),
    # ML § 38(1)
    "K110": _billed(PRO_RATA, pro_rata=True),
    # ML §§ 69-71: second-hand goods bought of a private person: no tax to deduct.
    "K620": Code(in_price=True),
    # ML § 46(1) nos. 4, 6-10: mobile phones, tablets, laptops ...: the buyer in Denmark owes the tax.
    "K660": Code(OUTPUT, _FULL),
    "K670": Code(OUTPUT, PRO_RATA, pro_rata=True),
    # ML §§ 11, 46: goods acquired from another EU country.
    "K210": Code(FOREIGN_GOODS, _FULL, box="A goods"),
    "K230": Code(FOREIGN_GOODS, box="A goods"),
    # ML §§ 16(1), 46(1) no. 3: services bought abroad are taxed where the buyer is, and the buyer owes it.
    "K260": Code(FOREIGN_SERVICES, _FULL, box="A services"),
    "K290": Code(FOREIGN_SERVICES, PRO_RATA, box="A services", pro_rata=True),
    "K330": Code(FOREIGN_SERVICES, Fraction(1, 3), box="A services"),
    "K460": Code(FOREIGN_SERVICES, _FULL),
    "K490": Code(FOREIGN_SERVICES, PRO_RATA, pro_rata=True),
    # ML §§ 12, 32: goods imported: the base is the customs value with duty and freight, not the supplier's bill.
    "K410": Code(FOREIGN_GOODS, _FULL),
    # ML §§ 4, 27: sales in Denmark.
    "S01": Code(OUTPUT),
    # ML §§ 70, 71: second-hand goods: the margin is taxed, and contains the tax.
    "S83": Code(OUTPUT, in_price=True),
    # ML § 46(1) no. 10: the buyer of our tablets owes the tax.
    "S02": Code(box="C"),
    # ML § 13(1) no. 3: exempt teaching.
    "S82": Code(),
    # ML § 34(1) no. 1: goods to businesses in the EU; § 16(1): services to them are taxed there.
    "S21": Code(box="B goods"),
    "S23": Code(box="B services"),
    # ML § 34(1) no. 5: goods exported; § 16(1): services to businesses outside the EU.
    "S41": Code(box="C"),
    "S42": Code(box="C"),
}
#: What a code's deductions are multiplied by besides the pro rata.
OTHER_SHARE: Final = {code: rule.share / PRO_RATA for code, rule in CODES.items() if rule.pro_rata}


def ore(amount: Fraction) -> Fraction:
    """An amount in whole øre (cents), halves away from zero."""
    hundredths = (2 * abs(amount) * 100 + 1) // 2
    return Fraction(hundredths if amount >= 0 else -hundredths, 100)


def whole(amount: Fraction) -> Fraction:
    """ML § 57(1), second sentence: the return is made in whole kroner; this company goes to the nearest one."""
    kroner = (2 * abs(amount) + 1) // 2
    return Fraction(kroner if amount >= 0 else -kroner)


class Slip(NamedTuple):
    """A month's pay of a person."""

    gross: Fraction
    own_pension: Fraction
    employer_pension: Fraction
    labour_market: Fraction
    tax: Fraction
    net: Fraction
    holiday_gross: Fraction
    holiday_net: Fraction
    holiday_liability: Fraction


#: The monthly contributions to ATP of who works full time: a third is the employee's (ATP-loven).
ATP_OWN, ATP_EMPLOYER = Fraction(99), Fraction(198)
#: AMBL § 1
LABOUR_MARKET: Final = Fraction(8, 100)
#: FL §§ 16, 17: holiday with pay is earned at 12.5 % of the pay.
HOLIDAY: Final = Fraction(125, 1000)


def slip(gross: Fraction, free: Fraction, percent: Fraction, *, hourly: bool) -> Slip:
    """A payslip: own pension 4 %, the employer's 8 %; `free` is the tax card's monthly allowance, `percent` its rate.

    AMBL § 2, KSL § 49 D: the contribution is of the pay less ATP and the own pension, whose share the pension company
    withholds. KSL §§ 46, 48: tax is withheld of what is left, less the allowance. Both are computed to the øre, and the
    slip drops what is below a krone (one of the three methods of Den juridiske vejledning). Of an hourly worker's
    holiday pay the same is withheld as it is earned, without allowance; for salaried staff the company owes 12.5 %.
    """
    own = ore(gross * Fraction(4, 100))
    base = gross - ATP_OWN - own
    labour_market = Fraction(base * LABOUR_MARKET // 1)
    tax = Fraction((base - labour_market - free) * percent // 100)
    holiday = ore(gross * HOLIDAY)
    holiday_market = Fraction(holiday * LABOUR_MARKET // 1) if hourly else Fraction(0)
    holiday_tax = Fraction((holiday - holiday_market) * percent // 100) if hourly else Fraction(0)
    return Slip(
        gross,
        own,
        ore(gross * Fraction(8, 100)),
        labour_market + holiday_market,
        tax + holiday_tax,
        base - labour_market - tax,
        holiday if hourly else Fraction(0),
        holiday - holiday_market - holiday_tax if hourly else Fraction(0),
        Fraction(0) if hourly else holiday,
    )


#: LL § 8(4): of representation a quarter is deducted from taxable income.
REPRESENTATION_ADDED_BACK: Final = Fraction(3, 4)
#: AL § 5: equipment is written down by up to 25 % of what is left of it for tax.
TAX_DEPRECIATION: Final = Fraction(25, 100)
#: SEL § 17(1)
CORPORATION_TAX: Final = Fraction(22, 100)
