"""`ledgerbee api-key`: making, listing and revoking a company's API keys."""

from typing import Annotated
from uuid import UUID

import typer

from ledgerbee.app.cli.options import AsJson, CompanyOption, DataDir, note, print_json, print_result, shown

app = typer.Typer(no_args_is_help=True, help="API keys.")


@app.command("create")
def create(
    scopes: Annotated[str, typer.Option(help="`all`, or scopes separated by commas.")],
    company: CompanyOption = None,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Create an API key; it is shown once."""
    from ledgerbee.app.cli.session import in_the_company
    from ledgerbee.http.validation import validated
    from ledgerbee.platform.credentials.model import SCOPES
    from ledgerbee.tenancy.api_keys import actions
    from ledgerbee.tenancy.api_keys.wire import CreateApiKeyRequest

    wanted = list(SCOPES) if scopes == "all" else [scope.strip() for scope in scopes.split(",")]
    body = validated(CreateApiKeyRequest, {"name": name, "scopes": wanted})
    key, secret = in_the_company(
        data_dir, company, lambda context: actions.create(context, name=body.name, scopes=body.scopes)
    )
    print_result({"id": key.id, "key": secret}, secret, as_json=as_json)
    if not as_json:
        note("Keep it: it is not shown again.")


@app.command("list")
def list_all(company: CompanyOption = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List a company's API keys, newest first, the revoked ones too; of each how it begins, not the key itself."""
    from ledgerbee.app.cli.session import in_the_company
    from ledgerbee.core.dates import format_moment
    from ledgerbee.tenancy.grants import store
    from ledgerbee.tenancy.grants.model import ApiKey
    from ledgerbee.tenancy.grants.wire import render_key

    keys = in_the_company(data_dir, company, lambda context: store.list_all(context, ApiKey))
    if as_json:
        rendered = [render_key(key).model_dump(mode="json", by_alias=True) for key in keys]
        print_json({"apiKeys": rendered})
        return
    for key in keys:
        ends = f"expires {format_moment(key.expires_at)}" if key.expires_at else "does not expire"
        state = f"revoked {format_moment(key.revoked_at)}" if key.revoked_at else ends
        typer.echo(f"{key.id}  {key.prefix}…  {len(key.scopes)} scopes  {state}  {shown(key.name)}")


@app.command("revoke")
def revoke(
    key: Annotated[UUID, typer.Argument(metavar="ID", help="The key's id (see `api-key list`).")],
    company: CompanyOption = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Revoke an API key: it stops working at once and stays in the list."""
    from ledgerbee.app.cli.session import in_the_company
    from ledgerbee.core.dates import format_moment
    from ledgerbee.tenancy.grants import actions
    from ledgerbee.tenancy.grants.model import ApiKey

    revoked = in_the_company(data_dir, company, lambda context: actions.revoke(context, ApiKey, key))
    moment = format_moment(revoked.revoked_at) if revoked.revoked_at else None
    done = f"Revoked: {revoked.id} ({shown(revoked.name)})"
    print_result({"id": revoked.id, "revokedAt": moment}, done, as_json=as_json)
