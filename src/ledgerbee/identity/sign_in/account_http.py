"""The page of an account (ours), at `/account`: name, language, password, second factors, sessions, companies.

Whatever changes how the account is entered takes the password once more.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from ledgerbee.core.dates import day_in, iso_day
from ledgerbee.core.ids import parse_id
from ledgerbee.http.cells import Cell
from ledgerbee.identity.pages import cookies
from ledgerbee.identity.pages.addresses import edge_of, host_of, redirect
from ledgerbee.identity.pages.page import render_page
from ledgerbee.identity.pages.serving import serve
from ledgerbee.identity.sign_in import codes, limits, passkeys, store
from ledgerbee.identity.sign_in.answers import as_json, patiently
from ledgerbee.identity.sign_in.browsers import box_of, let_in, new_session, now_of
from ledgerbee.identity.sign_in.model import Account, UserSession
from ledgerbee.identity.sign_in.passkeys import PasskeyRefusedError
from ledgerbee.identity.sign_in.sessions import companies_of, session_form, session_of, sign_in_redirect
from ledgerbee.identity.sign_in.texts import PASSKEY_SCRIPT, TEXTS
from ledgerbee.identity.users.passwords import fault_of, new_record, password_check
from ledgerbee.identity.users.rules import tidy_name

router = APIRouter(include_in_schema=False)

_HERE: Final = "ledgerbee.identity.sign_in"
_DONE: Final = frozenset({"saved", "changed_password", "removed", "ended", "joined"})
#: Where moments are shown in the days of.
_TIME_ZONE: Final = "Europe/Copenhagen"

Answer = Callable[[UserSession, dict[str, str]], Awaitable[Response]]


@router.get("/account")
async def show_account(request: Request) -> Response:
    """The page."""

    async def answer() -> Response:
        session = await session_of(request)
        if session is None:
            return sign_in_redirect(request)
        done = request.query_params.get("done")
        return await _page(request, session, done=done if done in _DONE else None)

    return await serve(request, answer)


@router.post("/account")
async def change_account(request: Request) -> Response:
    """Another name or language."""

    async def answer(session: UserSession, fields: dict[str, str]) -> Response:
        name, language = tidy_name(fields.get("name", "")), fields.get("language", "")
        if not name or language not in {"da", "en"}:
            return await _page(request, session, "name_missing")
        async with _cell(request, session).database.connection() as connection:
            await store.change_account(connection, session.secret, name, language, now_of(request))
        response = redirect(request, "/account?done=saved")
        cookies.remove(request, response, cookies.LANGUAGE)  # one that was chosen for a while
        return response

    return await _changed(request, answer)


@router.post("/account/password")
async def change_password(request: Request) -> Response:
    """Another password: everything else that is open ends, and this browser gets a new session."""

    async def answer(session: UserSession, fields: dict[str, str]) -> Response:
        chosen, cell = fields.get("new_password", ""), _cell(request, session)
        fault = fault_of(chosen, session.email)
        if fault is None and chosen != fields.get("again", ""):
            fault = "passwords_differ"
        if fault is not None:
            return await _page(request, session, fault)
        shown, record = await _shown(request, session, fields), await new_record(chosen)
        fresh, secret = new_session(request, cell)
        async with cell.database.connection() as connection:
            done = await store.change_password(connection, session.secret, shown, record, fresh, now_of(request))
        if not done:
            return await _page(request, session, "wrong_current_password")
        return let_in(request, redirect(request, "/account?done=changed_password"), secret, session.email)

    return await _changed(request, answer)


@router.get("/account/totp")
async def show_totp(request: Request) -> Response:
    """A new secret for one-time passwords, as a QR code; nothing is kept before a code of it is shown."""

    async def answer() -> Response:
        session = await session_of(request)
        return sign_in_redirect(request) if session is None else _totp_page(request, session, codes.new_totp_secret())

    return await serve(request, answer)


@router.post("/account/totp")
async def set_up_totp(request: Request) -> Response:
    """Keep the secret, once a code of it and the password are right; recovery codes, where there are none."""

    async def answer(session: UserSession, fields: dict[str, str]) -> Response:
        secret, now = fields.get("secret", ""), now_of(request)
        if not codes.is_totp_secret(secret):
            return redirect(request, "/account/totp")
        period = codes.period_of(secret, fields.get("code", "")[:100], now)
        if period is None:
            return _totp_page(request, session, secret, "wrong_code")
        shown = await _shown(request, session, fields)
        new_codes = await _first_codes(request, session)
        totp = (box_of(request).encrypt(secret.encode()), period)
        async with _cell(request, session).database.connection() as connection:
            hashes = _hashes(new_codes)
            if not await store.set_totp(connection, session.secret, shown, totp, hashes, now):
                return _totp_page(request, session, secret, "wrong_current_password")
        return _codes_page(request, session, new_codes) if new_codes else redirect(request, "/account?done=saved")

    return await _changed(request, answer)


@router.post("/account/totp/remove")
async def remove_totp(request: Request) -> Response:
    """No one-time passwords any more."""

    async def answer(session: UserSession, fields: dict[str, str]) -> Response:
        shown = await _shown(request, session, fields)
        async with _cell(request, session).database.connection() as connection:
            if not await store.set_totp(connection, session.secret, shown, None, [], now_of(request)):
                return await _page(request, session, "wrong_current_password")
        return redirect(request, "/account?done=removed")

    return await _changed(request, answer)


@router.post("/account/recovery-codes")
async def renew_recovery_codes(request: Request) -> Response:
    """Other recovery codes: those from before are good for nothing from now on."""

    async def answer(session: UserSession, fields: dict[str, str]) -> Response:
        shown, new_codes = await _shown(request, session, fields), codes.new_recovery_codes()
        async with _cell(request, session).database.connection() as connection:
            account = await store.get_account(connection, session.secret, now_of(request))
            if not account.has_second_factor:
                return redirect(request, "/account")
            if not await store.renew_recovery_codes(
                connection, session.secret, shown, _hashes(new_codes), now_of(request)
            ):
                return await _page(request, session, "wrong_current_password")
        return _codes_page(request, session, new_codes)

    return await _changed(request, answer)


@router.post("/account/passkeys/options")
async def ask_for_new_passkey(request: Request) -> Response:
    """What the browser is to make a passkey of, as JSON; takes the password."""

    async def answer(session: UserSession, fields: dict[str, str]) -> Response:
        shown, challenge, now = await _shown(request, session, fields), secrets.token_bytes(32), now_of(request)
        async with _cell(request, session).database.connection() as connection:
            account = await store.get_account(connection, session.secret, now)
            hashed = passkeys.challenge_hash(challenge)
            if not await store.ask_for_new_passkey(connection, session.secret, shown, hashed, now):
                return Response("{}", 400, media_type="application/json")
        known = [one.credential for one in account.passkeys]
        options = passkeys.new_passkey_options(request, session, challenge, known)
        return Response(options, media_type="application/json")

    return await serve(request, lambda: as_json(lambda: _with_form(request, answer)))


@router.post("/account/passkeys")
async def add_passkey(request: Request) -> Response:
    """Keep what the browser made; recovery codes with the first second factor."""

    async def answer(session: UserSession, fields: dict[str, str]) -> Response:
        try:
            shown, _, challenge = passkeys.read_answer(fields.get("credential", ""))
            made = passkeys.check_new(request, shown, challenge)
        except PasskeyRefusedError:
            return await _page(request, session, "passkey_failed")
        new_codes = await _first_codes(request, session)
        name = tidy_name(fields.get("name", ""))[:80] or "Passkey"
        async with _cell(request, session).database.connection() as connection:
            hashed = passkeys.challenge_hash(challenge)
            kept = await store.add_passkey(
                connection, session.secret, hashed, made, name, _hashes(new_codes), now_of(request)
            )
        if not kept:
            return await _page(request, session, "passkey_failed")
        return _codes_page(request, session, new_codes) if new_codes else redirect(request, "/account?done=saved")

    return await _changed(request, answer)


@router.post("/account/passkeys/remove")
async def remove_passkey(request: Request) -> Response:
    """Forget a passkey."""

    async def answer(session: UserSession, fields: dict[str, str]) -> Response:
        shown, passkey_id = await _shown(request, session, fields), _id_in(fields)
        if passkey_id is not None:
            async with _cell(request, session).database.connection() as connection:
                if not await store.remove_passkey(connection, session.secret, shown, passkey_id, now_of(request)):
                    return await _page(request, session, "wrong_current_password")
        return redirect(request, "/account?done=removed")

    return await _changed(request, answer)


@router.post("/account/sessions/end")
async def end_sessions(request: Request) -> Response:
    """Sign out in another browser, or in all others."""

    async def answer(session: UserSession, fields: dict[str, str]) -> Response:
        if "id" not in fields or _id_in(fields) is not None:
            async with _cell(request, session).database.connection() as connection:
                await store.end_other_sessions(connection, session.secret, _id_in(fields), now_of(request))
        return redirect(request, "/account?done=ended")

    return await _changed(request, answer)


async def _changed(request: Request, answer: Answer) -> Response:
    return await serve(request, lambda: patiently(request, lambda: _with_form(request, answer)))


async def _with_form(request: Request, answer: Answer) -> Response:
    session = await session_of(request)
    return sign_in_redirect(request) if session is None else await answer(session, await session_form(request, session))


def _cell(request: Request, session: UserSession) -> Cell:
    cell = edge_of(request).cells.of_secret(session.secret)
    assert cell is not None, "the session was found there"
    return cell


async def _shown(request: Request, session: UserSession, fields: dict[str, str]) -> bytes:
    """What the database compares of the password that a form shows once more. Raises `TooManyTriesError`."""
    async with edge_of(request).cells.own.database.connection() as connection:
        await limits.take(connection, limits.password_limits(session.user_id), now_of(request))
    async with _cell(request, session).database.connection() as connection:
        salt, parameters = await store.password_parameters(connection, session.email)
    return await password_check(fields.get("password", ""), salt, parameters)


def _id_in(fields: dict[str, str]) -> UUID | None:
    try:
        return parse_id(fields.get("id", ""))
    except ValueError:
        return None


async def _first_codes(request: Request, session: UserSession) -> list[str]:
    """Recovery codes for whoever has none."""
    async with _cell(request, session).database.connection() as connection:
        account = await store.get_account(connection, session.secret, now_of(request))
    return [] if account.recovery_codes else codes.new_recovery_codes()


def _hashes(new_codes: list[str]) -> list[bytes]:
    return [found for code in new_codes if (found := codes.recovery_hash(code)) is not None]


async def _page(
    request: Request, session: UserSession, notice: str | None = None, *, done: str | None = None
) -> Response:
    companies = await companies_of(request, session)
    async with _cell(request, session).database.connection() as connection:
        account: Account = await store.get_account(connection, session.secret, now_of(request))
    can_have_passkeys = passkeys.are_possible(request)
    values = {
        "notice": notice,
        "done": done,
        "session": session,
        "account": account,
        "companies": companies,
        "can_have_passkeys": can_have_passkeys,
        "day": lambda moment: iso_day(day_in(moment, _TIME_ZONE)),
    }
    return render_page(
        request, f"{_HERE}/account.html", TEXTS, values, viewer=session, status=400 if notice else 200,
        script=PASSKEY_SCRIPT if can_have_passkeys else None,
    )  # fmt: skip


def _totp_page(request: Request, session: UserSession, secret: str, notice: str | None = None) -> Response:
    import segno  # noqa: PLC0415  for the sake of the start

    address = codes.authenticator_address(secret, session.email, f"ledgerbee ({host_of(request)})")
    picture = segno.make(address, error="m").svg_inline(scale=4, border=4, svgclass="qr", omitsize=True)
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    values = {"notice": notice, "session": session, "secret": secret, "groups": groups, "picture": picture}
    status = 400 if notice else 200
    return render_page(request, f"{_HERE}/totp.html", TEXTS, values, viewer=session, status=status)


def _codes_page(request: Request, session: UserSession, new_codes: list[str]) -> Response:
    values = {"codes": new_codes}
    return render_page(request, f"{_HERE}/recovery_codes.html", TEXTS, values, viewer=session)
