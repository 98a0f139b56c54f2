"""Payouts: booked to the last oere, and what is not paid out yet is what clearing has."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.test_invoices_rules import NOW
from tests.unit.test_payments_rules import account

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND, Account, LedgerType
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO, round_money, total
from ledgerbee.ledger.entries.model import EntryToPost, Side
from ledgerbee.ledger.entries.rules import check_entry
from ledgerbee.payments.customer_payments.model import PAYMENT_ACCOUNT_INVALID, PAYMENT_ACCOUNT_MISSING
from ledgerbee.payments.payouts import rules
from ledgerbee.payments.payouts.model import (
    DifferenceKind,
    OurKind,
    Ours,
    OurState,
    Payout,
    PayoutBooking,
    PayoutMovement,
    PayoutSources,
)
from ledgerbee.payments.provider_settings.model import ProviderId, ProviderSettings
from ledgerbee.payments.providers.model import Movement, MovementType, ProviderName

D = Decimal
AT = datetime(2026, 3, 16, 12, tzinfo=UTC)
DAY = date(2026, 3, 16)
ROLES = ("BANK", "PAYMENT_CLEARING", "PAYMENT_FEES", "UNIDENTIFIED_RECEIPTS", "FX_GAIN", "FX_LOSS")


def accounts() -> dict[str, Account]:
    found = {role: account(number=number) for number, role in enumerate(ROLES, 6000)}
    return {**found, "PAYMENT_FEES": replace(found["PAYMENT_FEES"], ledger_type=LedgerType.PROFIT_AND_LOSS)}


BY_ROLE = accounts()
NUMBERS: dict[UUID, str] = {one.id: role for role, one in BY_ROLE.items()}
SETTINGS = ProviderSettings(
    id=ProviderId(new_id()), name=ProviderName.SANDBOX, is_enabled=True, is_default=True, keys=b"", callback_secret=b"",
    clearing_account_id=None, fee_account_id=None, unidentified_account_id=None, bank_account_id=None, created_at=AT,
    updated_at=AT,
)  # fmt: skip


def sources(rate: str = "1", base: str = "DKK", **fields: Any) -> PayoutSources:
    known: dict[str, Any] = {
        "settings": SETTINGS, "base_currency": base, "language": "en", "rate": D(rate), "named": {}, "by_role": BY_ROLE,
        "left": ZERO, "base_left": ZERO, "journal_category_id": None,
    }  # fmt: skip
    return PayoutSources(**known | fields)


def told(type_: str, amount: str, fee: str = "0", **fields: Any) -> Movement:
    known: dict[str, Any] = {"provider_id": f"t{new_id()}", "currency": "DKK", "at": AT}
    return Movement(type=MovementType(type_), amount=D(amount), fee=D(fee), **known | fields)


def moved(type_: str, amount: str, fee: str = "0", **fields: Any) -> PayoutMovement:
    return rules.taken(told(type_, amount, fee, **fields), ProviderName.SANDBOX, NOW)


def ours_of(movement: PayoutMovement, base: str | None = None, kind: str = "charge", **fields: Any) -> Ours:
    known: dict[str, Any] = {
        "kind": OurKind(kind), "id": new_id(), "provider_id": "x_1", "reference": "R1", "state": OurState.BOOKED,
        "amount": movement.amount, "currency": movement.currency, "account_id": BY_ROLE["PAYMENT_CLEARING"].id,
        "base_amount": movement.amount if base is None else D(base),
    }  # fmt: skip
    return Ours(**known | fields)


def booked(
    movements: Sequence[PayoutMovement], matches: dict[UUID, Ours], found: PayoutSources | None = None
) -> PayoutBooking:
    own = next(one for one in movements if one.type is MovementType.PAYOUT)
    payout = rules.new_payout(own, DAY, None, (), NOW)
    booking = rules.book(payout, movements, matches, found or sources(), NOW)
    check_entry(booking.entry)
    return booking


def lines(entry: EntryToPost, *, is_base: bool = False) -> dict[str, Decimal]:
    """Balances by role, in the entry's currency or the company's."""
    sums: dict[str, Decimal] = {}
    for one in entry.lines:
        amount = one.base_amount if is_base else one.amount
        role = NUMBERS[one.account_id]
        sums[role] = sums.get(role, ZERO) + (amount if one.side is Side.DEBIT else -amount)
    return sums


#: What moved beside a charge of 1,250.00 with a fee of 19.30, what is paid out, the fees, and what nobody knows.
CASES = {
    "a charge alone": ((), "1230.70", "19.30", "0"),
    "a refund whose fee the provider keeps": ((("refund", "-100", "2"),), "1128.70", "21.30", "0"),
    "a refund whose fee is given back": ((("refund", "-100", "-2"),), "1132.70", "17.30", "0"),
    "a fee by itself": ((("fee", "-12.50", "0"),), "1218.20", "31.80", "0"),
    "a fee that came back": ((("fee", "12.50", "0"),), "1243.20", "6.80", "0"),
    "money of somebody else": ((("charge", "500", "8.80"),), "1721.90", "28.10", "500"),
    "a reserve that is kept": ((("other", "-300", "0"),), "930.70", "19.30", "-300"),
    "more taken back than came in": ((("other", "-2000", "0"),), "-769.30", "19.30", "-2000"),
}


@pytest.mark.parametrize(("others", "paid", "fees", "unidentified"), CASES.values(), ids=CASES)
def test_what_a_payout_books(others: Any, paid: str, fees: str, unidentified: str) -> None:
    charge = moved("charge", "1250", "19.30")
    rest = [moved(*one) for one in others]
    matches = {charge.id: ours_of(charge)}
    matches |= {one.id: ours_of(one, kind="refund") for one in rest if one.type is MovementType.REFUND}
    booking = booked([charge, *rest, moved("payout", str(-D(paid)))], matches)
    refunded = total([one.amount for one in rest if one.type is MovementType.REFUND])
    expected = {"BANK": D(paid), "PAYMENT_FEES": D(fees), "UNIDENTIFIED_RECEIPTS": -D(unidentified),
                "PAYMENT_CLEARING": -D(1250) - refunded}  # fmt: skip
    assert lines(booking.entry) == {role: amount for role, amount in expected.items() if amount}
    assert not booking.payout.left_amount
    assert not booking.payout.left_base_amount
    assert booking.entry.source_id == booking.payout.id


def test_who_is_not_known_is_named() -> None:
    unknown = [moved("charge", "1", object_id=f"ch_{number}", text="Shop") for number in range(150)]
    booking = booked([*unknown, moved("payout", "-150")], {}, sources(language="da"))
    texts = [one.description for one in booking.entry.lines if one.description]
    assert (len(texts), texts[0][:12], texts[-1]) == (100, "charge ch_0 ", "51 bevægelser til")
    assert lines(booking.entry) == {"BANK": D(150), "UNIDENTIFIED_RECEIPTS": D(-150)}
    assert all(rules.is_unknown(one) for one in booking.movements if one.type is MovementType.CHARGE)
    few = booked([*unknown[:2], moved("payout", "-2")], {})
    assert few.entry.description == f"Payout of sandbox, {few.payout.provider_id}"


def test_very_many_that_nobody_knows_in_english() -> None:
    booking = booked([*(moved("charge", "1") for _ in range(101)), moved("payout", "-101")], {})
    assert [one.description for one in booking.entry.lines][-1] == "2 more movements"


@pytest.mark.parametrize("state", [OurState.FAILED, OurState.BOOKED])
def test_what_failed_here_or_was_paid_out_before_is_not_ours(state: OurState) -> None:
    charge = moved("charge", "100")
    matches = {charge.id: ours_of(charge, state=state, is_paid_out=state is OurState.BOOKED)}
    assert lines(booked([charge, moved("payout", "-100")], matches).entry) == {
        "BANK": D(100), "UNIDENTIFIED_RECEIPTS": D(-100),
    }  # fmt: skip


class TestForeignCurrency:
    def test_all_that_was_booked_leaves_clearing(self) -> None:
        """1,000.00 EUR booked at 7.46, paid out at 7.44: a loss of what the rate fell on all of it."""
        charge = moved("charge", "1000", "15", currency="EUR")
        booking = booked(
            [charge, moved("payout", "-985", currency="EUR")], {charge.id: ours_of(charge, "7460")}, sources("7.44")
        )
        assert lines(booking.entry) == {
            "BANK": D(985),
            "PAYMENT_FEES": D(15),
            "PAYMENT_CLEARING": D(-1000),
            "FX_LOSS": 0,
        }
        assert lines(booking.entry, is_base=True) == {
            "BANK": D("7328.40"), "PAYMENT_FEES": D("111.60"), "PAYMENT_CLEARING": D(-7460), "FX_LOSS": D(20),
        }  # fmt: skip

    def test_a_gain(self) -> None:
        charge = moved("charge", "1000", currency="EUR")
        booking = booked(
            [charge, moved("payout", "-1000", currency="EUR")], {charge.id: ours_of(charge, "7400")}, sources("7.44")
        )
        assert lines(booking.entry, is_base=True)["FX_GAIN"] == D(-40)

    def test_what_the_provider_converted(self) -> None:
        """A charge in EUR that stands in DKK at the provider: what it was booked at goes, the rest is a difference."""
        charge = moved("charge", "7440")
        ours = ours_of(charge, "7460", amount=D(1000), currency="EUR")
        booking = booked([charge, moved("payout", "-7440")], {charge.id: ours})
        assert lines(booking.entry) == {"BANK": D(7440), "PAYMENT_CLEARING": D(-7460), "FX_LOSS": D(20)}

    def test_parts_take_their_share_and_the_last_leaves_nothing(self) -> None:
        charge = moved("charge", "1000", currency="EUR")
        first = booked(
            [charge, moved("payout", "-300", currency="EUR")], {charge.id: ours_of(charge, "7461")}, sources("7.44")
        ).payout
        assert (first.left_amount, first.left_base_amount) == (D(700), D("5222.70"))
        left: dict[str, Any] = {"left": first.left_amount, "base_left": first.left_base_amount}
        last = booked([moved("payout", "-700", currency="EUR")], {}, sources("7.5", **left)).payout
        assert (last.left_amount, last.left_base_amount) == (-first.left_amount, -first.left_base_amount)
        # More than there is takes all of it, and the rest by the day's rate; what comes back does too.
        more = booked([moved("payout", "-800", currency="EUR")], {}, sources("7.5", **left)).payout
        assert more.cleared_base_amount == D("5222.70") + D(750)
        back = booked([moved("payout", "100", currency="EUR")], {}, sources("7.5", **left))
        assert back.payout.cleared_base_amount == D(-750)

    def test_amount_and_value_on_two_sides_are_two_lines(self) -> None:
        """What was booked at more than all that goes: the clearing account takes one amount and gives the other."""
        charge, refund = moved("charge", "100", currency="EUR"), moved("refund", "-99", currency="EUR")
        matches = {charge.id: ours_of(charge, "700"), refund.id: ours_of(refund, "-742.50", kind="refund")}
        booking = booked([charge, refund, moved("payout", "-1", currency="EUR")], matches, sources("7.5"))
        assert lines(booking.entry)["PAYMENT_CLEARING"] == D(-1)
        assert lines(booking.entry, is_base=True)["PAYMENT_CLEARING"] == D("42.50")


class TestDisputes:
    def test_a_lost_one_has_its_fee_in_its_own_booking(self) -> None:
        dispute = moved("dispute", "-1250", "100")
        ours = ours_of(dispute, "-1350", kind="dispute", fee=D(100))
        booking = booked([dispute, moved("payout", "1350")], {dispute.id: ours})
        assert lines(booking.entry) == {"BANK": D(-1350), "PAYMENT_CLEARING": D(1350)}

    def test_one_that_is_won_has_its_fee_when_it_comes_back(self) -> None:
        dispute = moved("dispute", "-1250", "100")
        is_open = ours_of(dispute, kind="dispute", state=OurState.OPEN, fee=D(100), account_id=None, base_amount=ZERO)
        first = booked([dispute, moved("payout", "1350")], {dispute.id: is_open})
        assert lines(first.entry) == {"BANK": D(-1350), "PAYMENT_CLEARING": D(1350)}
        back = moved("dispute_reversed", "1250")
        won = replace(is_open, fee=ZERO, taken=D(-1350), base_taken=D(-1350), taken_fee=D(100))
        last = booked([back, moved("payout", "-1250")], {back.id: won})
        assert lines(last.entry) == {"BANK": D(1250), "PAYMENT_FEES": D(100), "PAYMENT_CLEARING": D(-1350)}

    def test_a_fee_that_is_booked_later_takes_its_share(self) -> None:
        """Lost with a fee of 100 at 7.46; what moved has half of that: the rest of the booking stays on clearing."""
        dispute = moved("dispute", "-1000", "50", currency="EUR")
        ours = ours_of(dispute, "-8206", kind="dispute", fee=D(100))
        booking = booked([dispute, moved("payout", "1050", currency="EUR")], {dispute.id: ours}, sources("7.44"))
        assert (booking.movements[0].cleared_amount, booking.movements[0].base_amount) == (D(-1050), D(-7833))

    def test_one_payout_has_what_was_taken_and_what_came_back(self) -> None:
        dispute, back = moved("dispute", "-1250", "100"), moved("dispute_reversed", "1250")
        is_open = ours_of(dispute, kind="dispute", state=OurState.OPEN, fee=D(100), account_id=None, base_amount=ZERO)
        matches = {dispute.id: is_open, back.id: is_open}
        booking = booked([back, dispute, moved("payout", "100")], matches)
        assert lines(booking.entry) == {"BANK": D(-100), "PAYMENT_FEES": D(100)}

    def test_what_the_provider_has_not_told_of_is_known_by_its_charge(self) -> None:
        dispute, charge_id = moved("dispute", "-1250", "100"), new_id()
        untold = ours_of(dispute, kind="dispute", state=OurState.OPEN, id=charge_id, charge_id=charge_id,
                         is_told=False, account_id=None, base_amount=ZERO)  # fmt: skip
        booking = booked([dispute, moved("payout", "1350")], {dispute.id: untold})
        assert lines(booking.entry) == {"BANK": D(-1350), "PAYMENT_FEES": D(100), "PAYMENT_CLEARING": D(1250)}
        first = booking.movements[0]
        assert (first.charge_id, first.dispute_id) == (charge_id, None)


@pytest.mark.parametrize("currency", ["DKK", "EUR"])
@pytest.mark.parametrize(
    ("type_", "amount", "own", "unidentified"),
    [("charge", "1249", "1250", "-1"), ("refund", "-101", "-100", "-1"), ("dispute", "-1249", "-1250", "1")],
)
def test_a_difference_in_amount_is_nobodys(type_: str, amount: str, own: str, unidentified: str, currency: str) -> None:
    movement = moved(type_, amount, "2", currency=currency)
    ours = ours_of(movement, str(D(own) * 7), kind=type_, amount=D(own))
    paid = str(D(2) - D(amount))
    booking = booked(
        [movement, moved("payout", paid, currency=currency)], {movement.id: ours}, sources("7", base="SEK")
    )
    found = lines(booking.entry)
    assert (found["PAYMENT_CLEARING"], found["UNIDENTIFIED_RECEIPTS"]) == (-D(own), -D(unidentified))
    assert not booking.payout.left_amount
    assert booking.payout.unidentified_amount == D(unidentified)
    assert rules.is_unknown(booking.movements[0])


@pytest.mark.parametrize(("type_", "amount"), [("charge", "-5"), ("refund", "5"), ("dispute", "5"), ("charge", "0")])
def test_what_moves_the_other_way_is_not_ours(type_: str, amount: str) -> None:
    movement = moved(type_, amount)
    assert not rules.is_taken_off(movement, ours_of(movement, kind=type_))


def test_what_stands_on_another_clearing_account_leaves_that() -> None:
    other = account(number=6999)
    NUMBERS[other.id] = "OTHER"
    charge = moved("charge", "100", "2")
    booking = booked([charge, moved("payout", "-98")], {charge.id: ours_of(charge, account_id=other.id)})
    assert lines(booking.entry) == {"BANK": D(98), "PAYMENT_FEES": D(2), "OTHER": D(-100)}


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (PAYMENT_ACCOUNT_MISSING, {"by_role": {}}),
        (ACCOUNT_NOT_FOUND, {"settings": replace(SETTINGS, bank_account_id=new_id())}),
        (PAYMENT_ACCOUNT_INVALID, {"by_role": {**BY_ROLE, "BANK": BY_ROLE["PAYMENT_CLEARING"]}}),
        (PAYMENT_ACCOUNT_INVALID, {"by_role": {**BY_ROLE, "UNIDENTIFIED_RECEIPTS": BY_ROLE["BANK"]}}),
        (
            ACCOUNT_NOT_BOOKABLE,
            {"by_role": {**BY_ROLE, "PAYMENT_FEES": replace(BY_ROLE["PAYMENT_FEES"], is_active=False)}},
        ),
    ],
)
def test_accounts_that_can_not_be_booked_on(code: ErrorCode, fields: dict[str, Any]) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        booked([moved("charge", "100", "2"), moved("payout", "-98")], {}, sources(**fields))
    assert refused.value.error_code is code


def test_named_accounts_are_taken() -> None:
    bank = account(number=6998)
    NUMBERS[bank.id] = "NAMED"
    own = moved("payout", "-98")
    payout = rules.new_payout(own, DAY, bank.id, (), NOW)
    booking = rules.book(payout, [own], {}, sources(named={bank.id: bank}), NOW)
    assert lines(booking.entry) == {"NAMED": D(98), "PAYMENT_CLEARING": D(-98)}


@dataclass
class Books:
    """What clearing has, in the currency and the company's, and what payouts left."""

    rates: list[str]
    clearing: Decimal = ZERO
    base_clearing: Decimal = ZERO
    left: Decimal = ZERO
    base_left: Decimal = ZERO
    loose: list[PayoutMovement] = field(default_factory=list)
    matches: dict[UUID, Ours] = field(default_factory=dict)

    def rate(self, step: int) -> Decimal:
        return D(self.rates[step % len(self.rates)])

    def happens(self, kind: str, amount: Decimal, fee: Decimal, step: int) -> None:
        """Something of ours is booked on clearing, or somebody else's money moves."""
        sign = 1 if kind in {"charge", "unknown"} else -1
        type_ = {"unknown": "charge"}.get(kind, kind)
        movement = moved(type_, str(sign * amount), str(fee), currency="EUR")
        self.loose.append(movement)
        if kind in {"charge", "refund", "dispute"}:
            base = round_money(sign * amount * self.rate(step), "DKK")
            self.clearing += movement.amount
            self.base_clearing += base
            self.matches[movement.id] = ours_of(movement, str(base), kind=kind)

    def pay_out(self, step: int, share: str = "1") -> Payout | None:
        net = total([one.amount - one.fee for one in self.loose])
        amount = round_money((net + self.left) * D(share), "EUR")
        if not amount:
            return None
        movements = [*self.loose, moved("payout", str(-amount), currency="EUR")]
        found = sources(str(self.rate(step)), left=self.left, base_left=self.base_left)
        booking = booked(movements, self.matches, found)
        self.clearing += lines(booking.entry).get("PAYMENT_CLEARING", ZERO)
        self.base_clearing += lines(booking.entry, is_base=True).get("PAYMENT_CLEARING", ZERO)
        self.left += booking.payout.left_amount
        self.base_left += booking.payout.left_base_amount
        self.loose = []
        return booking.payout


AMOUNTS = st.decimals("0.01", "9999.99", places=2)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["charge", "charge", "refund", "dispute", "unknown", "fee", "payout", "part"]),
        AMOUNTS,
        st.decimals("-5", "5", places=2),
    ),
    min_size=1,
    max_size=14,
)


@given(STEPS, st.lists(st.sampled_from(["7.44", "7.461234", "7.5"]), min_size=1, max_size=3))
@settings(max_examples=60)
def test_whatever_moves_clearing_has_what_is_not_paid_out(steps: Any, rates: list[str]) -> None:
    books = Books(rates)
    for step, (kind, amount, fee) in enumerate(steps):
        if kind in {"payout", "part"}:
            books.pay_out(step, "1" if kind == "payout" else "0.4")
        else:
            books.happens(kind, amount, fee, step)
        waiting = [books.matches[one.id] for one in books.loose if one.id in books.matches]
        assert books.clearing == books.left + total([one.amount for one in waiting])
        assert books.base_clearing == books.base_left + total([one.base_amount for one in waiting])
    if books.pay_out(len(steps)) is not None:
        assert not books.clearing
        assert not books.base_clearing


class TestWhatProvidersTell:
    def test_from_when_they_are_asked(self) -> None:
        long_ago = AT - timedelta(days=400)
        assert rules.asked_since(AT, long_ago, AT - timedelta(days=1), None) == AT - timedelta(days=4)
        assert rules.asked_since(AT, long_ago, AT, AT - timedelta(days=20)) == AT - timedelta(days=23)
        assert rules.asked_since(AT, long_ago, None, None) == AT - rules.FARTHEST
        assert rules.asked_since(AT, AT, None, None) == AT - timedelta(days=38)

    def test_what_was_paid_out_before_is_nobody_elses_business(self) -> None:
        before, after = AT - timedelta(days=1), AT + timedelta(days=1)
        kept = [
            told("charge", "1", at=before, payout_id="po_2"),
            told("charge", "1", at=after),
            told("payout", "-1", at=after, object_id="po_2"),
        ]
        passed_over = [
            told("charge", "1", at=before, payout_id="po_1"),
            told("charge", "1", at=before),
            told("payout", "-1", at=before, object_id="po_1"),
        ]
        assert rules.relevant([*passed_over, *kept], AT) == kept

    @pytest.mark.parametrize(
        ("fields", "name"),
        [
            ({}, None),
            ({"at": AT + timedelta(days=3), "text": "Other words"}, None),
            ({"reference": None, "object_id": None, "payout_id": None}, None),
            ({"type": MovementType.REFUND}, "type"),
            ({"amount": D(2)}, "amount"),
            ({"fee": D(2)}, "fee"),
            ({"currency": "EUR"}, "currency"),
            ({"object_id": "ch_2"}, "object"),
            ({"reference": "R2"}, "reference"),
            ({"payout_id": "po_2"}, "payout"),
        ],
    )
    def test_whether_it_is_the_same(self, fields: dict[str, Any], name: str | None) -> None:
        first = told("charge", "1", object_id="ch_1", reference="R1", payout_id="po_1")
        known = rules.taken(first, ProviderName.STRIPE, NOW)
        assert rules.what_differs(known, replace(first, **fields)) == name

    def test_a_payout_that_comes_back_is_one_of_its_own(self) -> None:
        sent, back = told("payout", "-5", object_id="po_1"), told("payout", "5", object_id="po_1")
        known = rules.taken(back, ProviderName.STRIPE, NOW)
        assert known.payout_name == rules.name_of(sent) == "po_1"
        payout = rules.new_payout(known, DAY, None, {"po_1"}, NOW)
        assert (payout.provider_id, payout.amount) == (back.provider_id, D(-5))
        assert rules.what_differs(replace(known, payout_name=payout.provider_id), back) is None

    def test_when_it_is_whole(self) -> None:
        own = moved("payout", "-95", "1", object_id="po_1")
        payout = rules.new_payout(own, DAY, None, (), NOW)
        assert rules.is_whole(payout, [own, moved("charge", "7")])
        part = moved("charge", "100", "2", payout_id="po_1")
        assert not rules.is_whole(payout, [own, part])
        assert rules.is_whole(payout, [own, part, moved("fee", "-2", payout_id="po_1")])


class TestDifferences:
    def test_what_does_not_agree(self) -> None:
        kinds = {
            DifferenceKind.UNKNOWN_HERE: None,
            DifferenceKind.UNDECIDED_HERE: {"state": OurState.UNDER_WAY},
            DifferenceKind.FAILED_HERE: {"state": OurState.FAILED},
            DifferenceKind.AMOUNT_DIFFERS: {"amount": D(99)},
        }
        movements = {kind: moved("charge", "100", object_id="ch_1") for kind in kinds}
        matches = {movements[kind].id: ours_of(movements[kind], **fields) for kind, fields in kinds.items() if fields}
        same, won = moved("charge", "100"), moved("dispute", "-3")
        matches[same.id] = ours_of(same)
        matches[won.id] = ours_of(won, kind="dispute", state=OurState.OPEN)
        untold = moved("dispute", "-4")
        matches[untold.id] = replace(matches[won.id], amount=D(-4), is_told=False, charge_id=new_id())
        assert [one.kind for one in rules.differences([untold], matches, [], [], NOW)] == [DifferenceKind.UNKNOWN_HERE]
        rest = [same, won, moved("fee", "-1"), moved("other", "-1"), moved("payout", "-1")]
        found = rules.differences([*movements.values(), *rest], matches, [], [], NOW)
        assert [one.kind for one in found] == list(kinds)
        assert [one.charge_id is None for one in found] == [True, False, False, False]
        assert [one.amount for one in found] == [None, D(100), None, D(99)]

    def test_what_the_provider_lacks(self) -> None:
        movement = moved("charge", "100")
        listed, late, fresh = (ours_of(movement, finished_at=NOW - timedelta(days=days)) for days in (9, 4, 2))
        paid = ours_of(movement, finished_at=NOW - timedelta(days=9), is_paid_out=True)
        waiting = rules.new_payout(moved("payout", "-7", object_id="po_1"), DAY, None, (), NOW)
        found = rules.differences([movement], {movement.id: listed}, [listed, late, fresh, paid], [waiting], NOW)
        assert [(one.kind, one.charge_id, one.object_id) for one in found] == [
            (DifferenceKind.MISSING_AT_PROVIDER, late.id, "x_1"),
            (DifferenceKind.PAYOUT_WAITS, None, "po_1"),
        ]
