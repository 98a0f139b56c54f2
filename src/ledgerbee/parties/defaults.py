"""Which one of several is the default: exactly one once there are any, an active one as long as any is."""

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


class Candidate(Protocol):
    """One of those of which one is the default."""

    @property
    def id(self) -> UUID: ...
    @property
    def is_default(self) -> bool: ...
    @property
    def is_active(self) -> bool: ...


C = TypeVar("C", bound=Candidate)


def default_flag(others: Sequence[C], changed: C, *, asked: bool | None, refusal: ErrorCode) -> tuple[bool, C | None]:
    """Whether `changed` is the default beside `others`, and which of them loses the flag to it: see `default_holder`.

    Raises `refusal`.
    """
    is_default = default_holder(others, changed, asked=asked, refusal=refusal) == changed.id
    if not is_default or changed.is_default:
        return is_default, None
    return True, next((other for other in others if other.is_default), None)


def default_holder(others: Sequence[C], changed: C, *, asked: bool | None, refusal: ErrorCode) -> UUID:
    """Who is the default once `changed` (a new one, or one with new values) stands beside `others`.

    `changed.is_default` tells whether it was until now; `asked` what the caller wants of it (None: nothing said).
    The first one becomes the default by itself, and so does the first active one beside an inactive default.
    Raises `refusal` when the caller would leave no default, or an inactive one where others are active.
    """
    if asked:
        if not changed.is_active:
            raise refusal.error("An inactive one can't be the default")
        return changed.id
    holder = changed if changed.is_default else next((other for other in others if other.is_default), None)
    if holder is None:
        return changed.id
    if holder is changed:
        if asked is False or (not changed.is_active and any(other.is_active for other in others)):
            raise refusal.error()
        return changed.id
    return changed.id if changed.is_active and not holder.is_active else holder.id


def default_flags(flags: Sequence[bool], *, none: ErrorCode, several: ErrorCode) -> list[bool]:
    """The flags of several that come together: exactly one is set; a single one is the default by itself.

    Raises `none` or `several` for a list of two and more that doesn't say which one, or says it twice.
    """
    if len(flags) == 1:
        return [True]
    if flags and not any(flags):
        raise none.error("One of several contacts must be the default")
    if sum(flags) > 1:
        raise several.error()
    return list(flags)
