"""What a company's settings may be."""

import struct
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.tenancy.company import rules
from ledgerbee.tenancy.company.logo import MAX_LOGO_BYTES, UnreadableLogo, read_logo
from ledgerbee.tenancy.company.model import Company

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COMPANY = Company(
    company_id=new_id(),
    name="Nordlys ApS",
    country_code="DK",
    preferred_language="da",
    base_currency="DKK",
    time_zone="Europe/Copenhagen",
    created_at=NOW,
    updated_at=NOW,
)


@given(st.integers(10_000_000, 99_999_999))
def test_a_cvr_number_is_divisible_by_eleven_when_weighted(number: int) -> None:
    valid = (
        sum(int(digit) * weight for digit, weight in zip(str(number), (2, 7, 6, 5, 4, 3, 2, 1), strict=True)) % 11 == 0
    )
    written = f"dk {str(number)[:4]} {str(number)[4:]}"
    if valid:
        assert rules.normal_vat_number("DK", written) == str(number)
        assert replace(COMPANY, vat_number=str(number)).cvr_number == number
    else:
        with pytest.raises(LedgerBeeError):
            rules.normal_vat_number("DK", written)


def test_other_countries_numbers_are_no_cvr_numbers() -> None:
    assert rules.normal_vat_number("SE", "se 5567 0374 8501") == "SE556703748501"
    assert replace(COMPANY, country_code="SE", vat_number="13585628").cvr_number is None
    assert COMPANY.cvr_number is None


@pytest.mark.parametrize(("registration", "account"), [("0040", "1"), ("9999", "0123456789"), (None, None)])
def test_danish_bank_accounts(registration: str | None, account: str | None) -> None:
    rules.normal(replace(COMPANY, bank_registration_number=registration, bank_account_number=account))


@pytest.mark.parametrize(
    ("registration", "account"),
    [("040", "1"), ("00400", "1"), ("004O", "1"), ("٠٠٤٠", "1"), ("0040", "1-2"), ("0040", "")],
)
def test_no_danish_bank_accounts(registration: str, account: str) -> None:
    company = replace(COMPANY, bank_registration_number=registration, bank_account_number=account)
    with pytest.raises(LedgerBeeError):
        rules.normal(company)
    rules.normal(replace(company, country_code="SE"))


@pytest.mark.parametrize("number", ["", "1234567", "123456789", "1234567x", "١٢٣٤٥٦٧٨", " 1234567"])
def test_a_creditor_of_payment_slips_has_eight_digits(number: str) -> None:
    rules.normal(replace(COMPANY, fik_creditor_number="12345674"))
    with pytest.raises(LedgerBeeError):
        rules.normal(replace(COMPANY, fik_creditor_number=number))


def test_iban_and_bic() -> None:
    assert rules.normal_iban("dk50 0040 0440 1162 43") == "DK5000400440116243"
    assert rules.normal_bic("dabadkkk xxx") == "DABADKKKXXX"
    for wrong in ("DK5000400440116244", "DK50", "", "XX00"):
        with pytest.raises(LedgerBeeError):
            rules.normal_iban(wrong)
    for wrong in ("DABADKK", "DABADKKKXX", "1ABADKKK", ""):
        with pytest.raises(LedgerBeeError):
            rules.normal_bic(wrong)


@pytest.mark.parametrize("zone", ["Europe/Copenhagen", "UTC", "America/Argentina/Ushuaia"])
def test_time_zones(zone: str) -> None:
    rules.check_time_zone(zone)


@pytest.mark.parametrize("zone", ["", "Europe", "europe/copenhagen", "../etc/passwd", "localtime", "Factory", "+01:00"])
def test_no_time_zones(zone: str) -> None:
    with pytest.raises(LedgerBeeError):
        rules.check_time_zone(zone)


def jpeg(width: int, height: int) -> bytes:
    comment = b"\xff\xfe" + struct.pack(">H", 4) + b"hi"
    return b"\xff\xd8" + comment + b"\xff\xc0" + struct.pack(">HBHH", 11, 8, height, width) + b"\0" * 4


def test_pixels_are_counted_before_anything_is_decoded() -> None:
    assert read_logo(jpeg(2000, 4000)).form == "jpg"
    for width, height in ((2001, 4000), (65_535, 65_535), (0, 10)):
        with pytest.raises(UnreadableLogo, match="pixels"):
            read_logo(jpeg(width, height))


@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<svg "]), st.binary(max_size=100))
def test_any_file_is_recognised_or_refused(start: bytes, rest: bytes) -> None:
    with suppress(UnreadableLogo):
        assert read_logo(start + rest).content == start + rest


def test_a_file_that_is_too_large() -> None:
    with pytest.raises(UnreadableLogo, match="larger"):
        read_logo(b"\x89PNG\r\n\x1a\n" + bytes(MAX_LOGO_BYTES))
