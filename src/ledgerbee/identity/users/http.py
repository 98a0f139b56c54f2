"""Routes of members and invitations (ours: the original has them in its app)."""

from typing import Annotated

from fastapi import Path, Response

from ledgerbee.http.arrays import array
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.identity.users import actions, store
from ledgerbee.identity.users.model import (
    INVITATION_ALREADY_EXISTS,
    INVITATION_INVALID_STATE,
    INVITATION_NOT_FOUND,
    LAST_OWNER,
    USER_ALREADY_EXISTS,
    USER_NOT_FOUND,
    InvitationId,
    UserId,
)
from ledgerbee.identity.users.wire import (
    CreateInvitationRequest,
    InvitationResponse,
    UpdateUserRequest,
    UserResponse,
    render_invitation,
    render_member,
)
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS

router = resource_router("Users")

UserPath = Annotated[IdOf[UserId], Path(alias="userId", description="User ID")]
InvitationPath = Annotated[IdOf[InvitationId], Path(alias="invitationId", description="Invitation ID")]

_ROLES = (
    "Nobody gives or takes a role with more scopes than the credential in use carries; which scopes a role has "
    "stands in the guide to people."
)


@router.get(
    "/v1/users",
    response_model=list[UserResponse],
    **operation(
        "List users",
        scope="users-read",
        extension=True,
        description="Who works in the company, in the order in which they came.",
    ),
)
async def list_users(context: Ctx) -> Response:
    return await array(await store.list_members(context), render_member)


@router.get(
    "/v1/users/invitations",
    response_model=list[InvitationResponse],
    **operation(
        "List invitations",
        scope="users-read",
        extension=True,
        description="All invitations to the company, newest first, those that are over too.",
    ),
)
async def list_invitations(context: Ctx) -> Response:
    now = context.now
    return await array(await store.list_invitations(context), lambda one: render_invitation(one, now))


@router.post(
    "/v1/users/invitations",
    **operation(
        "Invite a user",
        scope="users-write",
        status=201,
        extension=True,
        description="Mails a link by which whoever has the address becomes a member: somebody new chooses a name and a "
        f"password, others sign in. It is good once, for seven days.\n\n{_ROLES}",
        response="Invitation created",
        errors=[INSUFFICIENT_PERMISSIONS, USER_ALREADY_EXISTS, INVITATION_ALREADY_EXISTS],
    ),
)
async def create_invitation(context: Ctx, caller: CallerDep, body: CreateInvitationRequest) -> InvitationResponse:
    invitation = await actions.invite(
        context, email=body.email, role=body.role, language=body.language, held=caller.principal.scopes
    )
    return render_invitation(invitation, context.now)


@router.delete(
    "/v1/users/invitations/{invitationId}",
    **operation(
        "Revoke an invitation",
        scope="users-write",
        status=204,
        extension=True,
        description=f"The link leads nowhere from now on; the invitation stays in the list.\n\n{_ROLES}",
        response="Invitation revoked",
        errors=[INVITATION_NOT_FOUND, INVITATION_INVALID_STATE, INSUFFICIENT_PERMISSIONS],
    ),
)
async def revoke_invitation(context: Ctx, caller: CallerDep, invitation_id: InvitationPath) -> None:
    await actions.revoke_invitation(context, invitation_id, caller.principal.scopes)


@router.patch(
    "/v1/users/{userId}",
    **operation(
        "Change a user's role",
        scope="users-write",
        extension=True,
        description="The member's sessions in the company and the tokens of the member's applications there end at "
        f"once; the next sign-in has the new role.\n\n{_ROLES}",
        errors=[USER_NOT_FOUND, LAST_OWNER, INSUFFICIENT_PERMISSIONS],
    ),
)
async def change_role(context: Ctx, caller: CallerDep, user_id: UserPath, body: UpdateUserRequest) -> UserResponse:
    return render_member(await actions.change_role(context, user_id, body.role, caller.principal.scopes))


@router.delete(
    "/v1/users/{userId}",
    **operation(
        "Remove a user",
        scope="users-write",
        status=204,
        extension=True,
        description="The user is no member any more: sessions in the company and tokens of applications end at once. "
        f"The account stays, and so does what the user did.\n\n{_ROLES}",
        response="User removed",
        errors=[USER_NOT_FOUND, LAST_OWNER, INSUFFICIENT_PERMISSIONS],
    ),
)
async def remove_user(context: Ctx, caller: CallerDep, user_id: UserPath) -> None:
    await actions.remove(context, user_id, caller.principal.scopes)
