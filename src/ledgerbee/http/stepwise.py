"""Validates a large body in steps, so that other requests get their turn in between.

A model validates in one call, which holds the event loop: a body of many entries for half a second. Here each item of a
list of models is a call of its own. What comes out is the same, and so is what is found wrong, up to a limit.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar, get_args

from annotated_types import MaxLen
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from ledgerbee.http import partial
from ledgerbee.http.checks import Facts
from ledgerbee.http.hints import with_hints
from ledgerbee.http.step_scheduler import STEPS
from ledgerbee.http.wire import RequestModel

M = TypeVar("M", bound=RequestModel)

#: Models that are validated between two turns of others.
_STRIDE: Final = 100
#: Findings after which nobody looks for more.
_ENOUGH: Final = 500


class _List(NamedTuple):
    """A field that is a list of models."""

    alias: str
    item: type[RequestModel]
    max_length: int | None


async def validated_in_steps(
    model: type[M], body: Any, facts: Callable[[], Awaitable[Facts | None]] | None = None
) -> M:
    """What `model.model_validate(body)` gives. Raises `RequestValidationError`, with `body` before each location.

    `facts` finds what rules over several fields ask for (`partial.all_findings`).
    """
    steps = _Steps()
    made = await steps.validate(model, body, ())
    if made is None or steps.findings:
        findings = with_hints(model, steps.findings)
        if len(steps.findings) <= _ENOUGH:
            findings += await _of_rules(model, body, steps.findings, await facts() if facts else None)
        raise RequestValidationError([{**error, "loc": ("body", *error["loc"])} for error in findings])
    return made


async def _of_rules(
    model: type[RequestModel], body: Any, errors: list[dict[str, Any]], facts: Facts | None
) -> list[dict[str, Any]]:
    found = []
    for one in partial.findings(model, body, errors, facts):
        if one is None:
            await STEPS.wait()
        else:
            found.append(one)
    return found


class _Steps:
    def __init__(self) -> None:
        self.findings: list[dict[str, Any]] = []
        self._made = 0

    async def validate(self, model: type[M], value: Any, location: tuple[str | int, ...]) -> M | None:
        """The model, or None where something was found."""
        before = len(self.findings)
        failed: set[str] = set()
        lists = _lists_of(model) if isinstance(value, dict) else ()
        if isinstance(value, dict):
            value = _bounded(model, value)
        for field in lists:
            items = value.get(field.alias)
            if isinstance(items, list) and not await self._validate_items(field, items, value, location):
                failed.add(field.alias)
        self._made += 1
        if self._made % _STRIDE == 0:
            await STEPS.wait()
        try:
            made = model.model_validate(value)
        except ValidationError as fault:
            for error in fault.errors(include_url=False):
                if not (error["type"] == "missing" and error["loc"][:1] and error["loc"][0] in failed):
                    self.findings.append({**error, "loc": (*location, *error["loc"])})
        return made if len(self.findings) == before else None

    async def _validate_items(
        self, field: _List, items: list[Any], value: dict[str, Any], location: tuple[str | int, ...]
    ) -> bool:
        """Put the items' models into `value`; where some are wrong, take the field out, which they have spoiled."""
        before = len(self.findings)
        place = (*location, field.alias)
        made: list[RequestModel | None] = []
        if field.max_length is not None and len(items) > field.max_length:
            context = {"field_type": "List", "max_length": field.max_length, "actual_length": len(items)}
            self.findings.append({"type": "too_long", "loc": place, "msg": "too long", "ctx": context})
        else:
            for index, item in enumerate(items):
                made.append(await self.validate(field.item, item, (*place, index)))
                if len(self.findings) > _ENOUGH:
                    break
        if len(self.findings) > before:
            del value[field.alias]
            return False
        value[field.alias] = made
        return True


def _bounded(model: type[RequestModel], value: dict[str, Any]) -> dict[str, Any]:
    """A copy with the fields of the model and, of those that should not be there, enough to report."""
    if len(value) <= _ENOUGH:
        return dict(value)
    known = [name for _, name in partial.wire_names(model)]
    surplus = islice((name for name in value if name not in known), _ENOUGH)
    return {name: value[name] for name in (*(name for name in known if name in value), *surplus)}


@lru_cache(maxsize=256)
def _lists_of(model: type[RequestModel]) -> tuple[_List, ...]:
    lists = []
    for name, field in model.model_fields.items():
        models = [
            part for part in get_args(field.annotation) if isinstance(part, type) and issubclass(part, RequestModel)
        ]
        if getattr(field.annotation, "__origin__", None) in {list, tuple} and len(models) == 1:
            longest = next((mark.max_length for mark in field.metadata if isinstance(mark, MaxLen)), None)
            lists.append(_List(field.alias or name, models[0], longest))
    return tuple(lists)
