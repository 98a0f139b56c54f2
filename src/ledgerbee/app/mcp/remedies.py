"""What a caller of a tool can do about an error, by its own means: tools that it has, or asking its user."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from ledgerbee.app.mcp.model import RESULT_TOO_LARGE, TOO_MANY_CALLS, UNKNOWN_TOOL, Remedy
from ledgerbee.core.errors import VALIDATION_FAILED, LedgerBeeError
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS, LICENSE_REQUIRED

#: By code, then by the end of the code's name, then by status; the first that is for the caller.
_BY_CODE: Final[Mapping[str, Sequence[Remedy]]] = {
    VALIDATION_FAILED.code: (
        Remedy("Correct the arguments that details.validationErrors names and call the tool again."),
    ),
    RESULT_TOO_LARGE.code: (
        Remedy("Ask for less: a smaller limit, a shorter period or more filters; then go on by nextPage."),
    ),
    UNKNOWN_TOOL.code: (Remedy("Call one of the tools that tools/list names."),),
    TOO_MANY_CALLS.code: (Remedy("Wait for details.retryAfter seconds, then call again."),),
    INSUFFICIENT_PERMISSIONS.code: (
        Remedy("Tell the user that this isn't allowed here: another member of the company may be allowed to do it."),
    ),
    FISCAL_YEAR_MISSING.code: (
        Remedy("Ask the user to have the financial year of that date opened, as no tool can, or for another date."),
    ),
    LICENSE_REQUIRED.code: (
        Remedy("Ask the user to have the licence details.licenseKey enabled for the company; no tool can do that."),
    ),
}
_BY_END: Final[Mapping[str, Sequence[Remedy]]] = {
    "_NOT_FOUND": (
        Remedy("Find the id by the search tool, and call again with one that it gives.", frozenset({"search"})),
        Remedy("Call again with an id that another tool of this connection gave."),
    ),
    "_ALREADY_EXISTS": (Remedy("Choose another value for details.property, or use the object that has this one."),),
    "_IN_USE": (Remedy("Leave it as it is: details.usedBy says what stands on it."),),
    "_INVALID_STATE": (Remedy("Read the object again: its status, details.status, doesn't allow what was asked."),),
}
_BY_STATUS: Final[Mapping[int, Sequence[Remedy]]] = {
    429: (Remedy("Wait a minute, then call again."),),
    503: (Remedy("Call again in a few seconds: nothing was changed."),),
    507: (Remedy("Call again in a minute: nothing was changed."),),
}
#: Of what a connection lacks a scope for: its user's role has it, or hasn't.
LET_IN_AGAIN: Final = (
    "Ask the user to connect this application again and to allow it details.requiredScopes there; then call again."
)
FOR_ANOTHER_MEMBER: Final = (
    "Tell the user that their own role in the company doesn't allow this, and that connecting again doesn't help: a "
    "member whose role allows it, such as an owner, has to do it or to give them another role."
)
_ELSE: Final = Remedy("Nothing was changed. Change what the message names and call again, or tell the user about it.")


def remedy_of(fault: LedgerBeeError, own: Mapping[str, Sequence[Remedy]], available: Collection[str]) -> str:
    """What whoever may call the tools `available` can do; `own` are the remedies of the tool that was called."""
    ends = (found for end, found in _BY_END.items() if fault.code.endswith(end))
    for known in (own.get(fault.code), _BY_CODE.get(fault.code), *ends, _BY_STATUS.get(fault.status)):
        for remedy in known or ():
            if remedy.tools <= set(available):
                return remedy.text
    return _ELSE.text
