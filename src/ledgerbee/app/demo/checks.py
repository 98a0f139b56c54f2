"""What has to hold after the demo; whatever doesn't is named."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ledgerbee.app.demo import flights, published
from ledgerbee.app.demo.buyer import Received
from ledgerbee.app.demo.metering import Metered
from ledgerbee.app.demo.published import Figures
from ledgerbee.app.demo.run import Books, Outcome
from ledgerbee.app.demo.seller import Sold


def faults(outcome: Outcome) -> list[str]:
    """Every fault of the run in a line; none when everything holds."""
    return [
        *(fault for sale in outcome.sold for fault in _sale_faults(sale)),
        *(fault for sale in outcome.sold for fault in _receipt_faults(sale, outcome.received[sale.document["key"]])),
        *_mail_faults(outcome),
        *(metering_faults(outcome.metered[0]) if outcome.metered else ()),
        *(fault for books in outcome.all_books for fault in _book_faults(books)),
    ]


def ours(sale: Sold) -> Figures:
    """Net, VAT and gross as the API answers them, of a credit note what it credits: it is published as positive."""
    sign = 1 if sale.note is None else -1
    net, vat, gross = (sign * Decimal(sale.made[name]) for name in ("subtotal", "vat", "amount"))
    return Figures(net, vat, gross)


def theirs(received: Received) -> Figures:
    """Net, VAT and gross as the buyer received them."""
    totals = received.document["totals"]
    return Figures(Decimal(totals["net"]), Decimal(totals["vat"]), Decimal(totals["gross"]))


def difference(sale: Sold) -> str | None:
    """In what our figures differ from the published ones, None when they are equal to the cent."""
    mine, theirs = ours(sale), published.figures(sale.document)
    pairs = {
        "net": (mine.net, theirs.net),
        "VAT": (mine.vat, theirs.vat),
        "gross": (mine.gross, theirs.gross),
    }
    named = [f"{name} {a:f}, published {b:f}" for name, (a, b) in pairs.items() if a != b]
    return "; ".join(named) or None


def metering_faults(metered: Metered) -> list[str]:
    """Where the month as it was billed differs from the sums made straight from the flights."""
    wanted, all_flown = flights.expected(metered.flown), len(metered.flown)
    events = {"attributed": wanted.flights, "unattributed": 0, "billed": wanted.flights, "open": 0, "tooLate": 0}
    later = all_flown - wanted.flights
    line = metered_line(metered)
    pairs = {
        "events taken in": (_sum_of(metered.batches, "accepted"), all_flown),
        "events taken in when they came again": (_sum_of(metered.repeated, "accepted"), 0),
        "duplicates": (_sum_of(metered.repeated, "duplicates"), all_flown),
        "minutes of the month on the meter": (Decimal(metered.month["quantity"]), wanted.minutes),
        **{f"events of the month {name}": (metered.month[name], count) for name, count in events.items()},
        "events accepted in all": (metered.usage["accepted"], all_flown),
        "events open in all": (metered.usage["open"], later),
        "the status of the run": (metered.run["status"], "completed"),
        "invoices of the run": (metered.run["invoices"], 1),
        "invoices of the same run again": (metered.rerun["invoices"], 0),
        "invoices": (len(metered.invoices), 1),
        "minutes on the invoice": (Decimal(line["quantity"]), wanted.minutes),
        "cents for the minutes": (_cents(line["totalPrice"]), wanted.metered_cents),
        "cents before VAT": (_cents(metered.invoices[0]["subtotal"]), wanted.net_cents),
    }
    invoice, charged = metered.invoices[0], [(one["status"], one["amount"]) for one in metered.charges]
    found = [f"metered month: {what}: {ours}, by the flights {theirs}" for what, (ours, theirs) in pairs.items()
             if ours != theirs]  # fmt: skip
    if (charged, invoice["status"]) != ([("succeeded", invoice["amount"])], "paid"):
        found.append(f"metered month: the invoice of {invoice['amount']} is {invoice['status']}, its charges {charged}")
    return found + [f"metered month: {fault}" for fault in _identity_faults(metered)]


def is_balanced(books: Books) -> bool:
    """Whether the trial balance's debits equal its credits, and nothing is left over."""
    totals = {name: Decimal(amount) for name, amount in books.trial_balance["totals"].items()}
    return totals["debit"] == totals["credit"] and totals["opening"] == totals["closing"] == 0


def _sale_faults(sale: Sold) -> Iterator[str]:
    key = sale.document["key"]
    if found := difference(sale):
        yield f"{key}: {found}"
    wanted = "manual" if sale.delivery["deliveryType"] == "Manual" else "delivered"
    if sale.delivery["status"] != wanted:
        messages = [attempt["message"] for attempt in sale.delivery["attempts"]]
        yield f"{key}: delivery is {sale.delivery['status']}, not {wanted}: {messages}"
    if not sale.pdf.startswith(b"%PDF-"):
        yield f"{key}: what came as its PDF is none"


def _receipt_faults(sale: Sold, received: Received) -> Iterator[str]:
    """The buyer has the figures that were published, in what it received and in what it owes by its books."""
    key, wanted = sale.document["key"], published.figures(sale.document)
    if theirs(received) != wanted:
        yield f"{key}: received as {theirs(received)}, published {wanted}"
    owed = wanted.gross if sale.note is None else -wanted.gross
    for what in (received.draft, received.entry):
        if Decimal(what["originalAmount"]) != owed:
            yield f"{key}: the buyer's {what['entryType']} is {what['originalAmount']}, not {owed:f}"


def _mail_faults(outcome: Outcome) -> Iterator[str]:
    """One mail for each mailed invoice, under the id that its delivery names, with its PDF."""
    mailed = {
        sale.delivery["attempts"][-1]["providerId"]: sale
        for sale in outcome.sold
        if sale.delivery["deliveryType"] == "Email" and sale.delivery["attempts"]
    }
    came = [mail.message_id for mail in outcome.mails]
    for message_id, sale in mailed.items():
        if came.count(message_id) != 1:
            yield f"{sale.document['key']}: {came.count(message_id)} mails came for it"
    for mail in outcome.mails:
        sale_of_mail = mailed.get(mail.message_id)
        if sale_of_mail is None:
            yield f"a mail came that no invoice sent: {mail.subject}"
        elif list(mail.attachments().values()) != [sale_of_mail.pdf]:
            yield f"{sale_of_mail.document['key']}: its mail carries another PDF than the API gives"


def _identity_faults(metered: Metered) -> Iterator[str]:
    """Each event that was taken in is somewhere, once: of the month, and of all days."""
    for usage in (metered.month, metered.usage):
        if usage["accepted"] != usage["attributed"] + usage["unattributed"]:
            yield f"events were accepted that are neither attributed nor unattributed: {usage}"
        if usage["attributed"] != sum(usage[name] for name in ("billed", "open", "shown", "tooLate")):
            yield f"attributed events are not all billed, open, shown or too late: {usage}"


def metered_line(metered: Metered) -> dict[str, Any]:
    """The line of the minutes; there is one other, of the fee."""
    lines: list[dict[str, Any]] = metered.invoices[0]["lines"]
    return max(lines, key=lambda line: Decimal(line["quantity"]))


def _sum_of(answers: list[dict[str, Any]], name: str) -> int:
    return sum(answer[name] for answer in answers)


def _cents(amount: str) -> Decimal:
    return Decimal(amount).scaleb(2)


def _book_faults(books: Books) -> Iterator[str]:
    if not is_balanced(books):
        yield f"{books.company['name']}: the trial balance does not balance: {books.trial_balance['totals']}"
    if books.verification.fault is not None:
        yield f"{books.company['name']}: {books.verification.fault}"
