"""`ledgerbee verify` and `ledgerbee report`: what the books say, and whether they are right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from ledgerbee.app.cli.options import AsJson, CompanyOption, DataDir, fail, print_json, shown

if TYPE_CHECKING:
    from ledgerbee.ledger.verify import Verification

report_app = typer.Typer(no_args_is_help=True, help="What the ledger says.")


@report_app.command("trial-balance")
def trial_balance(
    company: CompanyOption = None,
    from_date: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day, YYYY-MM-DD (default: the year's start).")
    ] = None,
    to_date: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last day, YYYY-MM-DD (default: today).")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Print the trial balance of a company, in its base currency."""
    from ledgerbee.app.cli.session import in_the_company
    from ledgerbee.http.validation import validated
    from ledgerbee.ledger.reports.trial_balance import actions
    from ledgerbee.ledger.reports.trial_balance.wire import TrialBalanceSpan, render

    span = validated(TrialBalanceSpan, {"fromDate": from_date, "toDate": to_date})
    report = render(
        in_the_company(data_dir, company, lambda context: actions.trial_balance(context, span.from_date, span.to_date))
    )
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    typer.echo(f"Trial balance {report.from_date} to {report.to_date}, {report.currency}")
    for row in report.rows:
        figures = (row.opening, row.debit, row.credit, row.closing)
        if any(figure and figure.strip("-0.") for figure in figures):  # accounts where something stands or moved
            typer.echo(_line(f"{row.account_number} {shown(row.name)}", *figures))
    totals = report.totals
    typer.echo(_line("Total", totals.opening, totals.debit, totals.credit, totals.closing))


def _line(title: str, *figures: str | None) -> str:
    return f"{title[:44]:44}" + "".join(f"{figure or '':>18}" for figure in figures)


def verify(
    company: Annotated[UUID | None, typer.Option("--company", help="The company (default: all of them).")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Recompute everything from the lines (balance, numbers, chain, totals, payments) and name the first fault.

    Every attached file is read and compared with its hash.
    """
    results = verify_companies(data_dir, company)
    faulty = [company_id for company_id, result in results.items() if not result.passed]
    if as_json:
        print_json({"passed": not faulty, "companies": [_facts(*item) for item in results.items()]})
        if faulty:
            raise typer.Exit(1)
        return
    for company_id, result in results.items():
        verdict = "passed" if result.passed else f"FAILED: {result.fault}"
        typer.echo(f"{company_id}  {_counts(result)}  {verdict}")
    if faulty:
        fail(f"The books of {len(faulty)} of {len(results)} companies are not right.")


def verify_companies(data_dir: Path | None, company: UUID | None = None) -> "dict[UUID, Verification]":
    """What the audit of a company's books finds, or of all companies', by company."""
    from ledgerbee.app.cli.session import access, the_company
    from ledgerbee.app.database_access import all_companies, in_company
    from ledgerbee.app.verify import verify as verify_books

    with access(data_dir) as found:
        blobs = found.blobs()
        return {
            company_id: in_company(
                found, company_id, lambda context: verify_books(context, blobs=blobs), one_snapshot=True
            )
            for company_id in ([the_company(found, company)] if company else all_companies(found))
        }


def _counts(result: "Verification") -> str:
    return f"{result.entries} entries, {result.lines} lines, {result.attachments} attachments"


def _facts(company_id: UUID, result: "Verification") -> dict[str, object]:
    return {
        "id": company_id,
        "passed": result.passed,
        "entries": result.entries,
        "lines": result.lines,
        "attachments": result.attachments,
        "fault": str(result.fault) if result.fault else None,
    }
