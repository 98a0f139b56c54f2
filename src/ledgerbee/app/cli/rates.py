"""`ledgerbee rates`: published exchange rates from a file, where there is no network or its rates leave a gap."""

from pathlib import Path
from typing import Annotated

import typer

from ledgerbee.app.cli.options import AsJson, DataDir, a_file, note, print_json

app = typer.Typer(no_args_is_help=True, help="Published exchange rates.")


@app.command("import")
def import_rates(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", parser=a_file, help="The bank's XML, CSV or zipped CSV."),
    ],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Add the European Central Bank's rates of the days that are not stored yet; the others stay as they are."""
    from ledgerbee.app.cli.session import access
    from ledgerbee.app.database_access import as_owner
    from ledgerbee.core.dates import system_clock
    from ledgerbee.tenancy.rates import actions, ecb

    with file.open("rb") as opened:
        published = ecb.read(opened.read(ecb.MAX_BYTES + 1))
    with access(data_dir) as found:
        added = as_owner(found, lambda owner: actions.add_published(owner, published, system_clock()))
    days = [day.isoformat() for day in added.days]
    if as_json:
        print_json(
            {
                "daysInFile": len(published),
                "daysAdded": len(days),
                "first": days[0] if days else None,
                "last": days[-1] if days else None,
                "notWhole": [day.isoformat() for day in added.partial],
            }
        )
        return
    span = f" ({days[0]} to {days[-1]})" if days else ""
    typer.echo(f"{len(days)} of {len(published)} days added{span}")
    for day in added.partial:
        note(f"{day} is not whole and was left out: it lacks currencies of the day before.")
