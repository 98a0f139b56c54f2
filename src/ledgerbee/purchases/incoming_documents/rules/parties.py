"""Who sent a document and whom it is for. Pure; nothing is looked up outside the company."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ledgerbee.parties.endpoints import VAT_SCHEMES, Scheme
from ledgerbee.purchases.incoming_documents.model import Problem, ProblemCode, TradingParty

#: What a Norwegian VAT number ends with, after the number of the organisation.
_NORWEGIAN_END: Final = "MVA"
_PREFIX: Final = 2
_SWEDISH: Final = "SE"
#: Characters of the number of a Swedish organisation with its prefix; two more make a VAT number of it.
_SWEDISH_ORGANISATION: Final = 12
#: Schemes of addresses that are numbers of companies, by the country of their register.
_COUNTRIES: Final[Mapping[str, str]] = {
    Scheme.CVR: "DK",
    Scheme.SE_NUMBER: "DK",
    Scheme.NO_ORGANISATION: "NO",
    Scheme.SE_ORGANISATION: _SWEDISH,
    **{scheme: country for country, scheme in VAT_SCHEMES.items()},
}


@dataclass(frozen=True, slots=True)
class Known:
    """A vendor, or the company itself, by its VAT number."""

    id: UUID
    vat_number: str | None
    country_code: str


@dataclass(frozen=True, slots=True)
class Found:
    """The vendor that a sender is, None where there is none or more than one."""

    vendor_id: UUID | None
    problems: tuple[Problem, ...] = ()


def canonical_number(number: str, country: str) -> str:
    """A number in a register as every other writing of it: capitals and digits alone, its country before it.

    `13 58 56 28`, `DK13585628` and `dk-13585628` are one number, and so are `NO990399123MVA` and `990399123`.
    """
    compact = "".join(char for char in number.upper() if char.isascii() and char.isalnum())
    prefix = "EL" if country == "GR" else country
    if not compact[:_PREFIX].isalpha():
        compact = prefix + compact
    return compact.removesuffix(_NORWEGIAN_END) if compact.startswith("NO") else compact


def number_of_endpoint(party: TradingParty) -> str | None:
    """The company's number that a party's address is, in its canonical form.

    None where it has no address, or one that is no such number: a GLN says nothing of whose it is.
    """
    scheme, _, number = (party.endpoint or "").partition(":")
    country = _COUNTRIES.get(scheme)
    return canonical_number(number, country) if country is not None and number else None


def is_number_of(company: Known, number: str) -> bool:
    """Whether a canonical number is the company's own: its VAT number, or the one in its country's register."""
    if not company.vat_number:
        return False
    own = canonical_number(company.vat_number, company.country_code)
    return number == own or (own.startswith(_SWEDISH) and number == own[:_SWEDISH_ORGANISATION])


def sender_id(sender: TradingParty) -> str:
    """What a sender's documents are known by: its first number, else its endpoint, else its name."""
    if sender.numbers:
        return sender.numbers[0]
    return sender.endpoint or f"{sender.country_code} {sender.name.casefold()}"


def find_vendor(sender: TradingParty, vendors: Iterable[Known], chosen_before: UUID | None) -> Found:
    """The vendor with one of the sender's numbers, else the one that was chosen for the sender's last document.

    Names and addresses decide nothing: two companies may share them.
    """
    wanted = set(sender.numbers)
    found = [
        one.id for one in vendors if one.vat_number and canonical_number(one.vat_number, one.country_code) in wanted
    ]
    if len(found) == 1:
        return Found(found[0])
    if chosen_before is not None:
        return Found(chosen_before)
    if found:
        text = f"{len(found)} vendors have the sender's number {', '.join(sender.numbers)}"
        return Found(None, (Problem(ProblemCode.VENDOR_AMBIGUOUS, text),))
    text = f"No vendor has a number of the sender, {sender.name}"
    return Found(None, (Problem(ProblemCode.VENDOR_UNKNOWN, text),))


def check_parties(sender: TradingParty, receiver: TradingParty, company: Known, name: str) -> Iterator[Problem]:
    """Whether the document is for the company, by the numbers that it states: an EAN says nothing of whose it is.

    One that is addressed to another company's number is for that one, whatever else it says of its receiver.
    """
    own = canonical_number(company.vat_number, company.country_code) if company.vat_number else None
    addressed = number_of_endpoint(receiver)
    if own and addressed and not is_number_of(company, addressed):
        text = f"It is addressed to {receiver.name} at {receiver.endpoint}; the company is {own}"
        yield Problem(ProblemCode.RECEIVER_DIFFERS, text)
    elif own and (addressed or own in receiver.numbers):
        pass
    elif own and receiver.numbers:
        text = f"The receiver is {receiver.name}, {', '.join(receiver.numbers)}; the company is {own}"
        yield Problem(ProblemCode.RECEIVER_DIFFERS, text)
    elif receiver.name.casefold() != name.casefold():
        text = f"The receiver is {receiver.name}, with no number to compare; the company is {name}"
        yield Problem(ProblemCode.RECEIVER_UNCERTAIN, text)
    if own and own in sender.numbers:
        yield Problem(ProblemCode.SENDER_IS_COMPANY, f"The sender, {sender.name}, is the company itself")
