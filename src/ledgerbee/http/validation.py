"""From Pydantic's findings to the wire's class-validator shape (contract 1.5)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from ledgerbee.core.errors import LedgerBeeError, invalid, shortened
from ledgerbee.http import texts
from ledgerbee.http.partial import all_findings
from ledgerbee.http.wire import RequestModel

M = TypeVar("M", bound=RequestModel)

#: Pydantic's error type -> (constraint's name, text after the property's name).
_RULES: Mapping[str, tuple[str, str]] = {
    "missing": ("isDefined", "should not be null or undefined"),
    "extra_forbidden": ("whitelistValidation", "should not exist"),
    "string_type": ("isString", "must be a string"),
    "string_sub_type": ("isString", "must be a string"),
    "string_unicode": ("isString", "must be a string"),
    "string_too_short": ("minLength", "must be longer than or equal to {min_length} characters"),
    "string_too_long": ("maxLength", "must be shorter than or equal to {max_length} characters"),
    "string_pattern_mismatch": ("matches", "must match {pattern} regular expression"),
    "int_type": ("isInt", "must be an integer number"),
    "int_parsing": ("isInt", "must be an integer number"),
    "int_parsing_size": ("isInt", "must be an integer number"),
    "int_from_float": ("isInt", "must be an integer number"),
    "bool_type": ("isBoolean", "must be a boolean value"),
    "bool_parsing": ("isBoolean", "must be a boolean value"),
    "decimal_type": ("isNumber", "must be a number or a decimal string"),
    "decimal_parsing": ("isNumber", "must be a number or a decimal string"),
    "decimal_max_digits": ("maxDecimalPlaces", "has too many digits"),
    "decimal_max_places": ("maxDecimalPlaces", "must have at most {decimal_places} decimals"),
    "decimal_whole_digits": ("max", "has too many digits"),
    "finite_number": ("isNumber", "must be a finite number"),
    "greater_than": ("isPositive", "must be greater than {gt}"),
    "greater_than_equal": ("min", "must not be less than {ge}"),
    "less_than": ("max", "must be less than {lt}"),
    "less_than_equal": ("max", "must not be greater than {le}"),
    "enum": ("isEnum", "must be one of the following values: {expected}"),
    "literal_error": ("isEnum", "must be one of the following values: {expected}"),
    "list_type": ("isArray", "must be an array"),
    "tuple_type": ("isArray", "must be an array"),
    "too_short": ("arrayMinSize", "must contain at least {min_length} elements"),
    "too_long": ("arrayMaxSize", "must contain no more than {max_length} elements"),
    "dict_type": ("isObject", "must be an object"),
    "model_type": ("isObject", "must be an object"),
    "model_attributes_type": ("isObject", "must be an object"),
    "uuid_type": ("isUuid", "must be a UUID"),
    "uuid_parsing": ("isUuid", "must be a UUID"),
    "date_type": ("isDateString", "must be a valid date, YYYY-MM-DD"),
    "datetime_type": ("isISO8601", "must be a valid ISO 8601 date-time"),
    "iso4217": ("isISO4217CurrencyCode", "must be a valid ISO 4217 currency code"),
    "json_invalid": ("isJson", "must be valid JSON"),
}

#: Findings that are looked at one by one; a property rarely has more than one.
_MOST_ERRORS: Final = 1_000


def validation_error(errors: Sequence[Any]) -> LedgerBeeError:
    """The 400 that lists the findings, one row a property, constraints by rule name; the first ones of very many."""
    found: dict[tuple[str, str], str] = {}
    for error in errors[:_MOST_ERRORS]:
        name = reported_place(error["loc"])
        if "message" in error:  # of a rule of ours, complete
            found.setdefault((name, error["type"]), error["message"])
            continue
        rule, text = _constraint(error)
        if "hint" in error:
            text += f": did you mean {error['hint']}?"
        found.setdefault((name, rule), f"{name} {text}" if name else f"body {text}")
        if (
            name and error.get("input", ...) is None and rule != "whitelistValidation"
        ):  # who clears it learns it can't be
            found.setdefault((name, "isDefined"), f"{name} should not be null or undefined")
    fault = invalid(*((name, rule, text) for (name, rule), text in found.items()))
    if len(errors) > _MOST_ERRORS:
        fault.details["furtherErrors"] = fault.details.get("furtherErrors", 0) + len(errors) - _MOST_ERRORS
    return fault


def validated(model: type[M], body: Mapping[str, Any]) -> M:
    """A body that did not come over HTTP as the model has it. Raises validation errors, as the operation does."""
    try:
        return model.model_validate(body)
    except ValidationError as fault:
        raise validation_error(all_findings(model, body, fault.errors(), None)) from None


def reported_place(location: Iterable[Any]) -> str:
    """`("body", "lines", 0, "quantity")` -> `lines.0.quantity`; cut where it is too long to report (`shortened`)."""
    parts = [shortened(str(part)) for part in location]
    if parts and parts[0] in {"body", "query", "path", "header"}:
        parts = parts[1:]
    return shortened(".".join(part for part in parts if not part.startswith("function-") and part != "[key]"))


#: How Pydantic writes the limit of a decimal, and of a day.
_DECIMAL: Final = re.compile(r"Decimal\('([^']*)'\)")
_DAY: Final = re.compile(r"datetime\.date\((\d+), (\d+), (\d+)\)")


def _plain(value: Any) -> Any:
    """A limit in the wire's words: `9999.99`, not Python's."""
    if not isinstance(value, str):
        return value
    return _DAY.sub(lambda day: "{:04}-{:02}-{:02}".format(*map(int, day.groups())), _DECIMAL.sub(r"\1", value))


def _constraint(error: Mapping[str, Any]) -> tuple[str, str]:
    if texts.is_about_text(error):
        return texts.RULE
    known = _RULES.get(error["type"])
    context = error.get("ctx") or {}
    if known is not None:
        rule, text = known
        try:
            return rule, text.format(**{name: _plain(value) for name, value in context.items()})
        except (KeyError, IndexError):
            return rule, text
    # Our own validators raise PydanticCustomError(rule, text): the type is already the constraint's name.
    return str(error["type"]), str(error["msg"])
