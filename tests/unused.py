"""Whether there is anything in the program that only tests call: `python -m tests.unused`, a step of `make check`.

vulture at its lowest confidence, over all but the tests. Fields of classes and members of enums are left out: they are
what is read, stored and answered, and no code needs to name each of them.
"""

import sys
from pathlib import Path
from typing import Final

from vulture.core import Item, Vulture

ROOT: Final = Path(__file__).parents[1]
USERS: Final = ("src", "bench", "docs")
#: Routes, commands and validators: a framework calls them.
DECORATORS: Final = [
    *(f"@*.{method}" for method in ("get", "post", "put", "patch", "delete", "api_route", "command", "callback")),
    "@field_validator",
    "@model_validator",
]
#: What libraries call by its name (aiosmtpd, asyncio, io, asyncpg, FastAPI, Stripe's SDK); what Alembic and wire models
#: read.
NAMES: Final = [
    "handle_DATA", "data_received", "writable", "_get_unique_id", "get_route_handler", "down_revision",
    "opening_balance", "request_async",
]  # fmt: skip


def is_field(item: Item) -> bool:
    """Whether it is a variable of a class or function, or an attribute of an object."""
    line = Path(item.filename).read_text(encoding="utf-8").splitlines()[item.first_lineno - 1]
    return item.typ in {"variable", "attribute"} and line.startswith(" ")


def unused() -> list[str]:
    """Functions, classes, methods and constants of the program that nothing but tests names."""
    finder = Vulture(ignore_decorators=DECORATORS, ignore_names=NAMES)
    finder.scavenge([str(ROOT / folder) for folder in USERS])
    found = [item for item in finder.get_unused_code(min_confidence=60) if not is_field(item)]
    ours = [item for item in found if Path(item.filename).is_relative_to(ROOT / "src")]
    return [f"{item.filename}:{item.first_lineno}: unused {item.typ} {item.name}" for item in ours]


if __name__ == "__main__":
    sys.exit("\n".join(unused()) or None)
