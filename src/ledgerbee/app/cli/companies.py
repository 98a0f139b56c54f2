"""`ledgerbee company`: companies, and what each is licensed to use."""

from typing import Annotated

import typer

from ledgerbee.app.cli.options import AsJson, CompanyOption, DataDir, fail, print_result, shown

app = typer.Typer(no_args_is_help=True, help="Companies.")


@app.command("create")
def create(  # noqa: PLR0913, PLR0917  each option is a parameter
    name: Annotated[str, typer.Option(help="The company's name.")],
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2; DK gets the Danish standard chart.")],
    currency: Annotated[str | None, typer.Option(help="Base currency (default: the country's).")] = None,
    fiscal_year_start: Annotated[
        str | None, typer.Option(help="First day of its first financial year (default: 1 January of this year).")
    ] = None,
    fiscal_year_end: Annotated[
        str | None, typer.Option(help="Last day of it, 6 to 18 months later (default: twelve months later).")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Street and number; needed on invoices.")] = None,
    postal_code: Annotated[str | None, typer.Option(help="Needed on invoices of a company in the EU.")] = None,
    city: Annotated[str | None, typer.Option(help="Needed on invoices.")] = None,
    vat_number: Annotated[str | None, typer.Option(help="Needed on invoices with VAT; Danish: the CVR number.")] = None,
    email: Annotated[str | None, typer.Option(help="Where customers' answers go.")] = None,
    bank_name: Annotated[str | None, typer.Option(help="The bank that invoices ask to be paid through.")] = None,
    bank_registration_number: Annotated[str | None, typer.Option(help="Danish: four digits.")] = None,
    bank_account_number: Annotated[str | None, typer.Option(help="Danish: up to ten digits.")] = None,
    iban: Annotated[str | None, typer.Option(help="The account, for payments from abroad.")] = None,
    bic: Annotated[str | None, typer.Option(help="Its bank, for payments from abroad.")] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="For tests: its day can be moved ahead, what it sends is marked.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Create a company with chart of accounts, VAT codes, categories, groups and templates."""
    from ledgerbee.app.cli.session import access
    from ledgerbee.app.companies import CreateCompanyRequest, create_requested
    from ledgerbee.app.database_access import in_company
    from ledgerbee.core.ids import new_id
    from ledgerbee.http.validation import validated

    company_id = new_id()
    given = {
        "name": name, "countryCode": country.upper(), "baseCurrency": currency, "address": address,
        "postalCode": postal_code, "city": city, "vatNumber": vat_number, "email": email, "bankName": bank_name,
        "bankRegistrationNumber": bank_registration_number, "bankAccountNumber": bank_account_number,
        "iban": iban, "bic": bic, "sandbox": sandbox,
        "fiscalYearStart": fiscal_year_start, "fiscalYearEnd": fiscal_year_end,
    }  # fmt: skip
    body = validated(CreateCompanyRequest, {key: value for key, value in given.items() if value is not None})

    with access(data_dir) as found:
        in_company(found, company_id, lambda context: create_requested(context, body))
    created = {"id": company_id, "name": body.name, "isSandbox": body.sandbox}
    kind = "Sandbox" if body.sandbox else "Company"
    print_result(created, f"{kind} {shown(body.name)}: {company_id}", as_json=as_json)


@app.command("list")
def list_all(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the companies, oldest first."""
    from ledgerbee.app.cli.session import access
    from ledgerbee.app.database_access import all_companies, in_company
    from ledgerbee.tenancy.company import store

    with access(data_dir) as found:
        companies = [in_company(found, company_id, store.get) for company_id in all_companies(found)]
    listed = [
        {
            "id": company.company_id,
            "name": company.name,
            "countryCode": company.country_code,
            "baseCurrency": company.base_currency,
            "licenses": company.licenses,
            "isSandbox": company.is_sandbox,
        }
        for company in companies
    ]
    marks = {True: " (sandbox)", False: ""}
    lines = (
        f"{one.company_id}  {one.country_code}  {one.base_currency}  {shown(one.name)}{marks[one.is_sandbox]}"
        for one in companies
    )
    print_result({"companies": listed}, *lines, as_json=as_json)


@app.command("licenses")
def licenses(
    company: CompanyOption = None,
    wanted: Annotated[
        str | None, typer.Option("--set", help='These, separated by commas, and no others; "" for none.')
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what a company is licensed to use, or change it; a change holds from the next request on."""
    from ledgerbee.app.cli.session import in_the_company
    from ledgerbee.tenancy.company import actions, store

    listed = [part.strip() for part in wanted.split(",")] if wanted else []
    if not all(listed):
        fail('--set is a list of licences, separated by commas, or "" for none.')

    changed = in_the_company(
        data_dir,
        company,
        lambda context: store.get(context) if wanted is None else actions.set_licenses(context, listed),
    )
    licensed = {"id": changed.company_id, "licenses": changed.licenses}
    print_result(licensed, ", ".join(changed.licenses) or "none", as_json=as_json)
