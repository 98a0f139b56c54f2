"""Who takes part in the year: the company, its customers and vendors, what it sells, accounts that it adds."""

from typing import Any, Final

SELLER: Final = {
    "name": "Fjordmåling ApS", "vatNumber": "13585628", "address": "Sydhavnsgade 12", "postalCode": "8000",
    "city": "Aarhus C", "email": "bogholderi@fjordmaaling.example",
}  # fmt: skip


def _company(name: str, country: str, zone: str, city: str, vat_number: str | None = None) -> dict[str, Any]:
    body = {
        "customerType": "company", "name": name, "countryCode": country, "vatZone": zone, "address": "Havnegade 1",
        "postalCode": "1058", "city": city,
    }  # fmt: skip
    return body | ({"vatNumber": vat_number} if vat_number else {})


#: Number of the customer group, and the customer.
CUSTOMERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "havblik": ("1", _company("Havblik Marine A/S", "DK", "domestic", "København K", "25313763")),
    "nordmek": ("1", _company("Nordisk Mekanik ApS", "DK", "domestic", "Esbjerg", "13585628")),
    "aarhus": ("4", {**_company("Aarhus Lystbådehavn", "DK", "domestic", "Aarhus C"), "customerType": "public"}),
    "privat": ("1", {**_company("Kirsten Dam", "DK", "domestic", "Odense C"), "customerType": "private"}),
    "tabletdk": ("1", _company("Tablet Engros A/S", "DK", "domestic_without_vat", "Vejle", "25313763")),
    "kiel": ("2", _company("Stahlbau Kiel GmbH", "DE", "eu", "Kiel", "DE136695976")),
    "vaxjo": ("2", _company("Växjö Industri AB", "SE", "eu", "Växjö", "SE556677889901")),
    "bergen": ("3", _company("Fjordtek AS", "NO", "abroad", "Bergen")),
    "denver": ("3", _company("Denver Sensors Inc.", "US", "abroad", "Denver")),
}

#: Number of the vendor group, name, country and currency.
VENDORS: Final = {
    "kontorhus": ("1", "Kontorhuset Sydhavnen A/S", "DK", "DKK"),
    "energi": ("1", "Østjysk Energi A/S", "DK", "DKK"),
    "tele": ("1", "Teleselskabet A/S", "DK", "DKK"),
    "papir": ("1", "Papir & Kontor ApS", "DK", "DKK"),
    "fragt": ("1", "Vognmand Fragt ApS", "DK", "DKK"),
    "leasing": ("1", "Bil Leasing A/S", "DK", "DKK"),
    "biludlejning": ("1", "Varevogne til leje ApS", "DK", "DKK"),
    "revisor": ("1", "Revision Aarhus I/S", "DK", "DKK"),
    "forsikring": ("1", "Forsikringsselskabet A/S", "DK", "DKK"),
    "kro": ("1", "Kroen ved Fjorden ApS", "DK", "DKK"),
    "hotel": ("1", "Hotel Atlantic ApS", "DK", "DKK"),
    "messe": ("1", "Messecentret A/S", "DK", "EUR"),
    "elektro": ("1", "Elektro Engros A/S", "DK", "DKK"),
    "it": ("1", "IT-Engros A/S", "DK", "DKK"),
    "brugt": ("1", "Jens Brandt (privat)", "DK", "DKK"),
    "spedition": ("1", "Toldspedition ApS", "DK", "DKK"),
    "svenska": ("2", "Svenska Precision AB", "SE", "EUR"),
    "maschinen": ("2", "Messmaschinen Hamburg GmbH", "DE", "EUR"),
    "annoncer": ("2", "Search Ads Ireland Ltd", "IE", "DKK"),
    "autovermietung": ("2", "Autovermietung Flensburg GmbH", "DE", "EUR"),
    "skyen": ("3", "Cloud Services Inc.", "US", "USD"),
    "shenzhen": ("3", "Shenzhen Sensor Co.", "CN", "USD"),
}

#: What is sold: its kind, and its price in kroner.
CATALOGUE: Final = {
    "SENSOR": ("goods", "7495.00"),
    "TABLET": ("goods", "3899.00"),
    "CALIBRATION": ("services", "875.50"),
    "VISIT": ("services", "1492.00"),
    "COURSE": ("course", "9450.00"),
}

#: Codes whose deduction follows the turnover: 93 % of the tax, of a quarter of it with K080.
PRO_RATA_CODES: Final = {"K110": "93/100", "K290": "93/100", "K490": "93/100", "K670": "93/100", "K080": "93/400"}

#: Accounts that a new chart lacks: of the standard by their numbers alone, and one of our own.
EXTRA_ACCOUNTS: Final[list[dict[str, Any]]] = [
    {"accountNumber": 1870},
    {"accountNumber": 2350},
    {"accountNumber": 2530},
    {
        "accountNumber": 2451,
        "publicAccountId": 2450,
        "name": "Regulering af delvis momsfradrag",
        "ledgerType": "PROFIT_AND_LOSS",
        "accountClassification": "EXPENSE",
    },
]
