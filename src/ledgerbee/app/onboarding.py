"""A new company with everything it needs to sell on its first day: chart, VAT codes, categories, groups, templates.

The figures and texts come from `chart/seed`; this is the one place that writes them for a company.
"""

from collections.abc import Mapping
from datetime import date

from babel.core import get_global
from babel.numbers import get_territory_currencies

from ledgerbee.catalog.product_groups import store as product_groups
from ledgerbee.catalog.product_groups.model import ProductGroup, ProductGroupId
from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.accounts.model import Account, AccountId, Classification, ControlAccountType, LedgerType
from ledgerbee.chart.journal_categories import store as journal_categories
from ledgerbee.chart.journal_categories.model import JournalCategory, JournalCategoryId
from ledgerbee.chart.seed.loader import seed_for
from ledgerbee.chart.seed.model import AccountSeed, ChartSeed, VatCodeSeed
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.chart.vat_codes.model import SINCE_EVER, Principle, VatCode, VatCodeId, VatRate, VatType
from ledgerbee.core.dates import day_in
from ledgerbee.core.errors import invalid
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import is_currency
from ledgerbee.ledger.periods.rules import first_year
from ledgerbee.ledger.setup import open_books
from ledgerbee.parties.groups import store as party_groups
from ledgerbee.parties.groups.model import CustomerGroup, CustomerGroupId, VendorGroup, VendorGroupId
from ledgerbee.platform.context import Context
from ledgerbee.sales.templates import store as templates
from ledgerbee.sales.templates.model import DocumentTemplate, DocumentTemplateId, TemplateType
from ledgerbee.tenancy.clocks import store as clocks
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.company.model import Company, CompanyFields
from ledgerbee.tenancy.company.rules import normal
from ledgerbee.tenancy.company.wire import render

#: Ids of a new company's accounts by their numbers, and of its VAT codes by their codes.
AccountIds = Mapping[int, AccountId]
VatCodeIds = Mapping[str, VatCodeId]


async def create_company(
    context: Context,
    fields: CompanyFields,
    *,
    country_code: str,
    base_currency: str | None = None,
    fiscal_year: tuple[date | None, date | None] = (None, None),
    is_sandbox: bool = False,
) -> Company:
    """Create the context's company and everything it starts with, in the context's transaction.

    Emits `company.created`, for all of it: what a company starts with is the same for every one of its country.

    `country_code` is ISO 3166-1 alpha-2; DK gets the Danish standard chart, others a plain generic one. The currency
    defaults to the country's. `fiscal_year` is the first financial year, from and through (`rules.first_year`). Raises
    validation errors for unknown codes and days that are no financial year, and what `PATCH /v1/company` refuses. A
    sandbox has a test clock, which begins at the real day.
    """
    currency = _currency_of(country_code)  # raises for what is no country
    company = normal(
        Company(
            company_id=context.company_id,
            country_code=country_code,
            base_currency=base_currency or currency,
            created_at=context.now,
            updated_at=context.now,
            is_sandbox=is_sandbox,
            **fields_of(fields),
        )
    )
    seed = seed_for(country_code)
    await companies.insert(context, company)
    if is_sandbox:
        await clocks.insert(context)
    account_ids = await _insert_chart(context, seed, company.preferred_language)
    today = day_in(context.now, company.time_zone)
    await open_books(context, company.base_currency, first_year(*fiscal_year, today))
    await _insert_journal_categories(context, seed)
    await _insert_party_groups(context, seed, account_ids)
    await _insert_product_groups(context, seed, account_ids)
    await _insert_document_templates(context, seed, company.preferred_language)
    context.emit("company.created", company.company_id, render(company).as_event())
    return company


async def _insert_chart(context: Context, seed: ChartSeed, language: str) -> AccountIds:
    """Add VAT codes and accounts, which refer to each other; the accounts' ids by number."""
    account_ids = {account.number: AccountId(new_id()) for account in seed.accounts}
    code_ids = {code.code: VatCodeId(new_id()) for code in seed.vat_codes}
    codes = [_vat_code(context, code, code_ids, account_ids, language) for code in seed.vat_codes]
    await vat_codes.insert_many(context, codes)
    chart = [_account(context, account, account_ids, code_ids, language) for account in seed.accounts]
    await accounts.insert_many(context, chart)
    return account_ids


def _vat_code(
    context: Context, seed: VatCodeSeed, code_ids: VatCodeIds, account_ids: AccountIds, language: str
) -> VatCode:
    return VatCode(
        id=code_ids[seed.code],
        code=seed.code,
        name=seed.name if language == "da" else seed.name_en,
        type=VatType(seed.type),
        principle=Principle(seed.principle),
        rates=(VatRate(SINCE_EVER, seed.rate, seed.deductible_share),),
        account_id=account_ids[seed.account_number] if seed.account_number else None,
        contra_account_id=account_ids[seed.contra_account_number] if seed.contra_account_number else None,
        return_box=seed.return_box,
        einvoice_category=seed.einvoice_category,
        exemption_reason=seed.exemption_reason,
        exemption_reason_da=seed.exemption_reason_da,
        created_at=context.now,
    )


def _account(
    context: Context, seed: AccountSeed, account_ids: AccountIds, code_ids: VatCodeIds, language: str
) -> Account:
    return Account(
        id=account_ids[seed.number],
        number=seed.number,
        name=seed.name_in(language),
        standard_number=seed.standard_number,
        ledger_type=LedgerType(seed.ledger_type),
        classification=Classification(seed.classification) if seed.classification else None,
        control_account_type=ControlAccountType(seed.control_account_type) if seed.control_account_type else None,
        vat_code_id=code_ids[seed.vat_code] if seed.vat_code else None,
        role=seed.role,
        sum_from=seed.sum_from,
        created_at=context.now,
    )


async def _insert_journal_categories(context: Context, seed: ChartSeed) -> None:
    for row in seed.journal_categories:
        category = JournalCategory(
            id=JournalCategoryId(new_id()),
            name=row.name,
            is_default=row.is_default,
            allowed_journal_types=row.allowed_types,
            created_at=context.now,
        )
        await journal_categories.insert(context, category)


async def _insert_party_groups(context: Context, seed: ChartSeed, account_ids: AccountIds) -> None:
    for row in seed.customer_groups:
        customer_group = CustomerGroup(
            id=CustomerGroupId(new_id()),
            number=str(row.number),
            name=row.name,
            account_id=account_ids[row.account_number],
            created_at=context.now,
        )
        await party_groups.insert(context, customer_group)
    for row in seed.vendor_groups:
        vendor_group = VendorGroup(
            id=VendorGroupId(new_id()),
            number=str(row.number),
            name=row.name,
            account_id=account_ids[row.account_number],
            created_at=context.now,
        )
        await party_groups.insert(context, vendor_group)


async def _insert_product_groups(context: Context, seed: ChartSeed, account_ids: AccountIds) -> None:
    for row in seed.product_groups:
        group = ProductGroup(
            id=ProductGroupId(new_id()),
            number=str(row.number),
            name=row.name,
            domestic_account_id=account_ids[row.domestic],
            eu_account_id=account_ids[row.eu],
            abroad_account_id=account_ids[row.abroad],
            domestic_without_vat_account_id=account_ids[row.domestic_without_vat],
            created_at=context.now,
            updated_at=context.now,
        )
        await product_groups.insert(context, group)


async def _insert_document_templates(context: Context, seed: ChartSeed, language: str) -> None:
    for row in seed.document_templates:
        template = DocumentTemplate(
            id=DocumentTemplateId(new_id()),
            name=row.name,
            document_type=TemplateType(row.document_type),
            language=row.language,
            is_default=row.language == language,
            created_at=context.now,
        )
        await templates.insert(context, template)


def _currency_of(country_code: str) -> str:
    for currency in reversed(get_territory_currencies(country_code)):
        if is_currency(currency):
            return str(currency)
    raise invalid(("countryCode", "isISO31661Alpha2", "countryCode must be a country with a currency of its own"))


def language_in(country_code: str) -> str:
    """The language that a company in a country has unless it says another."""
    return "da" if country_code == "DK" else "en"


def time_zone_in(country_code: str) -> str:
    """The time zone that a company in a country has unless it says another."""
    zones: list[str] = get_global("territory_zones").get(country_code, [])
    return zones[0] if zones else "UTC"
