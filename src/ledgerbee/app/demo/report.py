"""What the demo prints: every figure beside the published one, the mails, the month of usage, the books."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ledgerbee.app.demo import checks, flights, published
from ledgerbee.app.demo.metering import Metered
from ledgerbee.app.demo.run import Books, Outcome
from ledgerbee.app.demo.seller import Sold
from ledgerbee.core.money import format_amount


def print_outcome(console: Console, outcome: Outcome, pdfs: dict[str, Path], faults: list[str]) -> None:
    """Print everything the demo did; `pdfs` is where each document's PDF lies, by key."""
    _print_figures(console, outcome)
    _print_remarks(console, outcome)
    _print_deliveries(console, outcome, pdfs)
    if outcome.metered is not None:
        _print_metered(console, outcome.metered[0])
    for books in outcome.all_books:
        _print_books(console, books)
    console.print()
    for fault in faults:
        console.print(f"[bold red]fault:[/] {escape(fault)}", soft_wrap=True)
    if not faults:
        usage = (
            "" if outcome.metered is None else f"{len(outcome.metered[0].flown):,} usage events billed to the cent, "
        )
        console.print(
            f"[bold green]Everything holds:[/] {len(outcome.sold)} documents equal to the cent, sold and received, "
            f"{usage}{len(outcome.mails)} mails, {len(outcome.all_books)} balanced ledgers, verified."
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


def _print_metered(console: Console, metered: Metered) -> None:
    """The month as it was billed above the sums made straight from the flights."""
    wanted, (invoice, *_) = flights.expected(metered.flown), metered.invoices
    line = checks.metered_line(metered)
    start, end = line["servicePeriodStart"], line["servicePeriodEnd"]
    console.print(
        f"\n[bold]Flights of {escape(flights.CARRIER)}, {start} to {end}, billed above summed up[/]", soft_wrap=True
    )
    table = _table()
    for name in ("billed", "published flights"):
        table.add_column(name)
    for name in ("flights", "minutes", "for the minutes", "with the fee"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    cents = (flights.in_units(one, 2) for one in (wanted.metered_cents, wanted.net_cents))
    faults = checks.metering_faults(metered)
    table.add_row(
        f"invoice {invoice['number']}\n[dim]summed up[/]",
        f"{len(metered.flown)} reported\n[dim]{len(metered.flown)} in the file[/]",
        *(
            f"{ours}\n[dim]{theirs}[/]"
            for ours, theirs in zip(
                (
                    str(metered.month["billed"]),
                    f"{Decimal(line['quantity']):f}",
                    line["totalPrice"],
                    invoice["subtotal"],
                ),
                (str(wanted.flights), str(wanted.minutes), *cents),
                strict=True,
            )
        ),
        f"[red]{len(faults)} faults[/]" if faults else "[green]equal[/]",
    )
    console.print(table)
    names = ("accepted", "attributed", "unattributed", "billed", "open", "shown", "tooLate")
    told = ", ".join(f"{metered.usage[name]} {name}" for name in names)
    again = sum(answer["duplicates"] for answer in metered.repeated)
    console.print(f"events: {told}; sent once more: {again} duplicates, billed again: {metered.rerun['invoices']}",
                  soft_wrap=True)  # fmt: skip
    for charge in metered.charges:
        console.print(f"test card charged: {charge['amount']} {charge['currency']}, {charge['status']}; invoice "
                      f"{invoice['number']} is {invoice['status']}", soft_wrap=True)  # fmt: skip


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
