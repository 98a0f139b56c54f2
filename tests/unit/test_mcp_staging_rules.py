"""Which call of a tool is which, when two runs of a command do the same, what may be booked without anybody looking."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgerbee.app.mcp.crediting import CREDIT_ROUTE
from ledgerbee.app.mcp.staging import rules
from ledgerbee.app.mcp.staging.actions import canonical
from ledgerbee.app.mcp.staging.model import (
    PREVIEW_LIFE,
    Decision,
    Planned,
    PreviewStatus,
    StagedCommand,
    StagedCommandId,
)
from ledgerbee.app.mcp.tools import all_tools
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.identity.connections.model import ConnectionId
from ledgerbee.tenancy.rates.model import RatePair

D = Decimal
NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
CONNECTION = ConnectionId(UUID("01900000-0000-7000-8000-000000000001"))
#: 2024-06-24: ids from then on are new.
BEGAN = 0x0190_4A00_0000
OLD = "019049ff-ffff-7000-8000-000000000001"


def new(number: int) -> str:
    return f"01904a00-0000-7000-8000-{number:012}"


PAYMENT: Final[dict[str, Any]] = {
    "invoiceId": "01900000-0000-7000-8000-00000000000a", "date": "2026-03-16", "amount": "10"
}  # fmt: skip
ENTRY: Final[dict[str, Any]] = {
    "entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "10",
    "lines": [
        {"accountId": "01900000-0000-7000-8000-00000000000b", "side": side, "amount": "10"}
        for side in ("DEBIT", "CREDIT")
    ],
}  # fmt: skip
ASSIGNED: Final[dict[str, Any]] = {
    "customerId": PAYMENT["invoiceId"], "planId": PAYMENT["invoiceId"], "startDate": "2026-03-16",
    "productOverrides": [{"priceId": PAYMENT["invoiceId"], "quantity": 2}],
}  # fmt: skip
DRAFT: Final[dict[str, Any]] = {
    "customerId": PAYMENT["invoiceId"], "lines": [{"priceId": PAYMENT["invoiceId"], "quantity": 2, "unitPrice": "0.50"}]
}  # fmt: skip
CALLS: Final = (
    ("register_payment", PAYMENT), ("post_entry", ENTRY), ("assign_subscription", ASSIGNED), ("draft_invoice", DRAFT),
    ("draft_quote", DRAFT), ("send_document", {"type": "invoice", "documentId": PAYMENT["invoiceId"]}),
    ("save_customer", {"name": "Havn", "customerNumber": "10", "metadata": {"floor": "2"}}),
)  # fmt: skip


def of_call(tool: str, arguments: dict[str, Any]) -> bytes:
    return rules.call_hash(CONNECTION, tool, canonical(arguments, all_tools()[tool].input_schema))


def branches(schema: Any) -> list[Any]:
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return [branch for one in choices for branch in branches(one)] if choices else [schema]


def spelt(value: Any, schema: Any, name: str, draw: Any) -> Any:
    """The same value, otherwise."""
    inner = branches(schema)
    if isinstance(value, dict):
        properties: Any = next((one["properties"] for one in inner if "properties" in one), {})
        required = [field for one in inner for field in one.get("required", ())]
        same = {field: spelt(one, properties.get(field, {}), field, draw) for field, one in value.items()}
        for field in properties.keys() - value.keys() - set(required):
            absent = [one["default"] for one in (properties[field], *branches(properties[field])) if "default" in one]
            absent += [None] if {"type": "null"} in branches(properties[field]) else []
            if absent and draw(st.booleans()):
                same[field] = draw(st.sampled_from(absent))
        return dict(draw(st.permutations(list(same.items()))))
    if isinstance(value, list):
        return [spelt(one, inner[0].get("items", {}), name, draw) for one in value]
    if {"number", "integer"} & {one.get("type") for one in inner}:
        number = D(str(value))
        ways: list[Any] = [number, number + D("0.000")]
        ways += [int(number)] if number == int(number) else []
        ways += [f"{number:f}", f"0{number + D('0.00'):f}"] if "string" in {one.get("type") for one in inner} else []
        return draw(st.sampled_from(ways))
    return draw(st.sampled_from([value, value.upper(), value.replace("-", "")])) if name.endswith("Id") else value


class TestCalls:
    @settings(max_examples=300, deadline=None)
    @given(st.data(), st.sampled_from(CALLS))
    def test_the_same_said_otherwise_is_the_same_call(self, data: st.DataObject, one: tuple[str, Any]) -> None:
        tool, arguments = one
        same = spelt(arguments, all_tools()[tool].input_schema, "", data.draw)
        assert of_call(tool, same) == of_call(tool, arguments), same

    @pytest.mark.parametrize("amount", ["10.00", 10, D("10.0"), "010", D("1e1")])
    def test_amounts_are_what_they_are_worth(self, amount: Any) -> None:
        assert of_call("register_payment", PAYMENT | {"amount": amount, "repetition": 1}) == of_call(
            "register_payment", PAYMENT
        )

    def test_anything_else_is_another(self) -> None:
        changes: list[dict[str, Any]] = [
            {}, {"amount": "10.01"}, {"amount": "1"}, {"amount": "100"}, {"amount": "-10"}, {"repetition": 2},
            {"reference": "10"}, {"reference": "10.00"}, {"reference": "true"}, {"exchangeRate": "1"},
            {"date": "2026-03-17"}, {"invoiceId": ENTRY["lines"][0]["accountId"]},
        ]  # fmt: skip
        calls = [of_call("register_payment", PAYMENT | one) for one in changes]
        calls.append(of_call("save_customer", {"name": "Havn", "metadata": {"floor": "2"}}))
        calls.append(of_call("save_customer", {"name": "Havn", "metadata": {"floor": "2.0"}}))
        calls.append(of_call("save_customer", {"name": "Havn", "metadata": {"floor": None}}))
        schema = all_tools()["register_payment"].input_schema
        calls.append(rules.call_hash(CONNECTION, "other", canonical(PAYMENT, schema)))
        calls.append(rules.call_hash(new_id(), "register_payment", canonical(PAYMENT, schema)))
        assert len(set(calls)) == len(calls)

    def test_exponents_make_no_number_long(self) -> None:
        schema = {"properties": {"a": {"type": "number"}}}
        assert canonical({"a": D("12e999999")}, schema) == canonical({"a": D("120e999998")}, schema)
        assert len(canonical({"a": D("12e-999999")}, schema)) < 30


def digest(value: Any) -> bytes:
    return rules.effects_digest(value, BEGAN)


class TestEffects:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"id": new(1)}, {"id": new(2)}),
            ({"id": "6f1f4c86-95ab-4d3c-9a3c-8f8e7e1b2f11"}, {"id": "71e2d0f1-4f0c-4a8e-8f55-0d1a5b1d9d2e"}),
            ({"a": new(1), "b": new(1)}, {"a": new(7), "b": new(7)}),
            ({"number": "1042", "entryNumber": 7, "hash": "a"}, {"number": "1043", "entryNumber": 9, "hash": "b"}),
            ({"postedAt": "2026-03-16T12:00:00.000Z"}, {"postedAt": "2026-03-16T12:05:00.000Z"}),
            (
                {"sourceType": "INVOICE", "description": "Faktura 1", "lines": [{"description": "1"}]},
                {"sourceType": "INVOICE", "description": "Faktura 2", "lines": [{"description": "2"}]},
            ),
            ({"acceptanceUrl": "a"}, {"acceptanceUrl": "b"}),
            ({"url": f"x/{new(1)}"}, {"url": f"x/{new(2)}"}),
        ],
    )
    def test_what_each_run_gives_anew_doesnt_count(self, first: Any, second: Any) -> None:
        assert digest([first]) == digest([second])

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"id": OLD}, {"id": OLD.replace("1", "2")}),
            ({"a": new(1), "b": new(1)}, {"a": new(1), "b": new(2)}),
            ({"amount": "1042.00"}, {"amount": "1042.01"}),
            ({"date": "2026-03-16"}, {"date": "2026-03-17"}),
            ({"sourceType": "API", "description": "Part 1"}, {"sourceType": "API", "description": "Part 2"}),
            ({"description": "Part 1"}, {"description": "Part 2"}),
            ([1, 2], [2, 1]),
            ({"quantity": D(1)}, {"quantity": D("1.5")}),
            ({"a": None}, {}),
        ],
    )
    def test_everything_else_does(self, first: Any, second: Any) -> None:
        assert digest(first) != digest(second)

    @given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text())))
    def test_the_order_of_names_doesnt_count(self, value: dict[str, Any]) -> None:
        assert digest(value) == digest(dict(reversed(value.items())))

    def test_links_that_are_undone_are_not_shown(self) -> None:
        shown = {"answer": {"acceptanceUrl": "https://x/", "success": True}, "list": ("a", {"acceptanceUrl": "y"})}
        assert rules.without_links(shown) == {
            "answer": {"acceptanceUrl": None, "success": True},
            "list": ["a", {"acceptanceUrl": None}],
        }


def entry(*lines: tuple[str, str, str]) -> dict[str, Any]:
    names = ("side", "amount", "amountInBaseCurrency")
    return {"lines": [dict(zip(names, line, strict=True)) for line in lines]}


class TestLimit:
    @pytest.mark.parametrize(
        ("rate", "expected"),
        [
            ("1", "23"),  # what is booked: 15.40 + 7.60
            ("7.6666", "23"),
            ("7.67", "23.01"),  # 3 x 7.67
            ("7.671", "23.01"),
            ("100", "300"),
        ],
    )
    def test_debits_count_by_the_larger_rate(self, rate: str, expected: str) -> None:
        lines = entry(("DEBIT", "2", "15.40"), ("CREDIT", "3", "23"), ("DEBIT", "1", "7.60"))
        assert rules.booked(lines, D(rate)) == D(expected)
        assert rules.booked(entry(), D(rate)) == 0

    @given(st.decimals("0.000001", "20", places=6), st.decimals("0.01", "90000", places=2))
    def test_no_rate_of_ones_own_makes_it_less(self, own: D, amount: D) -> None:
        booked = str(round(amount * own, 2))
        lines = entry(("DEBIT", str(amount), booked), ("CREDIT", str(amount), booked))
        assert rules.booked(lines, D("7.46")) >= round(amount * D("7.46"), 2)

    @pytest.mark.parametrize(
        ("parts", "expected"),
        [
            ([], "0"),
            ([("0", "XXX")], "0"),
            ([("10.5", "DKK")], "10.5"),
            ([("10", "EUR"), ("1", "DKK")], "75.60"),  # 10 x 7.46 + 1
            ([("0.01", "EUR")], "0.07"),  # 0.0746
            ([("10", "USD")], None),
            ([("10", "DKK"), ("1", "USD")], None),
        ],
    )
    def test_amounts_are_counted_in_kroner(self, parts: list[tuple[str, str]], expected: str | None) -> None:
        pairs = {"EUR": RatePair(D("7.46"), D(1))}
        counted = rules.in_limit_currency([(D(amount), currency) for amount, currency in parts], pairs)
        assert counted == (None if expected is None else D(expected))

    @pytest.mark.parametrize(
        ("used", "amount", "limit", "expected"),
        [
            ("0", "100", "100", False),
            ("0", "100.01", "100", True),
            ("99.99", "0.01", "100", False),
            ("99.99", "0.02", "100", True),
            ("0", "0.01", "0", True),
            ("200", "0", "100", False),  # the limit was lowered: what books nothing is still done
            ("0", None, "100", True),
        ],
    )
    def test_the_limit_is_of_the_sum(self, used: str, amount: str | None, limit: str, *, expected: bool) -> None:
        value = None if amount is None else D(amount)
        assert rules.needs_approval(D(used), value, D(limit)) is expected

    @given(st.lists(st.decimals("0.01", "500", places=2), max_size=8), st.decimals("0", "900", places=2))
    def test_splitting_doesnt_get_more_through(self, parts: list[D], limit: D) -> None:
        used = D(0)
        for part in parts:
            if not rules.needs_approval(used, part, limit):
                used += part
        assert used <= limit


def planned(**fields: Any) -> Planned:
    return Planned(route=CREDIT_ROUTE, path={}, **fields)


class TestWhatComesLater:
    NOTHING: Final[dict[str, Any]] = {"next": None, "nextCreditNotes": []}
    SENT: Final = ("deliver_document", "deliver_e_invoice", "print_documents")
    ENDED: Final = ("subscription.churned",)

    def test_what_is_sent_is_all_booked(self) -> None:
        assert rules.is_all_booked(planned(), [], self.SENT, None)

    @pytest.mark.parametrize("job", ["bill_subscriptions", "refund_charge", "charge_card", "one that comes one day"])
    def test_what_a_job_does_nobody_knows(self, job: str) -> None:
        assert not rules.is_all_booked(planned(), [], (*self.SENT, job), None)

    def test_a_subscription_that_goes_on_is_never_done(self) -> None:
        for events in ((), self.ENDED):
            assert not rules.is_all_booked(planned(bills=True), events, [], self.NOTHING)
        assert not rules.is_all_booked(planned(bills=True, ends=True), [], [], self.NOTHING)

    @pytest.mark.parametrize(
        ("jobs", "upcoming", "expected"),
        [
            (["bill_subscriptions"], NOTHING, True),
            (["bill_subscriptions", "refund_charge"], NOTHING, False),
            ([], None, False),
            ([], NOTHING | {"next": {"amount": "1.00"}}, False),
            ([], NOTHING | {"nextCreditNotes": [{"amount": "-1.00"}]}, False),
        ],
    )
    def test_one_that_ends_is_done_where_its_last_bill_is_empty(
        self, jobs: list[str], upcoming: Any, *, expected: bool
    ) -> None:
        assert rules.is_all_booked(planned(bills=True, ends=True), self.ENDED, jobs, upcoming) is expected


COMMAND = StagedCommand(
    id=StagedCommandId(new_id()),
    connection_id=CONNECTION,
    tool="post_entry",
    arguments="{}",
    call_hash=b"c",
    effects_hash=b"e",
    amount=D(1),
    preview="{}",
    created_at=NOW,
    expires_at=NOW + PREVIEW_LIFE,
)


@pytest.mark.parametrize(
    ("changes", "later", "status"),
    [
        ({}, 0, PreviewStatus.WAITING),
        ({}, 14, PreviewStatus.WAITING),
        ({}, 15, PreviewStatus.EXPIRED),
        ({"approval_asked_at": NOW}, 0, PreviewStatus.NEEDS_APPROVAL),
        ({"approval_asked_at": NOW, "decision": Decision.APPROVED}, 0, PreviewStatus.APPROVED),
        ({"approval_asked_at": NOW, "decision": Decision.APPROVED}, 15, PreviewStatus.EXPIRED),
        ({"approval_asked_at": NOW, "decision": Decision.REJECTED}, 15, PreviewStatus.REJECTED),
        ({"replaced_at": NOW}, 15, PreviewStatus.REPLACED),
        ({"committed_at": NOW, "result": "{}", "replaced_at": NOW}, 15, PreviewStatus.COMMITTED),
    ],
)
def test_where_a_preview_stands(changes: dict[str, Any], later: int, status: PreviewStatus) -> None:
    assert rules.status_of(replace(COMMAND, **changes), NOW + timedelta(minutes=later)) is status
