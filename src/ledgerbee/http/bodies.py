"""Validates the body of a request."""

from typing import TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.body_limits import LARGE
from ledgerbee.http.checks import Facts, facts_of
from ledgerbee.http.partial import all_findings, has_checks
from ledgerbee.http.state import state_of
from ledgerbee.http.step_scheduler import wait_for_step
from ledgerbee.http.stepwise import validated_in_steps
from ledgerbee.http.validation import validation_error
from ledgerbee.http.wire import RequestModel

M = TypeVar("M", bound=RequestModel)


async def validated_body(model: type[M], request: Request) -> M:
    """The body as `model` has it; a large one in steps. Raises `RequestValidationError` with all that is wrong."""
    raw = await request.body()
    body = await request.json()
    await wait_for_step(raw)
    if len(raw) > LARGE:
        return await validated_in_steps(model, body, lambda: _facts(model, request))
    try:
        return model.model_validate(body)
    except ValidationError as fault:
        errors = all_findings(model, body, fault.errors(include_url=False), await _facts(model, request))
        raise RequestValidationError([{**error, "loc": ("body", *error["loc"])} for error in errors]) from None


async def body_faults(model: type[RequestModel], request: Request) -> list[LedgerBeeError]:
    """What is wrong with the body of a request that is refused anyway; nothing of one that is a file."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in {"", "application/json"}:
        return []
    try:
        await validated_body(model, request)
    except RequestValidationError as fault:
        return [validation_error(fault.errors())]
    except LedgerBeeError as fault:  # it is no JSON
        return [fault]
    return []


async def _facts(model: type[RequestModel], request: Request) -> Facts | None:
    """What the rules of a body ask for, from the request's transaction or another one; None where it has no rules."""
    if not has_checks(model):
        return None
    state = state_of(request.scope)
    if state.context is not None:
        return await facts_of(state.context)
    assert state.caller is not None, "a public operation has no body model"
    return await state.caller.read(facts_of)
