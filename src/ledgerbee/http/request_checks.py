"""Refuses a request for parameters and fields that its operation doesn't have, with all else that is wrong with it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args

from ledgerbee.core.errors import LedgerBeeError, invalid, with_others
from ledgerbee.http.bodies import body_faults
from ledgerbee.http.endpoints import read_dependencies
from ledgerbee.http.query import query_names
from ledgerbee.http.validation import validation_error
from ledgerbee.http.wire import RequestModel

CheckRequest = Callable[[Request], Awaitable[None]]


def request_check(takes: Dependant, declared: Sequence[Mapping[str, Any]], *, takes_fields: bool) -> CheckRequest:
    """What refuses query parameters that a route doesn't take (see `query_names`), and fields where it takes none.

    It raises the validation error of all that is wrong with the request, which is looked for only then.
    """
    names = query_names(takes, declared)

    async def check(request: Request) -> None:
        try:
            names.check(request)
        except LedgerBeeError as fault:
            faults = await _faults_of_parameters(takes, request, besides=fault)
            faults += await _faults_of_body(takes, request) if takes_fields else await _fields(request)
            raise with_others(fault, faults) from None
        if not takes_fields:
            for refusal in await _fields(request):
                raise with_others(refusal, await _faults_of_parameters(takes, request))

    return check


async def _fields(request: Request) -> list[LedgerBeeError]:
    """The refusal of a body that is not to have fields, if it has some."""
    if not await request.body():
        return []
    try:
        body = await request.json()
    except LedgerBeeError as fault:
        return [fault]
    if not isinstance(body, dict):
        return [invalid(("", "isObject", "body must be an object"))]
    return [invalid(*((name, "whitelistValidation", f"{name} should not exist") for name in body))] if body else []


async def _faults_of_parameters(
    takes: Dependant, request: Request, besides: LedgerBeeError | None = None
) -> list[LedgerBeeError]:
    """What is wrong in path and query, but for the parameters that a fault reports already."""
    reported = {error["property"] for error in besides.details["validationErrors"]} if besides else set()
    found = []
    _, errors = request_params_to_args(takes.path_params, request.path_params)
    _, more = request_params_to_args(takes.query_params, request.query_params)
    errors += [error for error in more if error["loc"][-1] not in reported]
    if errors:
        found.append(validation_error(errors))
    for _, read in read_dependencies(takes):
        try:
            await read(request)
        except LedgerBeeError as fault:
            if not reported & {error["property"] for error in fault.details["validationErrors"]}:
                found.append(fault)
    return found


async def _faults_of_body(takes: Dependant, request: Request) -> list[LedgerBeeError]:
    models = [parameter.field_info.annotation for parameter in takes.body_params]
    if len(models) == 1 and isinstance(models[0], type) and issubclass(models[0], RequestModel):
        return await body_faults(models[0], request)
    return []
