"""The pure rules of customers, vendors, contacts and departments."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.countries import country_codes, is_country
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.http.fields import normalised_email
from ledgerbee.parties.customers import rules
from ledgerbee.parties.customers.model import BillingRelationship, Customer, CustomerType, VatZone
from ledgerbee.parties.defaults import default_flag, default_flags, default_holder
from ledgerbee.parties.groups.model import CustomerGroupId
from ledgerbee.parties.identifiers import (
    is_eu_vat_number,
    is_gln,
    is_web_address,
    without_spaces,
)
from ledgerbee.parties.order import natural_key
from ledgerbee.parties.party.model import CustomerId

REFUSED = ErrorCode("REFUSED", 400, "refused")
SEVERAL = ErrorCode("SEVERAL", 400, "several")
MOMENT = datetime(2026, 3, 16, tzinfo=UTC)
CUSTOMER = Customer(
    id=CustomerId(UUID(int=1)),
    number="1",
    customer_type=CustomerType.COMPANY,
    name="Nordlys",
    vat_zone=VatZone.DOMESTIC,
    customer_group_id=CustomerGroupId(UUID(int=2)),
    country_code="DK",
    currency="DKK",
    created_at=MOMENT,
    updated_at=MOMENT,
)


@dataclass(frozen=True)
class Candidate:
    """One of those of which one is the default."""

    id: UUID
    is_default: bool
    is_active: bool = True


def test_natural_order() -> None:
    numbers = ["K10", "10", "k9", "2", "002", "K", "1-10", "1-9", "Ø1", "A10B2", "A10B11"]
    assert sorted(numbers, key=natural_key) == [
        "1-9", "1-10", "002", "2", "10", "A10B2", "A10B11", "K", "k9", "K10", "Ø1",
    ]  # fmt: skip


@given(st.lists(st.integers(0, 10**30)))
def test_plain_numbers_sort_by_value(values: list[int]) -> None:
    assert sorted(map(str, values), key=natural_key) == [str(value) for value in sorted(values)]


@given(st.lists(st.text("aAbØ日0129-.", max_size=8), unique=True))
def test_natural_order_is_total(numbers: list[str]) -> None:
    backwards = numbers[::-1]
    assert sorted(numbers, key=natural_key) == sorted(backwards, key=natural_key)


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("DK13585628", "DK"),
        ("DK12345678", "DK"),  # fails modulus 11; official examples use it
        ("12345678", "DK"),
        ("DE123456789", "DE"),
        ("BE0000000196", "BE"),
        ("EL123456789", "GR"),
        ("XI123456789", "GB"),
        ("NL820098395B01", "US"),
        ("ATU12345678", "AT"),
    ],
)
def test_vat_numbers_of_member_states(number: str, country: str) -> None:
    assert is_eu_vat_number(number, country)


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("DK1234567", "DK"),
        ("DKABCDEFGH", "DK"),
        ("SE4598375937", "SE"),  # Swedish VAT numbers have twelve digits and end in 01
        ("NO923609016MVA", "NO"),
        ("CHE123456789", "CH"),
        ("123456789", "US"),
        ("DK", "DK"),
        ("", "DK"),
        ("'; DROP TABLE", "DK"),
        ("DE１２３４５６７８９", "DE"),
    ],
)
def test_no_vat_number_of_a_member_state(number: str, country: str) -> None:
    assert not is_eu_vat_number(number, country)


#: Texts that look like VAT numbers more or less: prefixes and digits of any length, or any mixture of what they have.
numbers = st.one_of(
    st.from_regex(r"(DK|DE|EL|ATU|NO|US)?[0-9]{6,10}", fullmatch=True), st.text("ADEKLXY0123456789-. ;'é", max_size=20)
)


@given(numbers, st.sampled_from(sorted(country_codes())))
def test_a_number_names_its_state_or_is_read_as_one_of_the_country(number: str, country: str) -> None:
    names_a_state = is_eu_vat_number(number, "US")  # a country that isn't in the EU
    if number[:2] in {"DK", "DE", "EL", "AT", "XI"}:
        assert is_eu_vat_number(number, country) == names_a_state
    else:
        assert not names_a_state
        assert is_eu_vat_number(number, country) == is_eu_vat_number(f"{country}{number}", "US")


@given(st.from_regex(r"[1-9][0-9]{5,9}", fullmatch=True))
def test_a_danish_number_has_eight_digits(digits: str) -> None:
    for number in (digits, f"DK{digits}"):
        assert is_eu_vat_number(number, "DK") == (len(digits) == 8)


def test_a_number_without_digits_is_none() -> None:
    assert not any(is_eu_vat_number(text, country) for text in ("", "DK", "ABCDEFGH") for country in country_codes())


def test_spaces_are_taken_out() -> None:
    assert without_spaces(" dk 13\u00a058 56\t28 ") == "DK13585628"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("5798009811578", True),
        ("5798009811579", False),
        ("579800981157", False),
        ("036000291452", False),  # a UPC is an EAN of 12 digits, no GLN
        ("٥٧٩٨٠٠٩٨١١٥٧٨", False),
        ("", False),
    ],
)
def test_gln(number: str, expected: bool) -> None:
    assert is_gln(number) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("Faktura@Example.COM", "Faktura@example.com"),
        ("info@bøg.dk", "info@bøg.dk"),
        ("nobody", None),
        ("a@b", None),
        ("a b@example.com", None),
        ("a@example.com\r\nBcc: x@example.com", None),
        ("Astrid <a@example.com>", None),
        ("<script>@example.com", None),
    ],
)
def test_email(address: str, expected: str | None) -> None:
    assert normalised_email(address) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com", True),
        ("HTTP://example.com:8080/a?b#c", True),
        ("example.com/om os", False),
        ("example.com", True),
        ("javascript:alert(1)", False),
        ("ftp://example.com", False),
        ("https://user:secret@example.com", False),
        ("example", False),
        ("//example.com", False),
    ],
)
def test_web_address(text: str, expected: bool) -> None:
    assert is_web_address(text) is expected


def test_countries() -> None:
    assert len(country_codes()) == 250
    assert is_country("DK")
    assert is_country("XK")
    for code in ("EU", "ZZ", "UN", "dk", "D", "001", ""):
        assert not is_country(code)


class TestSettledTogether:
    def test_a_single_one_is_the_default(self) -> None:
        assert default_flags([False], none=REFUSED, several=SEVERAL) == [True]

    def test_none_at_all(self) -> None:
        assert default_flags([], none=REFUSED, several=SEVERAL) == []

    @given(st.lists(st.booleans(), min_size=2, max_size=6))
    def test_exactly_one_of_several(self, flags: list[bool]) -> None:
        if sum(flags) == 1:
            assert default_flags(flags, none=REFUSED, several=SEVERAL) == flags
        else:
            with pytest.raises(LedgerBeeError) as refused:
                default_flags(flags, none=REFUSED, several=SEVERAL)
            assert refused.value.error_code == (SEVERAL if any(flags) else REFUSED)


Steps = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([True, False, None]), st.sampled_from([True, False, None])),
    max_size=30,
)


class TestOneDefault:
    @given(Steps)
    def test_whatever_happens_exactly_one_is_the_default(
        self, steps: list[tuple[int, bool | None, bool | None]]
    ) -> None:
        """A row of additions and changes; refused ones change nothing."""
        present: dict[int, Candidate] = {}
        for number, asked, active in steps:
            known = present.get(number, Candidate(UUID(int=number), is_default=False))
            changed = known if active is None else replace(known, is_active=active)
            others = [other for key, other in present.items() if key != number]
            try:
                holder = default_holder(others, changed, asked=asked, refusal=REFUSED)
            except LedgerBeeError:
                continue
            present[number] = changed
            present = {key: replace(one, is_default=one.id == holder) for key, one in present.items()}
            defaults = [one for one in present.values() if one.is_default]
            assert len(defaults) == 1
            assert defaults[0].is_active or not any(one.is_active for one in present.values())
            if asked:
                assert defaults[0].id == UUID(int=number)

    def test_the_mark_moves(self) -> None:
        old, new = Candidate(UUID(int=1), is_default=True), Candidate(UUID(int=2), is_default=False)
        assert default_holder([old], new, asked=True, refusal=REFUSED) == new.id
        assert default_holder([old], new, asked=None, refusal=REFUSED) == old.id
        assert default_holder([old], new, asked=False, refusal=REFUSED) == old.id

    def test_who_loses_the_flag(self) -> None:
        old, new = Candidate(UUID(int=1), is_default=True), Candidate(UUID(int=2), is_default=False)
        assert default_flag([old], new, asked=True, refusal=REFUSED) == (True, old)
        assert default_flag([old], new, asked=None, refusal=REFUSED) == (False, None)
        assert default_flag([new], old, asked=True, refusal=REFUSED) == (True, None)
        assert default_flag([], new, asked=None, refusal=REFUSED) == (True, None)

    def test_the_default_can_not_give_up(self) -> None:
        default = Candidate(UUID(int=1), is_default=True)
        with pytest.raises(LedgerBeeError):
            default_holder([], default, asked=False, refusal=REFUSED)

    def test_an_inactive_default_yields_to_the_first_active_one(self) -> None:
        retired = Candidate(UUID(int=1), is_default=True, is_active=False)
        fresh = Candidate(UUID(int=2), is_default=False)
        assert default_holder([retired], fresh, asked=None, refusal=REFUSED) == fresh.id

    def test_the_default_retires_only_when_it_is_the_last_active_one(self) -> None:
        retiring = Candidate(UUID(int=1), is_default=True, is_active=False)
        active, idle = Candidate(UUID(int=2), is_default=False), Candidate(UUID(int=3), False, is_active=False)
        assert default_holder([idle], retiring, asked=None, refusal=REFUSED) == retiring.id
        with pytest.raises(LedgerBeeError):
            default_holder([idle, active], retiring, asked=None, refusal=REFUSED)

    def test_an_inactive_one_is_never_made_the_default(self) -> None:
        with pytest.raises(LedgerBeeError):
            default_holder([], Candidate(UUID(int=1), False, is_active=False), asked=True, refusal=REFUSED)


class TestCustomer:
    def test_a_vat_number_matters_in_the_eu_zone_only(self) -> None:
        odd = replace(CUSTOMER, vat_number="NO923609016MVA", country_code="NO")
        for zone in (VatZone.DOMESTIC, VatZone.ABROAD, VatZone.DOMESTIC_WITHOUT_VAT):
            rules.check(replace(odd, vat_zone=zone))
        with pytest.raises(LedgerBeeError) as refused:
            rules.check(replace(odd, vat_zone=VatZone.EU))
        assert refused.value.details["validationErrors"][0]["property"] == "vatNumber"
        rules.check(replace(odd, vat_zone=VatZone.EU, vat_number=None))

    def test_a_paying_parent_is_named(self) -> None:
        paid_for = replace(CUSTOMER, billing_relationship=BillingRelationship.PARENT_PAYS)
        with pytest.raises(LedgerBeeError):
            rules.check(paid_for)
        rules.check(replace(paid_for, parent_customer_id=CustomerId(UUID(int=9))))

    def test_nobody_is_its_own_parent(self) -> None:
        with pytest.raises(LedgerBeeError) as refused:
            rules.check(replace(CUSTOMER, parent_customer_id=CUSTOMER.id), CUSTOMER.id)
        assert refused.value.code == "CUSTOMER_PARENT_INVALID"
