"""Rules over several fields of a body that has invalid fields: their findings are reported with those of the fields.

An invalid body can't be given to the actions, whose rules would find more. Its valid fields are given to the `checks`
of its model instead: a rule that reads an invalid field is skipped, every other one is applied.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Annotated, Any, Final, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from ledgerbee.core.errors import MAX_FINDINGS, VALIDATION_FAILED, LedgerBeeError, property_path
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.hints import model_in, with_hints
from ledgerbee.http.wire import RequestModel

T = TypeVar("T")

#: Faults below a place by its next part; under `_HERE` stands that the place itself is wrong.
_Faults = dict[Any, Any]
_HERE: Final = object()
#: Rules that are looked at between two turns of others.
_STRIDE: Final = 100


class UnreadableError(Exception):
    """A rule reads what a body doesn't say, or says wrongly."""


class Part:
    """An object of which only some fields can be read; reading another one raises `UnreadableError`."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        raise UnreadableError(name)


class View:
    """A body as the rules look at what it is a request for: each field is read when a rule reads it."""

    def __init__(self, **fields: Callable[[], Any]) -> None:
        self.__dict__["_fields"] = fields

    def __getattr__(self, name: str) -> Any:
        if name not in self._fields:
            raise UnreadableError(name)
        return self._fields[name]()


def given(value: T | None) -> T:
    """A value that a rule needs; where it is left out, the rule is passed over as one that reads what is wrong."""
    if value is None:
        raise UnreadableError
    return value


def all_findings(
    model: type[RequestModel], body: Any, errors: Sequence[Mapping[str, Any]], facts: Facts | None
) -> list[dict[str, Any]]:
    """All findings in a body: Pydantic's, with hints, and those of the rules that could be looked at.

    Without `facts` rules that ask for them are passed over.
    """
    return [*with_hints(model, errors), *(one for one in findings(model, body, errors, facts) if one is not None)]


def findings(
    model: type[RequestModel], body: Any, errors: Sequence[Mapping[str, Any]], facts: Facts | None
) -> Iterator[dict[str, Any] | None]:
    """What the rules find, as findings for `validation_error`; None now and then, where others may have their turn."""
    if not has_checks(model):
        return
    faults: _Faults = {}
    for error in errors:
        place = faults
        for step in error["loc"]:
            place = place.setdefault(step, {})
        place[_HERE] = True
    found = 0
    for one in _walk(model, body, faults, "", cast("Facts", facts if facts is not None else Part({}))):
        found += one is not None
        yield one
        if found > MAX_FINDINGS:
            return


@lru_cache(maxsize=256)
def has_checks(model: type[BaseModel]) -> bool:
    """Whether a body of the model, or one in it, has rules of its own."""
    if not issubclass(model, RequestModel):
        return False
    inner = (model_in(field.annotation) for field in model.model_fields.values())
    return model.checks is not RequestModel.checks or any(has_checks(one) for one in inner if one is not None)


def _walk(
    model: type[RequestModel], value: Any, faults: _Faults, path: str, facts: Facts
) -> Iterator[dict[str, Any] | None]:
    if not isinstance(value, dict):
        return
    yield None
    if model.checks is not RequestModel.checks:
        part = cast("RequestModel", _readable(model, value, faults))
        yield from _broken(lambda: model.checks(part, facts, path))
    for name, alias in wire_names(model):
        inner, items = _item_of(model, name), value.get(alias)
        if inner is None or not has_checks(inner) or not isinstance(items, list) or _HERE in faults.get(alias, {}):
            continue
        for index, item in enumerate(items):
            below = property_path(path, f"{alias}.{index}")
            yield from _walk(inner, item, faults.get(alias, {}).get(index, {}), below, facts)


def _broken(checks: Callable[[], Iterable[Check]]) -> Iterator[dict[str, Any] | None]:
    rest: Iterator[Check] | None = None
    for number in count():
        try:
            rest = iter(checks()) if rest is None else rest
            check = next(rest)
        except (StopIteration, UnreadableError):  # what says which rules there are can't be read
            return
        if number % _STRIDE == 0:
            yield None
        try:
            check()
        except UnreadableError:
            continue
        except LedgerBeeError as fault:
            if fault.error_code is VALIDATION_FAILED:
                yield from _as_findings(fault)


def _as_findings(fault: LedgerBeeError) -> Iterator[dict[str, Any]]:
    for error in fault.details["validationErrors"]:
        for rule, text in error["constraints"].items():
            yield {"type": rule, "loc": (error["property"],), "message": text}


def _readable(model: type[RequestModel], value: Any, faults: _Faults) -> Any:
    """The model where nothing is wrong; else what can be read of it."""
    if not isinstance(value, dict):
        return Part({})
    if not faults:
        try:
            return model.model_validate(value)
        except ValidationError:  # found when it is looked at by itself alone: nothing can be said of it
            return Part({})
    fields: dict[str, Any] = {"model_fields_set": {name for name, alias in wire_names(model) if alias in value}}
    for name, alias in wire_names(model):
        field, inner, wrong = model.model_fields[name], _item_of(model, name), faults.get(alias, {})
        if alias not in value:
            if not wrong and not model.keeps_what_is_left_out:
                fields[name] = field.get_default(call_default_factory=True, validated_data={})
        elif inner is not None and isinstance(value[alias], list) and all(isinstance(part, int) for part in wrong):
            fields[name] = _Items(inner, value[alias], wrong)
        elif not wrong:
            try:
                fields[name] = _adapter(model, name).validate_python(value[alias])
            except ValidationError:
                continue
    return Part(fields)


class _Items(Sequence[Any]):
    """The objects of a list, each read when it is asked for: there may be thousands."""

    def __init__(self, model: type[RequestModel], values: list[Any], faults: _Faults) -> None:
        self._model, self._values, self._faults = model, values, faults
        self._read: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        if index not in self._read:
            self._read[index] = _readable(self._model, self._values[index], self._faults.get(index, {}))
        return self._read[index]


@lru_cache(maxsize=1024)
def _item_of(model: type[RequestModel], name: str) -> type[RequestModel] | None:
    found = model_in(model.model_fields[name].annotation)
    return found if found is not None and issubclass(found, RequestModel) else None


@lru_cache(maxsize=256)
def wire_names(model: type[RequestModel]) -> tuple[tuple[str, str], ...]:
    """The names of a model's fields, in Python and on the wire."""
    return tuple((name, field.alias or name) for name, field in model.model_fields.items())


@lru_cache(maxsize=1024)
def _adapter(model: type[RequestModel], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    annotation: Any = field.annotation
    for mark in field.metadata:
        annotation = Annotated[annotation, mark]
    return TypeAdapter(annotation)
