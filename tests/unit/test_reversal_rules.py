"""What takes an entry back, and what is odd about one whose lines are all the caller's."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.test_ledger_rules import ACCOUNT, entry, line

from ledgerbee.chart.accounts.model import ControlAccountType
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import EntryType, JournalEntry, Side
from ledgerbee.ledger.entries.rules.reversal import check_reversal_day, check_reversible, reversal
from ledgerbee.ledger.entries.rules.warnings import control_warnings, with_warnings

DAY = date(2026, 3, 16)
RECEIVABLE, PAYABLE = ControlAccountType.ACCOUNTS_RECEIVABLE, ControlAccountType.ACCOUNTS_PAYABLE


def posted(**fields: Any) -> JournalEntry:
    """The fifth entry of a company, ten kroner from one side to the other; `fields` of its content."""
    content = replace(entry(line(Side.DEBIT, "10.00"), line(Side.CREDIT, "10.00")), **fields)
    return JournalEntry(
        content=content, line_ids=(new_id(), new_id()), accounts={}, base_currency="DKK", entry_number=5,
        chain_position=5, previous_hash=b"", hash=b"", posted_at=datetime(2026, 3, 16, tzinfo=UTC),
    )  # fmt: skip


class TestReversal:
    def test_sides_are_swapped_and_the_rest_stays(self) -> None:
        before = posted(description="Kaffe", external_system_id="x", reference="K-1", attachment_hashes=(b"1",))
        found = reversal(before, new_id(), DAY + timedelta(days=1), None, "da")
        assert [(one.side, one.amount) for one in found.lines] == [
            (Side.CREDIT, before.content.lines[0].amount), (Side.DEBIT, before.content.lines[1].amount),
        ]  # fmt: skip
        assert (found.description, found.reference, found.external_system_id) == (
            "Tilbageførsel af nr. 5: Kaffe", "K-1", None,
        )  # fmt: skip
        assert (found.reverses_entry_id, found.original_amount) == (before.id, Decimal(-10))
        assert not found.attachment_hashes

    def test_its_text_is_the_callers_or_names_the_number(self) -> None:
        assert reversal(posted(), new_id(), DAY, None, "en").description == "Reversal of no. 5"
        assert reversal(posted(), new_id(), DAY, "", "en").description == ""
        long = reversal(posted(description="x" * 10_000), new_id(), DAY, None, "da").description
        assert long is not None
        assert len(long) == 10_000

    def test_only_a_document_stays_its_source(self) -> None:
        source = new_id()
        of_draft = reversal(posted(source_type="draft", source_id=source), new_id(), DAY, None, "da")
        of_invoice = reversal(posted(source_type="invoice", source_id=source), new_id(), DAY, None, "da")
        assert (of_draft.source_type, of_draft.source_id) == (None, None)
        assert (of_invoice.source_type, of_invoice.source_id) == ("invoice", source)

    def test_what_cannot_be_reversed(self) -> None:
        check_reversible(posted())
        of_invoice = posted(source_type="invoice", source_id=new_id())
        check_reversible(of_invoice, with_document=True)
        by = new_id()
        for refused, code, told in (
            (posted(reverses_entry_id=new_id()), "JOURNAL_ENTRY_INVALID_STATE", {"status": "reversal"}),
            (
                replace(posted(), reversed_by_entry_id=by),
                "JOURNAL_ENTRY_ALREADY_REVERSED",
                {"reversedByEntryId": str(by)},
            ),
            (of_invoice, "JOURNAL_ENTRY_INVALID_STATE", {"status": "document", "sourceType": "invoice"}),
        ):
            with pytest.raises(LedgerBeeError) as refusal:
                check_reversible(refused, "journalEntryIds.3")
            details = refusal.value.details
            assert refusal.value.code == code
            expected = {"property": "journalEntryIds.3", "journalEntryId": str(refused.id), **told}
            assert {name: details[name] for name in expected} == expected
            with pytest.raises(LedgerBeeError) as single:
                check_reversible(refused)
            assert "property" not in single.value.details

    def test_not_before_the_newest_of_them(self) -> None:
        entries = [posted(), posted(date=DAY - timedelta(days=3))]
        check_reversal_day(entries, DAY)
        with pytest.raises(LedgerBeeError, match="Bad Request"):
            check_reversal_day(entries, DAY - timedelta(days=1))


class TestWarnings:
    def codes(self, entry_type: EntryType, control: ControlAccountType | None, original: str = "10.00") -> list[str]:
        made = entry(line(Side.DEBIT, "10.00"), original=original)
        return [one.code for one in control_warnings(replace(made, entry_type=entry_type), {ACCOUNT: control})]

    def test_other_entries_have_no_receivable_or_payable(self) -> None:
        assert self.codes(EntryType.JOURNAL_ENTRY, None) == []

    def test_it_should_be_there_and_as_much_as_the_original_amount(self) -> None:
        assert self.codes(EntryType.CUSTOMER_INVOICE, RECEIVABLE) == []
        assert self.codes(EntryType.SUPPLIER_PAYMENT, PAYABLE) == []
        for control in (None, PAYABLE):
            assert self.codes(EntryType.CUSTOMER_INVOICE, control) == ["CONTROL_LINE_MISSING"]
        assert self.codes(EntryType.CUSTOMER_INVOICE, RECEIVABLE, "12.50") == ["CONTROL_AMOUNT_DIFFERS"]
        # A bill's payable stands on the other side: ten kroner less are owed, not ten more.
        assert self.codes(EntryType.SUPPLIER_INVOICE, PAYABLE) == ["CONTROL_AMOUNT_DIFFERS"]
        assert self.codes(EntryType.SUPPLIER_INVOICE, PAYABLE, "-10.00") == []

    def test_they_stand_at_the_end_of_the_entry(self) -> None:
        made = replace(entry(line(Side.DEBIT, "10.00")), entry_type=EntryType.CUSTOMER_INVOICE)
        warnings = control_warnings(made, {})
        assert with_warnings(b'{"id":"1"}', []) == b'{"id":"1"}'
        assert json.loads(with_warnings(b'{"id":"1"}', warnings)) == {
            "id": "1", "warnings": [{"code": warnings[0].code, "message": warnings[0].message}],
        }  # fmt: skip
