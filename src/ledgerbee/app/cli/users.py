"""`ledgerbee user`: who may sign in, and to which company."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ledgerbee.app.cli.options import (
    AsJson,
    CompanyOption,
    DataDir,
    embedded_dir,
    fail,
    note,
    print_json,
    print_result,
    shown,
)

app = typer.Typer(no_args_is_help=True, help="People who sign in.")

Email = Annotated[str, typer.Option(help="The address that the account goes by.")]


@app.command("create")
def create(
    email: Email,
    role: Annotated[str, typer.Option(help="`owner`, `accountant`, `sales` or `read-only`.")],
    company: CompanyOption = None,
    name: Annotated[str, typer.Option(help="The person's name, with --password-stdin.")] = "",
    language: Annotated[str | None, typer.Option(help="`da` or `en` (default: the company's).")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a password from standard input; without it, print a link.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a person a member of a company, or print a link by which the person becomes one."""
    from ledgerbee.app.cli.session import in_the_company
    from ledgerbee.identity.users import actions
    from ledgerbee.identity.users.model import Role
    from ledgerbee.identity.users.passwords import fault_of, new_record
    from ledgerbee.identity.users.rules import tidy_name
    from ledgerbee.platform.context import Context
    from ledgerbee.tenancy.company import store as companies

    address = _address(email)
    if role not in set(Role):
        fail(f"--role is one of {', '.join(Role)}.")
    if language not in {None, "da", "en"}:
        fail("--language is da or en.")
    if not password_stdin:

        async def invite(context: Context) -> str:
            made = await actions.invite(
                context, email=address, role=Role(role), language=language, held=None, by_mail=False
            )
            return await actions.new_link(context, made.id)

        link = f"{_base_url(data_dir)}/invitations/{in_the_company(data_dir, company, invite)}"
        print_result({"email": address, "role": role, "link": link}, link, as_json=as_json)
        if not as_json:
            note("Good for seven days, and once: give it to the person. It is not shown again.")
            _note_unknown_address(data_dir)
        return
    password = sys.stdin.readline().rstrip("\r\n")
    fault = fault_of(password, address)
    if fault is not None:
        fail(_FAULTS[fault])

    async def add(context: Context) -> str:
        spoken = language or ("da" if (await companies.get(context)).preferred_language == "da" else "en")
        record = await new_record(password)
        user_id = await actions.add_user(context, address, tidy_name(name) or address, spoken, record)
        await actions.add_member(context, user_id, Role(role))
        return str(user_id)

    user_id = in_the_company(data_dir, company, add)
    done = f"{shown(address)} is {role}: sign in at {_base_url(data_dir)}/sign-in"
    print_result({"id": user_id, "email": address, "role": role}, done, as_json=as_json)
    if not as_json:
        note("Whoever had an account before keeps its password.")
        _note_unknown_address(data_dir)


@app.command("list")
def list_all(company: CompanyOption = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List a company's members."""
    from ledgerbee.app.cli.session import in_the_company
    from ledgerbee.core.dates import format_moment
    from ledgerbee.identity.users import store
    from ledgerbee.identity.users.wire import render_member

    members = in_the_company(data_dir, company, store.list_members)
    if as_json:
        print_json({"users": [render_member(one).model_dump(mode="json", by_alias=True) for one in members]})
        return
    for one in members:
        last = f"last here {format_moment(one.last_signed_in_at)}" if one.last_signed_in_at else "has not been here"
        typer.echo(f"{one.user_id}  {one.role}  {shown(one.email)}  {shown(one.name)}  {last}")


@app.command("reset-password")
def reset_password(email: Email, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Print a link by which a person chooses a new password, for whoever gets no mail."""
    from ledgerbee.app.cli.session import access
    from ledgerbee.app.config import Settings
    from ledgerbee.app.database_access import as_worker
    from ledgerbee.core.cells import new_secret
    from ledgerbee.core.dates import system_clock
    from ledgerbee.identity.sign_in import store
    from ledgerbee.identity.sign_in.model import RESET_PREFIX
    from ledgerbee.platform.connection import Connection
    from ledgerbee.platform.credentials.model import secret_hash

    address = _address(email)
    secret = new_secret(RESET_PREFIX, Settings().cell)

    async def add(connection: Connection) -> bool:
        user_id = await store.find_user(connection, address)
        found = user_id and await store.add_reset_link(connection, user_id, secret_hash(secret), system_clock())
        return bool(found)

    with access(data_dir) as found:
        if not as_worker(found, add):
            fail(f"Nobody has the address {shown(address)}.")
    link = f"{_base_url(data_dir)}/reset-password/{secret}"
    print_result({"email": address, "link": link}, link, as_json=as_json)
    if not as_json:
        note("Good for an hour, and once. It is not shown again.")
        _note_unknown_address(data_dir)


@app.command("remove")
def remove(email: Email, company: CompanyOption = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Remove a member from a company; the account stays."""
    from ledgerbee.app.cli.session import in_the_company
    from ledgerbee.identity.users import actions, store
    from ledgerbee.platform.context import Context

    address = _address(email)

    async def work(context: Context) -> str | None:
        for one in await store.list_members(context):
            if one.email == address:
                await actions.remove(context, one.user_id, None)
                return str(one.user_id)
        return None

    user_id = in_the_company(data_dir, company, work)
    if user_id is None:
        fail(f"Nobody with the address {shown(address)} is a member.")
    print_result({"id": user_id, "email": address}, f"Removed: {shown(address)}", as_json=as_json)


_FAULTS = {
    "password_short": "The password needs at least 12 characters.",
    "password_long": "The password may have at most 256 characters.",
    "password_is_email": "The password must not be the e-mail address.",
    "password_common": "The password is one of those that are tried first: choose another one.",
}


def _address(text: str) -> str:
    from ledgerbee.identity.users.rules import account_email

    found = account_email(text)
    if found is None:
        fail(f"{shown(text)} is no e-mail address.")
    return found


def _base_url(data_dir: Path | None) -> str:
    """Where the installation is reached: as it is set, else as the `serve` of the data folder says. Empty: unknown."""
    from ledgerbee.app.config import Settings
    from ledgerbee.embedded import serving_address

    settings = Settings()
    folder = embedded_dir(data_dir, settings)
    return settings.public_url or (serving_address(folder) if folder is not None else None) or ""


def _note_unknown_address(data_dir: Path | None) -> None:
    if not _base_url(data_dir):
        note("Before the path comes the address of the server: no `serve` of this folder says it now.")
