"""Settings of further cells."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class _GivenTwiceError(Exception):
    """An object of JSON has a name twice."""


def _names_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object of JSON with these names and values. Raises `_GivenTwiceError`: readers differ in which one counts."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise _GivenTwiceError
    return dict(pairs)


class CellSettings(BaseModel):
    """Another cell that the API serves: its database, and the folder of its files where there is no bucket."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    database_url: str
    attachments_dir: Path | None = None


def cells_of_json(text: str) -> object:
    """The cells that a text of JSON names, each mark and field once. Raises `ValueError`."""
    try:
        return json.loads(text, object_pairs_hook=_names_once)
    except _GivenTwiceError:
        raise ValueError("must name each mark, and each field of a cell, once") from None
    except ValueError:
        raise ValueError('must be JSON, such as {"01": {"database_url": "postgresql://…"}}') from None
