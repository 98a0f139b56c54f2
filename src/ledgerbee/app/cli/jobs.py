"""`ledgerbee jobs`: the jobs that were given up, and another try for them."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledgerbee.app.cli.options import AsJson, DataDir, fail, note, print_json, print_result, shown

if TYPE_CHECKING:
    from ledgerbee.platform.connection import Connection
    from ledgerbee.platform.job_report import HeldJob, JobCount

#: PostgreSQL's bigint.
_LARGEST_ID: Final = 2**63 - 1

app = typer.Typer(no_args_is_help=True, help="Background jobs: what waits, what was given up.")


@app.command("list")
def list_held(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many held jobs.")] = 100,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List the jobs that are held because their attempts are used up, and count the others."""
    from ledgerbee.app.cli.session import access
    from ledgerbee.app.database_access import as_worker
    from ledgerbee.core.dates import format_moment
    from ledgerbee.platform.job_report import count_jobs, held_jobs

    async def look(connection: "Connection") -> "tuple[list[JobCount], list[HeldJob]]":
        return await count_jobs(connection), await held_jobs(connection, limit=limit)

    with access(data_dir) as found:
        counts, held = as_worker(found, look)
    total = {
        state: sum(count.count for count in counts if count.state == state) for state in ("waiting", "running", "held")
    }
    if as_json:
        jobs = [
            {
                "id": job.id,
                "job": job.job,
                "companyId": job.company_id,
                "attempts": job.attempts,
                "heldAt": format_moment(job.held_at),
                "error": job.error,
            }
            for job in held
        ]
        print_json({**total, "jobs": jobs})
        return
    for job in held:
        typer.echo(f"{job.id}  {job.job}  company {job.company_id}  {format_moment(job.held_at)}  {shown(job.error)}")
    note(f"{total['held']} held, {total['running']} running, {total['waiting']} waiting")


@app.command("retry")
def retry(
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", min=1, max=_LARGEST_ID, help="Held jobs (see `jobs list`).")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All held jobs.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Have held jobs run again, with all their attempts."""
    if every == bool(ids):
        fail("Name the jobs by id, or say --all.")
    from ledgerbee.app.cli.session import access
    from ledgerbee.app.database_access import as_worker
    from ledgerbee.platform.job_report import release_held_jobs

    with access(data_dir) as found:
        released = as_worker(found, lambda connection: release_held_jobs(connection, None if every else ids))
    if missing := sorted(set(ids or ()) - set(released)):
        fail(f"Not held: {', '.join(map(str, missing))}. Released: {', '.join(map(str, released)) or 'none'}.")
    print_result({"retried": released}, f"{len(released)} jobs run again.", as_json=as_json)
