"""Units as machines know them: codes of UN/ECE Recommendation 20 for what products' units are called."""

from typing import Final

#: One: a piece, and whatever has no code of its own.
ONE_UNIT: Final = "C62"

#: By what is written, in small letters and without a full stop. Each code is in the lists of EN 16931 and of OIOUBL.
_CODES: Final = {
    word: code
    for code, words in {
        "HUR": "h hr hrs hour hours t time timer",
        "MIN": "min minut minutter minute minutes",
        "DAY": "d dag dage day days",
        "WEE": "uge uger week weeks",
        "MON": "md mdr måned måneder month months",
        "ANN": "år year years",
        "GRM": "g gram",
        "KGM": "kg kilo",
        "TNE": "ton tons tonne tonnes",
        "MLT": "ml",
        "CLT": "cl",
        "DLT": "dl",
        "LTR": "l liter litre litres ltr",
        "MMT": "mm",
        "CMT": "cm",
        "MTR": "m meter metre metres",
        "MTK": "m2 m² kvm",
        "MTQ": "m3 m³ kbm",
        "KWH": "kwh",
        "MWH": "mwh",
        "PR": "par pair pairs",
        "SET": "sæt set sets",
        "DZN": "dusin dozen",
    }.items()
    for word in (code.lower(), *words.split())
}


def unit_code(unit: str | None) -> str:
    """The code of a unit by what it is called in Danish or English, or by the code itself; of any other that of one
    piece."""
    return _CODES.get((unit or "").strip().rstrip(".").lower(), ONE_UNIT)
