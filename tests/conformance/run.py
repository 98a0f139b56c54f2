"""Everything that can be issued, judged, and sent by AS4 to an access point of its own: `make conformance`.

Says which rules judged, how many documents there were, and what is wrong; the status is 1 then. Faults put into sound
documents have to be found by the rules that are named for them.
"""

import sys
from collections import Counter

from tests.conformance import as4_exchange
from tests.conformance.grid import cases
from tests.conformance.judges import Judges
from tests.conformance.mutations import unseen
from tests.conformance.statuses import statuses

from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.sales.einvoices.writing import missing, write

#: What a document of the grid may lack: OIOUBL states one rate of VAT.
_MAY_LACK = {EInvoiceFormat.PEPPOL: set[str](), EInvoiceFormat.OIOUBL: {"vatRates"}}


def main() -> int:
    """Judge all; 0 if nothing is wrong."""
    judges = Judges()
    for release in judges.releases():
        print(release)
    judged: Counter[EInvoiceFormat] = Counter()
    wrong: list[str] = []
    for case in cases():
        for form, judge in ((EInvoiceFormat.PEPPOL, judges.of_peppol), (EInvoiceFormat.OIOUBL, judges.of_oioubl)):
            lacking = missing(case.snapshot, form)
            if not lacking:
                judged[form] += 1
                faults = judge(write(case.snapshot, form))
                wrong += [f"{form.value} {case.name}: {fault.rule} {fault.text}" for fault in faults]
            elif not set(lacking) <= _MAY_LACK[form]:
                wrong.append(f"{form.value} {case.name}: lacks {', '.join(lacking)}")
    told = list(statuses())
    wrong += [f"status {name}: {fault.rule} {fault.text}" for name, xml in told for fault in judges.of_status(xml)]
    wrong += as4_exchange.faults()
    count, unfound = unseen(judges)
    for line in (*wrong, *unfound):
        print(line)
    print(
        f"{judged[EInvoiceFormat.PEPPOL]} documents as Peppol, {judged[EInvoiceFormat.OIOUBL]} as OIOUBL, "
        f"{len(told)} statuses, {len(wrong)} faults; of {count} faults put in, {count - len(unfound)} found"
    )
    return 1 if wrong or unfound else 0


if __name__ == "__main__":
    sys.exit(main())
