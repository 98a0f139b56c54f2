"""JSON has one kind of number: where a request takes a whole one, however it is written."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError, create_model

from ledgerbee.app.routes import ROUTERS  # noqa: F401  all request models are known then
from ledgerbee.http.json_body import decode_json
from ledgerbee.http.wire import RequestModel
from ledgerbee.ledger.imports import row_wire
from ledgerbee.ledger.imports.rules import Directory, References


class Field(NamedTuple):
    """A field of a request, by itself."""

    model: type[BaseModel]
    name: str
    alias: str

    def read(self, text: str) -> Any:
        """What the field makes of a JSON value."""
        return getattr(self.model.model_validate({self.alias: decode_json(text.encode())}), self.name)


def models(of: type[RequestModel] = RequestModel) -> Iterator[type[RequestModel]]:
    for model in of.__subclasses__():
        yield model
        yield from models(model)


def whole_fields() -> Iterator[tuple[str, Field]]:
    for model in models():
        if not model.__module__.startswith("ledgerbee."):
            continue
        for name, field in model.model_fields.items():
            alone: type[BaseModel] = create_model("Alone", **{name: (field.annotation, field)})  # type: ignore[call-overload]
            schema = alone.model_json_schema()["properties"]
            if '"integer"' in json.dumps(schema):
                yield f"{model.__name__}.{name}", Field(alone, name, *schema)


FIELDS = dict(whole_fields())


def test_the_fields_are_found() -> None:
    assert {name.partition(".")[2] for name in FIELDS} >= {
        *(
            "account_number",
            "public_account_id",
            "sum_from",
            "payment_terms_days",
            "sort_order",
            "billing_interval_count",
        )
    }


def greatest(name: str) -> int:
    """The greatest number that a field takes, as far as it is below a thousand."""
    (schema,) = FIELDS[name].model.model_json_schema()["properties"].values()
    return min([1_000, *map(int, re.findall(r'"maximum": (\d+)', json.dumps(schema)))])


@pytest.mark.parametrize("name", FIELDS)
@given(data=st.data(), zeros=st.integers(1, 20))
def test_a_whole_number_is_taken_as_it_may_be_written(name: str, data: st.DataObject, zeros: int) -> None:
    number = data.draw(st.integers(1, greatest(name)))
    for text in (f"{number}", f"{number}.{'0' * zeros}", f"{number / 100:.2f}e2", f"{number}{'0' * zeros}E-{zeros}"):
        found = FIELDS[name].read(text)
        assert (type(found), found) == (int, number), text


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    "text", ["25.5", "25.00000000000000000000000001", '"25"', '"25.0"', "true", "1e-900", "1e90", "1e999999", "[25]"]
)
def test_nothing_else_is(name: str, text: str) -> None:
    with pytest.raises(ValidationError):
        FIELDS[name].read(text)


@pytest.mark.parametrize("number", ["1010.0", "1.01e3"])
def test_a_row_of_a_file_finds_its_account(number: str) -> None:
    account, wanted = UUID("0197a5a0-0000-7000-8000-000000000001"), References()
    text = (
        f'{{"entryType":"JOURNAL_ENTRY","date":"2026-03-16","originalAmount":1.0,"lines":['
        f'{{"accountNumber":{number},"side":"DEBIT","amount":1.0}},'
        f'{{"accountNumber":1010,"side":"CREDIT","amount":1e0}}]}}'
    ).encode()
    assert row_wire.decode_row(text) is None, "a number that isn't written plainly is left to the models"
    row = decode_json(text)
    row_wire.collect(row, wanted)
    assert wanted.account_numbers == {1010}
    entry = row_wire.entered(row, Directory(account_numbers={1010: account}))
    assert [line.account_id for line in entry.lines] == [account, account]
