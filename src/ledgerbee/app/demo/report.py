"""What the demo prints: every figure beside the published one, the mails, the books."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ledgerbee.app.demo import checks, published
from ledgerbee.app.demo.run import Books, Outcome
from ledgerbee.app.demo.seller import Sold
from ledgerbee.core.money import format_amount


def print_outcome(console: Console, outcome: Outcome, pdfs: dict[str, Path], faults: list[str]) -> None:
    """Print everything the demo did; `pdfs` is where each document's PDF lies, by key."""
    _print_figures(console, outcome)
    _print_remarks(console, outcome)
    _print_deliveries(console, outcome, pdfs)
    for books in [*outcome.books, outcome.buyer]:
        _print_books(console, books)
    console.print()
    for fault in faults:
        console.print(f"[bold red]fault:[/] {escape(fault)}", soft_wrap=True)
    if not faults:
        console.print(
            f"[bold green]Everything holds:[/] {len(outcome.sold)} documents equal to the cent, sold and received, "
            f"{len(outcome.mails)} mails, {len(outcome.books) + 1} balanced ledgers, verified."
        )


def _print_figures(console: Console, outcome: Outcome) -> None:
    console.print("[bold]Invoices and credit notes, ours above the published figures[/]")
    table = _table()
    for name in ("published document", "no.", "cur."):
        table.add_column(name)
    for name in ("net", "VAT", "gross"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for sale in outcome.sold:
        mine, theirs, currency = checks.ours(sale), published.figures(sale.document), sale.document["currency"]
        found = checks.difference(sale)
        table.add_row(
            f"{escape(sale.document['key'])}\n[dim]{escape(sale.document['seller']['name'])}[/]",
            str(sale.made["number"]),
            currency,
            _pair(mine.net, theirs.net, currency),
            _pair(mine.vat, theirs.vat, currency),
            _pair(mine.gross, theirs.gross, currency),
            "[green]equal[/]" if found is None else f"[red]{escape(found)}[/]",
        )
    console.print(table)


def _print_remarks(console: Console, outcome: Outcome) -> None:
    console.print("\n[bold]Said differently, and what the buyer was shown[/]")
    for sale in outcome.sold:
        for remark in published.remarks(sale.document):
            console.print(f"  {escape(sale.document['key'])}: {escape(remark)}", soft_wrap=True)
        for problem in outcome.received[sale.document["key"]].document["problems"]:
            text = f"{sale.document['key']}: {problem['code']}, {problem['message']}"
            console.print(f"  [dim]{escape(text)}[/]", soft_wrap=True)
    for books in outcome.books:
        for refused in books.refused:
            console.print(f"  {escape(books.company['name'])}: left out {escape(refused)}", soft_wrap=True)


def _print_deliveries(console: Console, outcome: Outcome, pdfs: dict[str, Path]) -> None:
    mails = {mail.message_id: mail for mail in outcome.mails}
    console.print("\n[bold]Deliveries and payments[/]")
    for sale in outcome.sold:
        attempts = sale.delivery["attempts"]
        mail = mails.get(attempts[-1]["providerId"]) if attempts else None
        how = "handed over by the seller: no address published"
        if mail is not None:
            how = f"mail to {', '.join(mail.recipients)}: {mail.subject!r} with {', '.join(mail.attachments())}"
        console.print(f"  {escape(sale.document['key'])}: {escape(how)}", soft_wrap=True)
        console.print(
            f"    [dim]{escape(_payment(sale))}; PDF {escape(str(pdfs[sale.document['key']]))}[/]", soft_wrap=True
        )


def _payment(sale: Sold) -> str:
    invoice = sale.invoice
    if sale.note is not None:
        return (
            f"credits invoice {invoice['number']}, {invoice['amount']} {invoice['currency']}, now {invoice['status']}"
        )
    return f"{invoice['status']}, {invoice['amountPaid']} of {invoice['amount']} {invoice['currency']} paid"


def _print_books(console: Console, books: Books) -> None:
    report = books.trial_balance
    span = f"{report['fromDate']} to {report['toDate']}, {report['currency']}"
    console.print(f"\n[bold]Trial balance of {escape(books.company['name'])}, {span}[/]", soft_wrap=True)
    table = _table()
    table.add_column("account")
    table.add_column("name")
    for name in ("debit", "credit", "closing"):
        table.add_column(name, justify="right")
    for row in report["rows"]:
        if _moved(row):
            table.add_row(str(row["accountNumber"]), escape(row["name"]), row["debit"], row["credit"], row["closing"])
    totals = report["totals"]
    verdict = "[green]balanced[/]" if checks.is_balanced(books) else "[red]not balanced[/]"
    table.add_section()
    table.add_row("", verdict, totals["debit"], totals["credit"], totals["closing"])
    console.print(table)
    audit = books.verification
    result = "passed" if audit.fault is None else f"failed: {audit.fault}"
    console.print(f"verify {result}: {audit.entries} entries, {audit.lines} lines", soft_wrap=True)


def _moved(row: dict[str, Any]) -> bool:
    """A bookable account that something was posted to."""
    is_bookable = row["ledgerType"] in {"BALANCE_SHEET", "PROFIT_AND_LOSS"}
    return is_bookable and any(Decimal(row[name]) for name in ("debit", "credit", "closing"))


def _pair(mine: Decimal, theirs: Decimal, currency: str) -> str:
    colour = "green" if mine == theirs else "red"
    return f"[{colour}]{format_amount(mine, currency)}[/]\n[dim]{format_amount(theirs, currency)}[/]"


def _table() -> Table:
    return Table(header_style="dim", box=None, pad_edge=False)
