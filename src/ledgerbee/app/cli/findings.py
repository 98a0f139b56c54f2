"""What `ledgerbee doctor` finds."""

from dataclasses import dataclass

OK, WARN, FAIL = "OK", "WARN", "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found: `level` is OK, WARN or FAIL, `remedy` says what to do, empty when all is well."""

    check: str
    level: str
    text: str
    remedy: str = ""
