"""Members of a company: inviting, giving another role, removing."""

from collections.abc import Collection
from uuid import UUID

from ledgerbee.core.cells import new_secret
from ledgerbee.core.ids import new_id
from ledgerbee.identity.users import store
from ledgerbee.identity.users.model import (
    INVITATION,
    INVITATION_INVALID_STATE,
    INVITATION_JOB,
    INVITATION_LIFE,
    INVITATION_PREFIX,
    USER_ALREADY_EXISTS,
    USER_NOT_FOUND,
    Invitation,
    InvitationId,
    InvitationStatus,
    Member,
    Membership,
    MembershipId,
    Role,
    UserId,
)
from ledgerbee.identity.users.passwords import PasswordRecord
from ledgerbee.identity.users.rules import check_may_give, check_owner_stays, status_of
from ledgerbee.identity.users.wire import render_invitation, render_member
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import Grant, secret_hash
from ledgerbee.tenancy.company import store as companies


async def invite(
    context: Context,
    *,
    email: str,
    role: Role,
    language: str | None,
    held: Collection[str] | None,
    by_mail: bool = True,
) -> Invitation:
    """Invite whoever has an address, by mail unless the caller has another way. Emits `invitation.created`.

    `held` are the scopes of whoever invites (None: the operator, who may all). Raises `INSUFFICIENT_PERMISSIONS`,
    `USER_ALREADY_EXISTS`, `INVITATION_ALREADY_EXISTS`.
    """
    check_may_give([role], held)
    if any(member.email == email for member in await store.list_members(context)):
        raise USER_ALREADY_EXISTS.taken("email", email)
    if language is None:
        language = "da" if (await companies.get(context)).preferred_language == "da" else "en"
    invitation = Invitation(
        id=InvitationId(new_id()),
        email=email,
        role=role,
        language=language,
        invited_by=str(context.actor),
        created_at=context.now,
        expires_at=context.now + INVITATION_LIFE,
    )
    await store.insert_invitation(context, invitation)
    context.emit("invitation.created", invitation.id, render_invitation(invitation, context.now).as_event())
    if by_mail:
        context.enqueue(INVITATION_JOB, invitationId=str(invitation.id))
    return invitation


async def new_link(context: Context, invitation_id: InvitationId) -> str:
    """The secret of an open invitation's link, in place of one from before. Raises `INVITATION_INVALID_STATE`."""
    invitation = await _hold_open(context, invitation_id)
    await store.end_link(context, invitation.id)
    secret = new_secret(INVITATION_PREFIX, context.cell)
    await credentials.add(
        context,
        secret_hash=secret_hash(secret),
        kind=INVITATION,
        subject_id=invitation.id,
        grant=Grant((), (), invitation.expires_at),
    )
    return secret


async def revoke_invitation(context: Context, invitation_id: UUID, held: Collection[str] | None) -> None:
    """Take an open invitation back. Emits `invitation.revoked`.

    Raises `INVITATION_NOT_FOUND`, `INVITATION_INVALID_STATE`, `INSUFFICIENT_PERMISSIONS`.
    """
    invitation = await _hold_open(context, invitation_id)
    check_may_give([invitation.role], held)
    await store.end_invitation(context, invitation.id, accepted=False)
    await _emit_end(context, invitation, accepted=False)


async def accept(context: Context, invitation_id: UUID, user_id: UserId) -> None:
    """Make whoever accepts an open invitation a member: the caller has seen that it is the invited one.

    Emits `invitation.accepted` and `membership.created`. Raises `INVITATION_INVALID_STATE`, `USER_ALREADY_EXISTS`.
    """
    invitation = await _hold_open(context, invitation_id)
    await store.end_invitation(context, invitation.id, accepted=True)
    await _emit_end(context, invitation, accepted=True)
    await add_member(context, user_id, invitation.role)


async def _hold_open(context: Context, invitation_id: UUID) -> Invitation:
    invitation = await store.get_invitation_for_update(context, invitation_id)
    status = status_of(invitation, context.now)
    if status is not InvitationStatus.PENDING:
        raise INVITATION_INVALID_STATE.in_state(status)
    return invitation


async def _emit_end(context: Context, before: Invitation, *, accepted: bool) -> None:
    after = render_invitation(await store.get_invitation(context, before.id), context.now).as_event()
    was = render_invitation(before, context.now).as_event()
    if accepted:
        context.emit("invitation.accepted", before.id, after, before=was)
    else:
        context.emit("invitation.revoked", before.id, after, before=was)


async def add_member(context: Context, user_id: UserId, role: Role) -> Member:
    """Make a user a member. Emits `membership.created`. Raises `USER_ALREADY_EXISTS`."""
    membership = Membership(
        id=MembershipId(new_id()), user_id=user_id, role=role, created_at=context.now, updated_at=context.now
    )
    is_new = await store.insert(context, membership)
    member = await store.get_member(context, user_id)
    if not is_new:
        raise USER_ALREADY_EXISTS.taken("email", member.email)
    context.emit("membership.created", user_id, render_member(member).as_event())
    return member


async def change_role(context: Context, user_id: UserId, role: Role, held: Collection[str] | None) -> Member:
    """Give a member another role: what the member has opened in the company ends. Emits `membership.updated`.

    `held` are the scopes of whoever does it. Raises `USER_NOT_FOUND`, `LAST_OWNER`, `INSUFFICIENT_PERMISSIONS`.
    """
    before = await _hold_member(context, user_id, role)
    check_may_give([before.role, role], held)
    if before.role is role:
        return before
    await store.change_role(context, user_id, role)
    after = await store.get_member(context, user_id)
    context.emit(
        "membership.updated", user_id, render_member(after).as_event(), before=render_member(before).as_event()
    )
    return after


async def remove(context: Context, user_id: UserId, held: Collection[str] | None) -> None:
    """End a membership, and what the member has opened in the company. Emits `membership.deleted`.

    `held` are the scopes of whoever does it. Raises `USER_NOT_FOUND`, `LAST_OWNER`, `INSUFFICIENT_PERMISSIONS`.
    """
    before = await _hold_member(context, user_id, None)
    check_may_give([before.role], held)
    await store.delete(context, user_id)
    form = render_member(before).as_event()
    context.emit("membership.deleted", user_id, form, before=form)


async def _hold_member(context: Context, user_id: UserId, role: Role | None) -> Member:
    members = await store.hold_memberships(context)
    if all(member.user_id != user_id for member in members):
        raise USER_NOT_FOUND.error()
    check_owner_stays(members, user_id, role)
    return await store.get_member(context, user_id)


async def add_user(context: Context, email: str, name: str, language: str, password: PasswordRecord | None) -> UserId:
    """The account with an address, made where there is none (its password stays then). For commands alone."""
    return await store.add_user(context, UserId(new_id()), email, name, language, password)
