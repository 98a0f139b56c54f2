"""Pages of signing in and out (ours): `/sign-in`, its second factor, passkeys, `/sign-out`.

Whatever doesn't fit, address or password, known or not, is answered alike and takes as long.
"""

import secrets
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from ledgerbee.core.cells import new_secret
from ledgerbee.identity.pages import cookies
from ledgerbee.identity.pages.addresses import edge_of, redirect
from ledgerbee.identity.pages.forms import read_form
from ledgerbee.identity.pages.page import render_page
from ledgerbee.identity.pages.rules import form_token, path_within
from ledgerbee.identity.pages.serving import FormRefusedError, TooManyTriesError, client_of, serve, told_to_wait
from ledgerbee.identity.sign_in import codes, limits, passkeys, store
from ledgerbee.identity.sign_in.answers import as_json, patiently
from ledgerbee.identity.sign_in.browsers import (
    before_session,
    box_of,
    cells_of,
    device_of,
    form_token_before,
    go_on,
    let_in,
    new_session,
    now_of,
    with_form_cookie,
)
from ledgerbee.identity.sign_in.model import STEP_PREFIX
from ledgerbee.identity.sign_in.passkeys import PasskeyRefusedError
from ledgerbee.identity.sign_in.sessions import session_of
from ledgerbee.identity.sign_in.store import SecondFactor
from ledgerbee.identity.sign_in.texts import PASSKEY_SCRIPT, TEXTS
from ledgerbee.identity.users.passwords import MAX_LENGTH, PARAMETERS, new_record, password_check
from ledgerbee.identity.users.rules import account_email
from ledgerbee.platform.credentials.model import secret_hash

router = APIRouter(include_in_schema=False)

_HERE = "ledgerbee.identity.sign_in"


@router.get("/sign-in")
async def show_sign_in(request: Request) -> Response:
    """The page; whoever has signed in goes on at once."""

    async def answer() -> Response:
        if await session_of(request) is not None:
            return go_on(request, request.query_params.get("next"))
        done = request.query_params.get("done")
        return _page(request, done=done if done in {"password", "signed_out"} else None)

    return await serve(request, answer)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """E-mail and password: a session, or on to the second factor."""

    async def answer() -> Response:
        fields = await _form(request)
        email = account_email(fields.get("email", "")[:MAX_LENGTH]) or ""
        password, now = fields.get("password", ""), now_of(request)
        async with edge_of(request).cells.own.database.connection() as connection:
            known = limits.sign_in_limits(email, client_of(request), device_of(request, email))
            try:
                await limits.take(connection, known, now)
            except TooManyTriesError as fault:
                refused = _page(request, "too_many_sign_ins", fields, status=429)
                return told_to_wait(refused, fault.free_at - now)
        for cell in cells_of(request):
            async with cell.database.connection() as connection:
                salt, parameters = await store.password_parameters(connection, email)
            # No connection is held while it is computed.
            check = await password_check(password, salt, parameters)
            renewed = await new_record(password) if parameters != PARAMETERS else None
            session, secret = new_session(request, cell)
            step = new_secret(STEP_PREFIX, cell.mark)
            async with cell.database.connection() as connection:
                outcome = await store.begin_sign_in(connection, email, check, session, secret_hash(step), renewed, now)
            if outcome == "signed_in":
                return let_in(request, go_on(request, fields.get("next")), secret, email)
            if outcome == "second_factor":
                response = _to_second_factor(request, fields)
                cookies.write(request, response, cookies.STEP, step, 600)
                return response
        return _page(request, "wrong_password", fields, status=400)

    return await serve(request, lambda: patiently(request, answer))


def _to_second_factor(request: Request, fields: dict[str, str]) -> Response:
    back = path_within(fields.get("next", ""))
    return redirect(request, "/sign-in/second-factor" + (f"?{urlencode({'next': back})}" if back else ""))


@router.get("/sign-in/second-factor")
async def show_second_factor(request: Request) -> Response:
    """The page that asks for a code, or a passkey."""

    async def answer() -> Response:
        found = await _waiting(request)
        return redirect(request, "/sign-in") if found is None else _second_factor_page(request, found)

    return await serve(request, answer)


@router.post("/sign-in/second-factor")
async def show_code(request: Request) -> Response:
    """A one-time password or a recovery code, each taken once."""

    async def answer() -> Response:
        fields, waiting = await _form(request), await _waiting(request)
        step = cookies.read(request, cookies.STEP)
        if waiting is None or step is None:
            return redirect(request, "/sign-in")
        now, cell = now_of(request), edge_of(request).cells.of_secret(step)
        assert cell is not None, "the step was found there"
        async with edge_of(request).cells.own.database.connection() as connection:
            await limits.take(
                connection, limits.second_factor_limits(waiting.email, device_of(request, waiting.email)), now
            )
        proof = _proof(request, waiting, fields.get("code", ""))
        session, secret = new_session(request, cell)
        async with cell.database.connection() as connection:
            if proof is not None and await store.finish_sign_in(connection, secret_hash(step), proof, session, now):
                return let_in(request, go_on(request, fields.get("next")), secret, waiting.email)
            await store.count_wrong_code(connection, secret_hash(step))
        return _second_factor_page(request, waiting, "wrong_code", fields, status=400)

    return await serve(request, answer)


def _proof(request: Request, waiting: SecondFactor, code: str) -> tuple[int, bytes] | bytes | None:
    """What a code proves: the period of a one-time password, with the secret under the newest key; a recovery code."""
    recovery = codes.recovery_hash(code[:100])
    if recovery is not None or waiting.totp_secret is None:
        return recovery
    secret = box_of(request).decrypt(waiting.totp_secret)
    period = codes.period_of(secret.decode(), code[:100], now_of(request))
    return None if period is None else (period, box_of(request).encrypt(secret))


@router.post("/sign-in/passkey/options")
async def ask_for_passkey(request: Request) -> Response:
    """What the browser's passkey has to sign, as JSON."""

    async def answer() -> Response:
        await _form(request)
        challenge, now = secrets.token_bytes(32), now_of(request)
        async with edge_of(request).cells.own.database.connection() as connection:
            await limits.take(connection, limits.passkey_limits(client_of(request)), now)
        for cell in cells_of(request):
            async with cell.database.connection() as connection:
                await store.ask_for_passkey(connection, passkeys.challenge_hash(challenge), now)
        return Response(passkeys.sign_in_options(request, challenge), media_type="application/json")

    return await serve(request, lambda: as_json(answer))


@router.post("/sign-in/passkey")
async def sign_in_by_passkey(request: Request) -> Response:
    """What the passkey signed: a session, whether or not a password was shown before."""

    async def answer() -> Response:
        fields, now = await _form(request), now_of(request)
        async with edge_of(request).cells.own.database.connection() as connection:
            await limits.take(connection, limits.passkey_limits(client_of(request)), now)
        step = secret_hash(cookies.read(request, cookies.STEP) or "")
        try:
            shown, credential_id, challenge = passkeys.read_answer(fields.get("credential", ""))
            for cell in cells_of(request):
                async with cell.database.connection() as connection:
                    found = await store.take_passkey_challenge(
                        connection, passkeys.challenge_hash(challenge), credential_id, now
                    )
                    if found is None:
                        continue
                    count = passkeys.check_sign_in(request, shown, challenge, found.public_key, found.sign_count)
                    session, secret = new_session(request, cell)
                    if await store.sign_in_by_passkey(connection, found.passkey_id, count, step, session, now):
                        return let_in(request, go_on(request, fields.get("next")), secret, None)
        except PasskeyRefusedError:
            pass
        return _page(request, "wrong_passkey", fields, status=400)

    return await serve(request, answer)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session, and with it what it has opened."""

    async def answer() -> Response:
        session = await session_of(request)
        response = redirect(request, "/sign-in?done=signed_out")
        if session is not None:
            if await read_form(request, session.form_token) is None:
                raise FormRefusedError
            cell = edge_of(request).cells.of_secret(session.secret)
            assert cell is not None, "the session was found there"
            async with cell.database.connection() as connection:
                await store.end_session(connection, session.secret)
        cookies.remove(request, response, cookies.SESSION)
        return response

    return await serve(request, answer)


async def _form(request: Request) -> dict[str, str]:
    fields = await read_form(request, form_token_before(request))
    if fields is None:
        raise FormRefusedError
    return fields


async def _waiting(request: Request) -> SecondFactor | None:
    step = cookies.read(request, cookies.STEP)
    cell = edge_of(request).cells.of_secret(step) if step else None
    if step is None or cell is None:
        return None
    async with cell.database.connection() as connection:
        return await store.find_second_factor(connection, secret_hash(step), now_of(request))


def _page(
    request: Request,
    notice: str | None = None,
    fields: dict[str, str] | None = None,
    *,
    status: int = 200,
    done: str | None = None,
) -> Response:
    fields = fields or {}
    secret, has_passkeys = before_session(request), passkeys.are_possible(request)
    values = {
        "notice": notice,
        "done": done,
        "email": fields.get("email", ""),
        "next": path_within(fields.get("next") or request.query_params.get("next") or "") or "",
        "token": form_token(secret),
        "has_passkeys": has_passkeys,
    }
    page = render_page(
        request, f"{_HERE}/sign_in.html", TEXTS, values, status=status,
        script=PASSKEY_SCRIPT if has_passkeys else None,
    )  # fmt: skip
    return with_form_cookie(request, page, secret)


def _second_factor_page(
    request: Request,
    waiting: SecondFactor,
    notice: str | None = None,
    fields: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    secret = before_session(request)
    has_passkeys = waiting.has_passkeys and passkeys.are_possible(request)
    values = {
        "notice": notice,
        "next": path_within((fields or {}).get("next") or request.query_params.get("next") or "") or "",
        "token": form_token(secret),
        "has_totp": waiting.totp_secret is not None,
        "has_passkeys": has_passkeys,
    }
    page = render_page(
        request, f"{_HERE}/second_factor.html", TEXTS, values, status=status,
        script=PASSKEY_SCRIPT if has_passkeys else None,
    )  # fmt: skip
    return with_form_cookie(request, page, secret)
