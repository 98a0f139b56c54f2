"""What a new company's books start with: accounts, VAT codes, journal categories, groups and templates.

Plain facts, read from the CSV files beside this module; the commands that create a company turn them into rows.
Codes and numbers refer to each other by value; `tests/unit/test_chart_seed.py` proves that every reference holds.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from ledgerbee.chart.accounts.model import StatementLine

BOOKABLE: Final = frozenset({"BALANCE_SHEET", "PROFIT_AND_LOSS"})
LEDGER_TYPES: Final = BOOKABLE | {"HEADING", "HEADING_BREAK", "TOTAL_FROM", "TOTAL_INTERVALS"}
CLASSIFICATIONS: Final = frozenset({"ASSET", "LIABILITY", "EQUITY", "REVENUE", "EXPENSE"})
CONTROL_ACCOUNT_TYPES: Final = frozenset({"ACCOUNTS_RECEIVABLE", "ACCOUNTS_PAYABLE"})
#: Accounts that posting finds by itself. Every chart has each of them exactly once.
ROLES: Final = frozenset({"BANK", "FX_GAIN", "FX_LOSS", "ROUNDING", "RETAINED_EARNINGS", "VAT_SETTLEMENT"})
#: Totals that reports find by themselves. Every chart has each of them exactly once.
STATEMENT_LINES: Final = frozenset(StatementLine)
JOURNAL_TYPES: Final = frozenset(
    {"JOURNAL_ENTRY", "SUPPLIER_INVOICE", "SUPPLIER_PAYMENT", "CUSTOMER_INVOICE", "CUSTOMER_PAYMENT"}
)
DOCUMENT_TYPES: Final = frozenset(
    {"invoice-template", "credit-note-template", "quote-template", "order-confirmation-template"}
)
#: VAT categories of EN 16931: standard, zero, exempt, reverse charge, intra-Community, export, outside the scope.
EINVOICE_CATEGORIES: Final = frozenset({"S", "Z", "E", "AE", "K", "G", "O"})

#: Boxes of a VAT return that take VAT amounts. The Danish return (momslovens § 57, stk. 1) has the first four,
#: other countries' REVERSE_CHARGE_VAT instead of the two for purchases abroad.
VAT_BOXES: Final = frozenset(
    {"OUTPUT_VAT", "FOREIGN_GOODS_VAT", "FOREIGN_SERVICES_VAT", "INPUT_VAT", "REVERSE_CHARGE_VAT"}
)
#: Boxes that take the net value. RUBRIK_* are the Danish rubrics A, B and C; B_GOODS and B_SERVICES must equal the
#: EU sales list, B_GOODS_UNLISTED is the part of rubric B that does not belong on it.
BASE_BOXES: Final = frozenset(
    {
        "RUBRIK_A_GOODS",
        "RUBRIK_A_SERVICES",
        "RUBRIK_B_GOODS",
        "RUBRIK_B_GOODS_UNLISTED",
        "RUBRIK_B_SERVICES",
        "RUBRIK_C",
        "EU_GOODS_PURCHASES",
        "EU_GOODS_SALES",
        "EU_SERVICES_PURCHASES",
        "EU_SERVICES_SALES",
        "EXEMPT_SALES",
        "EXPORTS",
        "REVERSE_CHARGE_SALES",
        "ZERO_RATED_SALES",
    }
)
#: Not on the VAT return: the one-stop-shop return, triangular trade on the EU sales list, purchases that make up the
#: basis of margin taxation, and the two refund procedures.
OTHER_REPORTS: Final = frozenset(
    {"OSS_RETURN", "EU_LIST_TRIANGULAR", "SPECIAL_BASIS", "FOREIGN_VAT_REFUND", "PUBLIC_VAT_REFUND"}
)
RETURN_BOXES: Final = VAT_BOXES | BASE_BOXES | OTHER_REPORTS


@dataclass(frozen=True, slots=True)
class AccountSeed:
    """One row of the chart.

    `standard_number` is the account of the public standard chart it maps to (BEK 97, annex 2.4); headings, totals
    and generic charts carry their own number, so that sorting by it keeps the chart's order. Only accounts of a
    `BOOKABLE` type can be posted to; only they have a classification. `sum_from`: a total sums the bookable accounts
    from that number up to its own. `vat_code` is the code of `VatCodeSeed` that lines on the account commonly have.
    `role` is one of `ROLES` for an account, one of `STATEMENT_LINES` for a total, or None.
    """

    number: int
    name: str
    name_en: str
    standard_number: int
    ledger_type: str
    classification: str | None
    control_account_type: str | None
    vat_code: str | None
    role: str | None
    sum_from: int | None

    def name_in(self, language: str) -> str:
        """The name in a company's language, `da` or `en`."""
        return self.name if language == "da" else self.name_en


@dataclass(frozen=True, slots=True)
class VatCodeSeed:
    """One VAT code.

    `rate` is in percent, `deductible_share` an exact fraction. The VAT goes to `account_number`; a reverse-charge code
    also books the whole of it, opposite, on `contra_account_number`, and is `Net`. What can't be deducted stays in the
    cost.

    `deductible_share` is fixed by law (a quarter, a half, one third, two thirds) where it is less than 1. Where it
    depends on the company (share of turnover, area, estimate, the figure on a leasing invoice) it is 1, for the company
    to lower. It is 0 only where nothing is deducted here. It says nothing on sales codes.

    Margin-scheme sales (S83 to S86) are `Gross`: the entered line is the margin, a fifth of which is VAT. They are for
    journal lines; `einvoice_category` is None because no invoice line may show that VAT. Codes of the one-stop shop
    and of other countries' VAT carry no rate, since it is the buyer's country's.

    `return_box`: keys of `RETURN_BOXES`, joined by `+`. `exemption_reason` is the text that EN 16931 and the VAT
    Directive (art. 226) ask for on an invoice without VAT, with its legal basis.
    """

    code: str
    name: str
    name_en: str
    rate: Decimal
    type: str
    principle: str
    deductible_share: Fraction
    account_number: int | None
    contra_account_number: int | None
    return_box: str | None
    einvoice_category: str | None
    exemption_reason: str | None
    exemption_reason_da: str | None

    @property
    def return_boxes(self) -> tuple[str, ...]:
        """The single keys of `return_box`."""
        return tuple(self.return_box.split("+")) if self.return_box else ()


@dataclass(frozen=True, slots=True)
class JournalCategorySeed:
    """A journal and the entry types that may be posted in it; the default one takes all."""

    name: str
    is_default: bool
    allowed_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartyGroupSeed:
    """A group of customers or vendors and its control account."""

    number: int
    name: str
    account_number: int


@dataclass(frozen=True, slots=True)
class ProductGroupSeed:
    """Revenue accounts by the customer's VAT zone."""

    number: int
    name: str
    domestic: int
    eu: int
    abroad: int
    domestic_without_vat: int


@dataclass(frozen=True, slots=True)
class DocumentTemplateSeed:
    """A document template; of each type the one in the chart's own language is the default."""

    name: str
    document_type: str
    language: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class ChartSeed:
    """All of it for one country. `language` is that of the names: `da` for Denmark, else `en`."""

    country: str
    language: str
    accounts: tuple[AccountSeed, ...]
    vat_codes: tuple[VatCodeSeed, ...]
    journal_categories: tuple[JournalCategorySeed, ...]
    customer_groups: tuple[PartyGroupSeed, ...]
    vendor_groups: tuple[PartyGroupSeed, ...]
    product_groups: tuple[ProductGroupSeed, ...]
    document_templates: tuple[DocumentTemplateSeed, ...]
