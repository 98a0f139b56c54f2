"""Numbers of parties in e-invoices: one company is written in three ways."""

import pytest

from ledgerbee.network.identifiers import endpoint_of, printed, scheme_id, vat_number_of
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.parties.endpoints import Identifier, Scheme, in_network, is_possible, parse

PEPPOL, OIOUBL = EInvoiceFormat.PEPPOL, EInvoiceFormat.OIOUBL


@pytest.mark.parametrize(
    ("scheme", "number", "peppol", "oioubl"),
    [
        (Scheme.CVR, "13585628", ("0184", "13585628"), ("DK:CVR", "DK13585628")),
        (Scheme.SE_NUMBER, "13585628", ("0198", "DK13585628"), ("DK:SE", "DK13585628")),
        (Scheme.P_NUMBER, "1003388394", ("0096", "1003388394"), ("DK:P", "1003388394")),
        (Scheme.GLN, "5798009811578", ("0088", "5798009811578"), ("GLN", "5798009811578")),
        ("9930", "DE129273398", ("9930", "DE129273398"), ("DE:VAT", "DE129273398")),
        ("9957", "FR40303265045", ("9957", "FR40303265045"), (None, "FR40303265045")),
    ],
)
def test_a_number_is_written_as_its_scheme_wants(
    scheme: str, number: str, peppol: tuple[str, str], oioubl: tuple[str | None, str]
) -> None:
    identifier = Identifier(scheme, number)
    assert (scheme_id(scheme, PEPPOL), printed(identifier, PEPPOL)) == peppol
    assert (scheme_id(scheme, OIOUBL), printed(identifier, OIOUBL)) == oioubl


@pytest.mark.parametrize(
    ("scheme", "right", "wrong"),
    [
        (Scheme.GLN, "5798009811578", ["5798009811579", "579800981157", "٥798009811578", ""]),
        (Scheme.CVR, "13585628", ["12345678", "1358562", "DK13585628", "1358562x"]),
        (Scheme.SE_NUMBER, "13585628", ["13585629", ""]),
        (Scheme.P_NUMBER, "1003388394", ["100338839", "10033883941", "x003388394"]),
        (Scheme.NO_ORGANISATION, "923609016", ["923609017", "92360901"]),
        (Scheme.SE_ORGANISATION, "5567037485", ["5567037486", "556703748501"]),
        ("9930", "DE129273398", ["129", "DE1"]),
        ("9927", "CHE116281710", [""]),
        ("9999", "", ["1"]),
    ],
)
def test_numbers_that_can_not_be_are_found(scheme: str, right: str, wrong: list[str]) -> None:
    assert is_possible(Identifier(scheme, right)) is (scheme != "9999")
    assert not any(is_possible(Identifier(scheme, number)) for number in wrong)


@pytest.mark.parametrize(
    ("country", "vat_number", "ean", "expected"),
    [
        ("DK", "DK13585628", None, (Scheme.CVR, "13585628")),
        ("DK", "DK13585628", "5798009811578", (Scheme.GLN, "5798009811578")),
        ("DK", "DK12345678", None, None),
        ("DE", "DE129273398", None, ("9930", "DE129273398")),
        ("GR", "EL094259216", None, ("9933", "EL094259216")),
        ("NO", "NO923609016MVA", None, (Scheme.NO_ORGANISATION, "923609016")),
        ("SE", "SE556703748501", None, (Scheme.SE_ORGANISATION, "5567037485")),
        ("US", "12-3456789", None, None),
        ("DE", None, None, None),
    ],
)
def test_a_party_is_reached_at_its_gln_else_by_its_number(
    country: str, vat_number: str | None, ean: str | None, expected: tuple[str, str] | None
) -> None:
    found = endpoint_of(country, vat_number, ean)
    assert (found and (found.scheme, found.number)) == expected


@pytest.mark.parametrize(
    ("country", "number", "expected"),
    [
        ("DK", "13 58 56 28", "DK13585628"),
        ("DK", "DK13585628", "DK13585628"),
        ("GR", "094259216", "EL094259216"),
        ("GR", "EL094259216", "EL094259216"),
        ("FR", "QX303265045", "FRQX303265045"),
        ("NO", "NO923609016MVA", "NO923609016MVA"),
        ("US", "12-3456789", None),
        ("DK", None, None),
    ],
)
def test_a_vat_number_has_its_countrys_prefix(country: str, number: str | None, expected: str | None) -> None:
    assert vat_number_of(country, number) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0184:13585628", "0184:13585628"),
        ("0184:DK13585628", "0184:13585628"),
        ("0198:13585628", "0198:DK13585628"),
        (" 0198 : dk 13 58 56 28 ", "0198:DK13585628"),
        ("0096:1003388394", "0096:1003388394"),
        ("0088:5798009811578", "0088:5798009811578"),
        ("9930:de129273398", "9930:DE129273398"),
        ("0184:12345678", None),
        ("0096:123", None),
        ("13585628", None),
        ("9999:1", None),
        (":", None),
    ],
)
def test_an_address_is_a_scheme_and_a_number(text: str, expected: str | None) -> None:
    found = parse(text)
    assert (found and f"{found.scheme}:{in_network(found)}") == expected
