"""Invoices to PDF per second, warm, on one core and on two: logo and 20 lines, every document different.

And what the PDF of a sent invoice takes, with its e-invoice inside: for the first one who asks, and for the next.

Other work on the machine can only slow a round down, so the best of a few rounds counts; the slowest is printed too.
"""

import asyncio
import os
import statistics
import struct
import subprocess
import sys
import zlib
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import UUID

from bench.einvoice import snapshot
from bench.support import verdict

from ledgerbee.platform.blobs.store import Folder
from ledgerbee.sales.documents.kept_pdfs import pdf_of_sent
from ledgerbee.sales.einvoices.attaching import attached
from ledgerbee.sales.rendering import pool
from ledgerbee.sales.rendering.model import Party, PaymentDetails, PrintableDocument, PrintLine, PrintVatRow, References
from ledgerbee.sales.rendering.pool import RendererPool

#: Documents a second that must be reached, by number of cores.
FLOORS = {1: 40, 2: 65}
ROUNDS = 5
DOCUMENTS_IN_A_ROUND = 60
#: Milliseconds for a PDF that is kept.
KEPT_LIMIT_MS = 3


def picture(width: int = 480, height: int = 160) -> bytes:
    """A PNG logo with transparency: a disc and two bars."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            disc = (2 * x - height) ** 2 + (2 * y - height) ** 2 < (height - 8) ** 2
            bar = x > height + 20 and (40 < y < 70 or (90 < y < 110 and x < width - 80))
            rows += bytes((29, 78, 95) if disc else (23, 33, 43)) + bytes([255 if disc or bar else 0])

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def invoice(serial: int, logo: bytes) -> PrintableDocument:
    """A Danish invoice with 20 lines; no text of a line and no figure is the same in the next one."""
    goods = ("Espressobønner, 1 kg", "Serviceaftale", "Konsulenttime", "Papkrus, 250 ml", "Fragt")
    lines = tuple(
        PrintLine(
            description=f"{goods[n % 5]}, {serial}-{n}" + ("\nEftersyn, afkalkning og pakninger" if n % 5 == 1 else ""),
            quantity=Decimal(n + 1),
            unit=("kg", "stk.", "timer", "pk.", "stk.")[n % 5],
            unit_price=Decimal(serial) + Decimal("0.25") * n,
            discount_percent=Decimal(10) if n % 5 == 1 else None,
            total=(Decimal(serial) + Decimal("0.25") * n) * (n + 1),
            vat_rate=Decimal(25),
        )
        for n in range(20)
    )
    subtotal = sum((line.total for line in lines if line.total is not None), Decimal(0))
    vat = subtotal / 4
    return PrintableDocument(
        kind="invoice",
        language="da",
        is_draft=False,
        number=f"2026-{serial:05d}",
        issue_date=date(2026, 11, 22),
        due_date=date(2026, 11, 30),
        delivery_date=date(2026, 11, 20),
        currency="DKK",
        seller=Party(
            name="Nordlys Kaffe ApS",
            address=("Havnegade 12, 2. tv.",),
            postal_code="8000",
            city="Aarhus C",
            country_code="DK",
            vat_number="DK13585628",
            registration_number="13585628",
            email="regnskab@nordlyskaffe.example",
            phone="+45 86 12 34 56",
        ),
        buyer=Party(
            name=f"Kunde nr. {serial} A/S",
            address=(f"Søndergade {serial}",),
            postal_code="5970",
            city="Ærøskøbing",
            country_code="DK",
            vat_number="DK25313763",
        ),
        references=References(
            our_reference="Mette Holm", purchase_order=f"PO-{serial}", description="Kaffe og service"
        ),
        lines=lines,
        vat_rows=(PrintVatRow(Decimal(25), "S", subtotal, vat),),
        subtotal=subtotal,
        vat=vat,
        total=subtotal + vat,
        payment=PaymentDetails(
            bank_name="Nordjyske Bank",
            registration_number="9070",
            account_number="1626347102",
            iban="DK50 0040 0440 1162 43",
            bic="NDEADKKK",
            payment_id="+71<000000000042017+88888888<",
            terms="Netto 8 dage.",
        ),
        notes="Tak for handlen.",
        logo=logo,
    )


async def rounds(cores: int, logo: bytes) -> list[float]:
    """Documents a second in each round, by as many processes as there are cores; the first round starts them."""
    rates = []
    with closing(RendererPool(cores)) as pool:
        for number in range(ROUNDS + 1):
            first = 1000 + number * DOCUMENTS_IN_A_ROUND
            documents = [invoice(first + index, logo) for index in range(DOCUMENTS_IN_A_ROUND)]
            start = perf_counter()
            await asyncio.gather(*(pool.render(index % 2, document) for index, document in enumerate(documents)))
            rates.append(DOCUMENTS_IN_A_ROUND / (perf_counter() - start))
    return rates


def measure(cores: int) -> None:
    """Print documents a second on `cores` cores of this machine."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    logo = picture()
    rates = asyncio.run(rounds(cores, logo))
    warm = rates[1:]
    name = "core " if cores == 1 else "cores"
    rate = statistics.median(warm)
    kept = verdict(rate, FLOORS[cores], at_least=True)
    print(
        f"invoice PDF, logo and 20 lines, {cores} {name}: {rate:5.1f}/s ({kept}; slowest round {min(warm):.1f})",
        flush=True,
    )


async def _asked_for(blobs: Folder, logo: bytes, first: int) -> float:
    """Milliseconds for each of a round's documents, one after the other."""
    company_id, start = UUID(int=1), perf_counter()
    for index in range(DOCUMENTS_IN_A_ROUND):
        await pdf_of_sent(blobs, company_id, snapshot(first + index, 20), logo=logo, attach=attached)
    return (perf_counter() - start) * 1_000 / DOCUMENTS_IN_A_ROUND


async def _kept() -> tuple[float, float]:
    """Milliseconds for a PDF that is asked for the first time, and again; the best of a few rounds."""
    logo, made, found = picture(), [], []
    with TemporaryDirectory(prefix="ledgerbee-bench-") as folder:
        blobs = Folder(Path(folder))
        for number in range(ROUNDS + 1):
            first = 1000 + number * DOCUMENTS_IN_A_ROUND
            made.append(await _asked_for(blobs, logo, first))
            found.append(await _asked_for(blobs, logo, first))
    pool.close()
    return min(made[1:]), min(found[1:])


def measure_kept() -> None:
    """Print what the first one who asks for a PDF waits, and the next."""
    made, found = asyncio.run(_kept())
    print(
        f"PDF of a sent invoice with its e-invoice, 20 lines: {made:.1f} ms for the first who asks, {found:.2f} ms for "
        f"the next ({verdict(found, KEPT_LIMIT_MS)})",
        flush=True,
    )


def main() -> None:
    """One process for each number of cores: threads keep the cores they were started on."""
    for cores in FLOORS:
        subprocess.run([sys.executable, __file__, str(cores)], check=True)
    measure_kept()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        main()
