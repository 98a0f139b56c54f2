"""What an invoice charges for each child of its payer, as documents of their own that are no invoices. Pure.

A child's lines are marked with it in the snapshot (`child`), and so is the text above them, which names it.
"""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any, Final

from ledgerbee.core.money import format_amount, total
from ledgerbee.sales.documents.model import DocumentLineType
from ledgerbee.sales.documents.printing import PLAIN_TEMPLATE, file_name, plain_name
from ledgerbee.sales.rendering.wording import WORDINGS

KIND: Final = "child_details"
#: Characters of what names a child in the name of a file; file systems take 255 bytes in all.
_LONGEST_NAME: Final = 50


def details_of(snapshot: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The details of each child, in the order of the invoice, as snapshots to print; none without children.

    Each has the child's lines, which are a part of the invoice's, with their sums and VAT.
    """
    names: dict[str, str] = {}
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for line in snapshot["lines"]:
        if "child" not in line:
            continue
        if line["kind"] == DocumentLineType.PRODUCT:
            lines.setdefault(line["child"], []).append(line)
        else:
            names[line["child"]] = line["description"]
    return [_details(snapshot, names[child], own) for child, own in lines.items()]


def count_children(snapshot: Mapping[str, Any]) -> int:
    """How many children an invoice has lines of."""
    return len({line["child"] for line in snapshot["lines"] if "child" in line})


def _details(snapshot: Mapping[str, Any], name: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    currency, words = snapshot["currency"], WORDINGS["da" if snapshot["language"] == "da" else "en"]
    rows = {index: number for number, index in enumerate(sorted({line["vatRow"] for line in lines}))}
    subtotal, vat = _sum(lines, "total"), _sum(lines, "vat")
    template = {**(snapshot["template"] or PLAIN_TEMPLATE), "introText": words.no_invoice.format(snapshot["number"])}
    return {
        **snapshot,
        "kind": KIND,
        "dueDate": None,
        "references": {**snapshot["references"], "description": name},
        "lines": [{**line, "vatRow": rows[line["vatRow"]]} for line in lines],
        "vatRows": [
            _row(snapshot["vatRows"][index], [line for line in lines if line["vatRow"] == index], currency)
            for index in rows
        ],
        "subtotal": format_amount(subtotal, currency),
        "vat": format_amount(vat, currency),
        "amount": format_amount(total([subtotal, vat]), currency),
        "vatInBase": None,
        "notes": None,
        "settled": None,
        "template": template,
    }


def _row(row: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], currency: str) -> dict[str, Any]:
    taxable, vat = (format_amount(_sum(lines, name), currency) for name in ("total", "vat"))
    return {**row, "taxable": taxable, "vat": vat}


def _sum(lines: Sequence[Mapping[str, Any]], name: str) -> Decimal:
    return total([Decimal(line[name]) for line in lines])


def zip_name(snapshot: Mapping[str, Any]) -> str:
    """The name of the file with the details of an invoice: `Specifikation af faktura 1042.zip`."""
    return file_name({**snapshot, "kind": KIND}).removesuffix("pdf") + "zip"


def zipped(snapshot: Mapping[str, Any], pdfs: Iterable[tuple[Mapping[str, Any], bytes]]) -> bytes:
    """The details of children and their PDFs in a file, each named by its child. The same bytes whenever it is made."""
    day = date.fromisoformat(snapshot["issueDate"])
    written = io.BytesIO()
    names: set[str] = set()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:  # PDFs are compressed already
        for details, pdf in pdfs:
            child = plain_name(details["references"]["description"])[:_LONGEST_NAME].strip()
            name = next(one for one in _numbered(child) if one.casefold() not in names)
            names.add(name.casefold())
            archive.writestr(zipfile.ZipInfo(f"{name}.pdf", (day.year, day.month, day.day, 0, 0, 0)), pdf)
    return written.getvalue()


def _numbered(name: str) -> Iterable[str]:
    """A name, and others for those who have the same one."""
    yield name
    yield from (f"{name} ({number})" for number in count(2))
