"""What a new company's books start with: accounts, VAT codes, journal categories, groups and templates.

Plain facts, read from the CSV files beside this module; the commands that create a company turn them into rows.
Codes and numbers refer to each other by value; `tests/unit/test_chart_seed.py` proves that every reference holds.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class AccountSeed:
    """One row of the chart.

    `standard_number` is the account of the public standard chart it maps to (BEK 97, annex 2.4); headings, totals
    and generic charts carry their own number, so that sorting by it keeps the chart's order. Only accounts of a
    bookable type can be posted to; only they have a classification. `sum_from`: a total sums the bookable accounts
    from that number up to its own. `vat_code` is the code of `VatCodeSeed` that lines on the account commonly have.
    `role` is what posting finds an account by (BANK, FX_GAIN, ...) and reports a total (a `StatementLine`), or None.
    """

    number: int
    name: str
    name_en: str
    standard_number: int
    ledger_type: str
    classification: str | None = None
    control_account_type: str | None = None
    vat_code: str | None = None
    role: str | None = None
    sum_from: int | None = None

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

    `return_box`: boxes of a VAT return (`vat_codes.model.RETURN_BOXES`), joined by `+`. `exemption_reason` is the text
    that EN 16931 and the VAT Directive (art. 226) ask for on an invoice without VAT, with its legal basis.
    """

    code: str
    name: str
    name_en: str
    rate: Decimal
    type: str
    principle: str
    deductible_share: Fraction
    account_number: int | None = None
    contra_account_number: int | None = None
    return_box: str | None = None
    einvoice_category: str | None = None
    exemption_reason: str | None = None
    exemption_reason_da: str | None = None

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
