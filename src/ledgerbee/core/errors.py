"""Errors that callers can act on: a stable code, an HTTP status and what to know about it.

A context declares its codes as module constants in its `model.py` and raises them through the constant:

    PRODUCT_GROUP_NOT_FOUND = ErrorCode("PRODUCT_GROUP_NOT_FOUND", 404, "No such product group in the company.")
    raise PRODUCT_GROUP_NOT_FOUND.error()
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One documented error: `code` is stable, `status` the HTTP status, `meaning` the default message."""

    code: str
    status: int
    meaning: str

    def error(self, message: str | None = None, /, **details: Any) -> "LedgerBeeError":
        """An exception of this code. `details` becomes the error body's `details` (JSON values)."""
        return LedgerBeeError(self, message or self.meaning, details)

    def unless(self, found: T | None) -> T:
        """What was found. Raises this error, without details, where that is nothing."""
        if found is None:
            raise self.error()
        return found

    # The families: whoever reads the details of one code of a family reads those of all (docs/reference/errors.md).

    def missing(self, property_: str, id_name: str, wanted: object, /, **details: Any) -> "LedgerBeeError":
        """Of a `..._NOT_FOUND`: a body refers to what is not there. (What the path names needs no details.)

        `property_` is the reference's place in the request, `id_name` what such an id is called (`accountId`).
        """
        return self.error(property=property_, **{id_name: str(wanted)}, **details)

    def taken(self, property_: str, value: object, /) -> "LedgerBeeError":
        """Of an `..._ALREADY_EXISTS`: `value` of the body's field `property_` is another object's."""
        return self.error(property=property_, value=value)

    def used(self, used_by: Sequence[str], /) -> "LedgerBeeError":
        """Of an `..._IN_USE`: what stands on the object, as kinds in camelCase (`products`)."""
        return self.error(usedBy=list(used_by))

    def in_state(self, status: str, message: str | None = None, /, **details: Any) -> "LedgerBeeError":
        """Of an `..._INVALID_STATE`: the object's status, which doesn't allow what was asked."""
        return self.error(message, status=str(status), **details)


class LedgerBeeError(Exception):
    """A refusal with a documented code. Whoever raises it has changed nothing: the transaction rolls back."""

    def __init__(self, error_code: ErrorCode, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message
        self.details = dict(details)
        #: Seconds after which the same may go well, where that is known; else it goes by the status.
        self.retry_after: int | None = None

    @property
    def code(self) -> str:
        return self.error_code.code

    @property
    def status(self) -> int:
        return self.error_code.status

    @property
    def is_passing(self) -> bool:
        """Whether it says nothing of what was asked for: the same may go well in a while (503, 507)."""
        return self.status in {503, 507}


VALIDATION_FAILED = ErrorCode("SHARED_VALIDATION_FAILED", 400, "Bad Request Exception")


#: Properties that one validation error names.
MAX_FINDINGS: Final = 100
#: Characters of a property's name that a validation error repeats: a name may be a caller's own, of any length.
MAX_NAME: Final = 200


def shortened(name: str) -> str:
    """A property's name as a validation error has it: the start of one longer than `MAX_NAME`, and an ellipsis."""
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"


def invalid(*problems: tuple[str, str, str]) -> LedgerBeeError:
    """A validation error from `(property, rule, text)` triples, in the wire's class-validator shape.

    `property` is a dot path with array indexes (`lines.0.quantity`), `rule` the constraint's name (`min`). A name
    longer than `MAX_NAME` is cut (`shortened`), in the text too. Of more than `MAX_FINDINGS` properties the first are
    named, and `details.furtherErrors` says how many more were found.
    """
    errors: dict[str, dict[str, str]] = {}
    further: set[str] = set()
    for name, rule, text in problems:
        shown = shortened(name)
        if shown in errors or len(errors) < MAX_FINDINGS:
            errors.setdefault(shown, {})[rule] = text if shown is name else text.replace(name, shown)
        else:
            further.add(name)
    details: dict[str, Any] = {
        "validationErrors": [{"property": name, "constraints": rules} for name, rules in errors.items()]
    }
    if further:
        details["furtherErrors"] = len(further)
    return VALIDATION_FAILED.error(**details)


def property_path(parent: str, name: str) -> str:
    """The place in a request of the field `name` of the object at `parent`; an empty `parent` is the request itself."""
    return f"{parent}.{name}" if parent else name


def refuse(problems: Sequence[tuple[str, str, str]]) -> None:
    """Raise the validation error of these problems, if there are any: see `invalid`."""
    if problems:
        raise invalid(*problems)


def check_unique(name: str, ids: Sequence[Hashable]) -> None:
    """Raises a validation error for an id that is twice in the list `name`."""
    if len(set(ids)) < len(ids):
        raise invalid((name, "arrayUnique", f"All {name}'s elements must be unique"))


def check_all(*checks: Callable[[], object]) -> None:
    """Run checks that don't build on each other, and report the validation errors of all of them at once.

    The first that refuses decides: where it is no validation error, it is raised as it is; where it is one, those of
    the checks after it are reported with it.
    """
    for place, check in enumerate(checks):
        try:
            check()
        except LedgerBeeError as fault:
            raise with_more(fault, checks[place + 1 :]) from None


def with_more(fault: LedgerBeeError, checks: Iterable[Callable[[], object]]) -> LedgerBeeError:
    """A refusal, with what `checks` raise of the same kind: see `with_others`."""
    return with_others(fault, _refusals(checks))


def with_others(fault: LedgerBeeError, others: Iterable[LedgerBeeError]) -> LedgerBeeError:
    """A refusal, with others of its kind: validation errors, or places of the same fault. It may be among them."""
    if fault.error_code is not VALIDATION_FAILED:
        return with_places(fault, others)
    alike = [one for one in others if one.error_code is VALIDATION_FAILED and one.details != fault.details]
    faults = [fault, *alike]
    merged = invalid(
        *(
            (error["property"], rule, text)
            for one in faults
            for error in one.details["validationErrors"]
            for rule, text in error["constraints"].items()
        )
    )
    further = sum(one.details.get("furtherErrors", 0) for one in (merged, *faults))
    return VALIDATION_FAILED.error(**{**merged.details, **({"furtherErrors": further} if further else {})})


def with_places(fault: LedgerBeeError, others: Iterable[LedgerBeeError]) -> LedgerBeeError:
    """A refusal of one place of a request; where others of the same code name more, all places as `properties`.

    The other details stay those of the first. Of more than `MAX_FINDINGS` places the first are named, and
    `details.furtherErrors` says how many more were found.
    """
    if "property" not in fault.details:
        return fault
    alike = [fault, *(one for one in others if one.error_code is fault.error_code and one.details != fault.details)]
    places = list(dict.fromkeys(place for one in alike for place in _places(one)))
    further = max(len(places) - MAX_FINDINGS, 0) + sum(one.details.get("furtherErrors", 0) for one in alike)
    if len(places) == 1:
        return fault
    more = {"properties": places[:MAX_FINDINGS], **({"furtherErrors": further} if further else {})}
    return fault.error_code.error(fault.message, **{**fault.details, **more})


@contextmanager
def within(parent: str) -> Iterator[None]:
    """Refusals of a part of a request, with `parent` before the places that they name: `document.lines.0.priceId`."""
    try:
        yield
    except LedgerBeeError as fault:
        raise _below(parent, fault) from None


def _below(parent: str, fault: LedgerBeeError) -> LedgerBeeError:
    details = fault.details
    if fault.error_code is VALIDATION_FAILED:
        told = invalid(
            *(
                (property_path(parent, name), rule, text.replace(name, property_path(parent, name), 1))
                for name, rule, text in (
                    (error["property"], rule, text)
                    for error in details["validationErrors"]
                    for rule, text in error["constraints"].items()
                )
            )
        )
        return VALIDATION_FAILED.error(**{**details, **told.details})
    if "property" not in details:
        return fault
    placed: dict[str, Any] = {"property": property_path(parent, details["property"])}
    if "properties" in details:
        placed["properties"] = [property_path(parent, name) for name in details["properties"]]
    return fault.error_code.error(fault.message, **{**details, **placed})


def _places(fault: LedgerBeeError) -> Sequence[str]:
    details = fault.details
    places: Sequence[str] = details.get("properties", [details["property"]] if "property" in details else [])
    return places


def refuse_first(faults: Iterable[LedgerBeeError]) -> None:
    """Raise the first of these refusals, each of one place of a request, if there are any: see `with_places`."""
    found = list(faults)
    if found:
        raise with_places(found[0], found[1:])


def _refusals(checks: Iterable[Callable[[], object]]) -> Iterable[LedgerBeeError]:
    for check in checks:
        try:
            check()
        except LedgerBeeError as fault:
            yield fault
