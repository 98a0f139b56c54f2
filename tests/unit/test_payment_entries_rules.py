"""The entry of a payment, the accounts it may stand on, and that it is taken back once."""

from decimal import Decimal

import pytest
from tests.unit.test_chart_rules import ACCOUNT, VAT_ACCOUNT
from tests.unit.test_invoices_rules import NOW, invoice

from ledgerbee.chart.accounts.model import AccountId, ControlAccountType
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import LineType, Side
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.payments.customer_payments import rules
from ledgerbee.payments.customer_payments.model import FX_GAIN, FX_LOSS, Payment, PaymentFields, UsedExcess
from ledgerbee.sales.invoices.model import Invoice, InvoiceStatus

BANK, RECEIVABLE, GAIN, LOSS = (replace(VAT_ACCOUNT, id=AccountId(new_id())) for _ in range(4))
ROLES = {FX_GAIN: GAIN, FX_LOSS: LOSS}


def sent(**fields: object) -> Invoice:
    """An invoice of EUR 100.00, booked at 7.46."""
    booked = {
        "amount": Decimal(100),
        "base_amount": Decimal(746),
        "receivable_account_id": RECEIVABLE.id,
        "number": "7",
    }
    return replace(invoice("EUR", InvoiceStatus.SENT), **{**booked, **fields})


def payment(base_amount: str, **fields: object) -> Payment:
    values = {
        "id": new_id(), "invoice_id": new_id(), "customer_id": new_id(), "paid_on": NOW.date(), "amount": Decimal(100),
        "currency": "EUR", "exchange_rate": Decimal(base_amount) / 100, "base_amount": Decimal(base_amount),
        "base_settled": Decimal(746), "account_id": BANK.id, "reference": None, "journal_entry_id": new_id(),
        "created_at": NOW,
    }  # fmt: skip
    return Payment(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("came_in", "difference"),
    [
        ("746", []),
        ("750", [(GAIN.id, Side.CREDIT, Decimal(0), Decimal(4))]),
        ("740", [(LOSS.id, Side.DEBIT, Decimal(0), Decimal(6))]),
    ],
)
def test_bank_against_receivable_and_a_gain_or_a_loss(came_in: str, difference: list[object]) -> None:
    entry = rules.journal_entry(payment(came_in), sent(), text="Betaling", accounts=ROLES)
    assert [(line.account_id, line.side, line.amount, line.base_amount) for line in entry.lines] == [
        (BANK.id, Side.DEBIT, Decimal(100), Decimal(came_in)),
        (RECEIVABLE.id, Side.CREDIT, Decimal(100), Decimal(746)),
        *difference,
    ]
    assert entry.reference == "7"


def test_a_difference_needs_an_account() -> None:
    with pytest.raises(LedgerBeeError) as refused:
        rules.journal_entry(payment("750"), sent(), text="", accounts={FX_LOSS: LOSS})
    assert (refused.value.code, refused.value.details) == ("PAYMENT_ACCOUNT_MISSING", {"role": FX_GAIN})


def test_the_text_is_in_the_companys_language() -> None:
    assert rules.entry_text(sent(), "Havblik A/S", "da") == "Betaling af faktura 7, Havblik A/S"
    assert rules.entry_text(sent(), "Havblik A/S", "en") == "Payment of invoice 7, Havblik A/S"


def test_it_comes_in_on_a_balance_sheet_account_that_stands_for_no_parties() -> None:
    rules.check_account(BANK)
    debtors = replace(BANK, control_account_type=ControlAccountType.ACCOUNTS_RECEIVABLE)
    for account, code in (
        (replace(BANK, is_active=False), "ACCOUNT_NOT_BOOKABLE"),
        (ACCOUNT, "PAYMENT_ACCOUNT_INVALID"),
        (debtors, "PAYMENT_ACCOUNT_INVALID"),
    ):
        with pytest.raises(LedgerBeeError) as refused:
            rules.check_account(account)
        assert (refused.value.code, refused.value.details) == (code, {"accountId": str(account.id)})


def test_it_is_taken_back_once() -> None:
    rules.check_reversible(payment("746"), None)
    taken = payment("746", reversal_entry_id=new_id())
    with pytest.raises(LedgerBeeError) as refused:
        rules.check_reversible(taken, None)
    assert refused.value.details == {"reversalEntryId": str(taken.reversal_entry_id)}


def test_what_a_card_was_charged_is_not_taken_back() -> None:
    with pytest.raises(LedgerBeeError) as refused:
        rules.check_reversible(payment("746"), new_id())
    assert refused.value.code == "PAYMENT_IS_CHARGE"


def test_the_companys_own_currency_has_no_rate_but_one() -> None:
    kroner = replace(sent(), currency="DKK")
    given = PaymentFields(paid_on=NOW.date(), amount=Decimal(1), exchange_rate=Decimal("7.46"))
    rules.check_payment(replace(given, exchange_rate=Decimal(1)), kroner, "DKK", NOW.date())
    with pytest.raises(LedgerBeeError) as refused:
        rules.check_payment(given, kroner, "DKK", NOW.date())
    assert refused.value.details["validationErrors"][0]["property"] == "exchangeRate"


@pytest.mark.parametrize(
    ("paid", "credited", "used", "settled", "difference"),
    [
        # Settled by the note alone, which took a unit too much: it is put back.
        ("0", "100", ("0", "0"), "746.01", "-0.01"),
        ("0", "100", ("0", "0"), "745.99", "0.01"),
        ("0", "100", ("0", "0"), "746.00", "0"),
        # 20.00 are a credit of the customer's: 149.20 at the rate. What is used is as it was booked.
        ("20", "100", ("0", "0"), "895.19", "0.01"),
        ("20", "100", ("10", "74.60"), "895.20", "0"),
        ("20", "100", ("20", "149.19"), "895.20", "-0.01"),
        ("20", "100", ("10", "149.21"), "895.20", "0.01"),
        # Something is due: what was settled is never more than was booked.
        ("0", "99.99", ("0", "0"), "745.93", "0"),
        ("0", "99.99", ("0", "0"), "746.01", "-0.01"),
    ],
)
def test_what_is_left_when_a_payment_goes_back(
    paid: str, credited: str, used: tuple[str, str], settled: str, difference: str
) -> None:
    opened = sent(amount_paid=Decimal(paid), credited_amount=Decimal(credited))
    of_credit = UsedExcess(*map(Decimal, used))
    conversion = Conversion("EUR", "DKK", Decimal("7.46"))
    found = rules.difference_when_reopened(opened, Decimal(settled), of_credit, conversion)
    assert found == Decimal(difference)
    lines = rules.lines_of_difference(found, opened, ROLES)
    if not found:
        assert lines == []
        return
    side, account = (Side.CREDIT, LOSS) if found > 0 else (Side.DEBIT, GAIN)
    assert [line.line_type for line in lines] == [LineType.CONTROL, LineType.ENTERED]
    assert {(line.amount, line.base_amount) for line in lines} == {(Decimal(0), abs(found))}
    assert lines[0].account_id == RECEIVABLE.id
    assert lines[1].account_id == account.id
    assert lines[0].side is side
    assert lines[1].side is not side
    with pytest.raises(LedgerBeeError):
        rules.lines_of_difference(found, opened, {})
