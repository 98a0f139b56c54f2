"""Arguments of tools against their schemas, with errors in the API's words (contract 1.5)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from ledgerbee.core.errors import MAX_FINDINGS, invalid, property_path
from ledgerbee.core.ids import parse_id

_FORMATS: Final = FormatChecker(())
#: A type of JSON Schema -> (constraint's name, text after the property's name).
_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "string": ("isString", "must be a string"),
    "integer": ("isInt", "must be an integer number"),
    "number": ("isNumber", "must be a number"),
    "boolean": ("isBoolean", "must be a boolean value"),
    "array": ("isArray", "must be an array"),
    "object": ("isObject", "must be an object"),
    "null": ("isEmpty", "must be null"),
}
_OF_FORMAT: Final[Mapping[str, tuple[str, str]]] = {
    "date": ("isDateString", "must be a valid date, YYYY-MM-DD"),
    "date-time": ("isISO8601", "must be a valid ISO 8601 date-time"),
    "uuid": ("isUuid", "must be a UUID"),
}
#: A keyword of JSON Schema -> (constraint's name, text after the property's name with the keyword's value).
_KEYWORDS: Final[Mapping[str, tuple[str, str]]] = {
    "minLength": ("minLength", "must be longer than or equal to {} characters"),
    "maxLength": ("maxLength", "must be shorter than or equal to {} characters"),
    "pattern": ("matches", "must match {} regular expression"),
    "minimum": ("min", "must not be less than {}"),
    "maximum": ("max", "must not be greater than {}"),
    "exclusiveMinimum": ("isPositive", "must be greater than {}"),
    "exclusiveMaximum": ("max", "must be less than {}"),
    "multipleOf": ("isDivisibleBy", "must be divisible by {}"),
    "minItems": ("arrayMinSize", "must contain at least {} elements"),
    "maxItems": ("arrayMaxSize", "must contain no more than {} elements"),
    "minProperties": ("minProperties", "must have at least {} properties"),
    "maxProperties": ("maxProperties", "must have at most {} properties"),
    "const": ("isEnum", "must be one of the following values: {!r}"),
}


class ArgumentCheck:
    """The check of one tool's arguments, compiled once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = Draft202012Validator(dict(schema), format_checker=_FORMATS)

    def __call__(self, arguments: Mapping[str, Any]) -> None:
        """Raises the validation error of what is wrong with `arguments`."""
        errors = list(_first(self._validator.iter_errors(arguments)))
        if errors:
            raise invalid(*(problem for error in errors for problem in _problems(error)))


def _is_day(value: Any) -> bool:
    return not isinstance(value, str) or (len(value) == 10 and date.fromisoformat(value).isoformat() == value)


def _is_moment(value: Any) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _is_id(value: Any) -> bool:
    return not isinstance(value, str) or bool(parse_id(value))


for _name, _check in {"date": _is_day, "date-time": _is_moment, "uuid": _is_id}.items():
    _FORMATS.checks(_name, ValueError)(_check)


def _first(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    for count, error in enumerate(errors):
        if count > MAX_FINDINGS:
            return
        yield error


def _problems(error: ValidationError) -> Iterator[tuple[str, str, str]]:
    """`(property, rule, text)` of a finding; of alternatives, what is wrong with the one that comes nearest."""
    place = ".".join(str(part) for part in error.absolute_path)
    keyword, wanted = error.validator, error.validator_value
    if keyword in {"anyOf", "oneOf"} and error.context:
        for inner in _nearest(error.context):
            yield from _problems(inner)
        return
    if keyword == "additionalProperties":
        for name in sorted(set(error.instance) - set(error.schema.get("properties", {})), key=str):
            whole = property_path(place, name)
            yield whole, "whitelistValidation", f"{whole} should not exist"
        return
    if keyword == "required":
        for name in wanted:
            if name not in error.instance:
                whole = property_path(place, name)
                yield whole, "isDefined", f"{whole} should not be null or undefined"
        return
    rule, text = _constraint(str(keyword), wanted)
    yield place, rule, f"{place or 'arguments'} {text}"


def _constraint(keyword: str, wanted: Any) -> tuple[str, str]:
    if keyword == "type":
        first = next((name for name in ([wanted] if isinstance(wanted, str) else wanted) if name != "null"), "null")
        return _TYPES[first]
    if keyword == "enum":
        values = [repr(value) for value in wanted]
        expected = f"{', '.join(values[:-1])} or {values[-1]}" if len(values) > 1 else values[0]
        return "isEnum", f"must be one of the following values: {expected}"
    if keyword == "format":
        return _OF_FORMAT[wanted]
    if keyword == "uniqueItems":
        return "arrayUnique", "must not have an element twice"
    if keyword in _KEYWORDS:
        rule, text = _KEYWORDS[keyword]
        return rule, text.format(wanted)
    return "isValid", "is not what the tool's schema wants"


def _nearest(context: Iterable[ValidationError]) -> list[ValidationError]:
    """The findings of the alternative that was meant: one whose type fits, else the first that isn't null."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    wanted = [found for found in branches.values() if not _is_about_type(found)]
    not_null = [found for found in branches.values() if found[0].validator_value != "null"]
    return min(wanted, key=len) if wanted else (not_null or list(branches.values()))[0]


def _is_about_type(found: list[ValidationError]) -> bool:
    return any(inner.validator == "type" and not inner.path for inner in found)
