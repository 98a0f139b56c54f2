"""What all billing documents take: numbers of a series."""

from ledgerbee.platform.context import Context


async def take_number(context: Context, series: str) -> tuple[int, str]:
    """The next number of a series, and how it is written (with the series' prefix).

    The series' row stays locked until the transaction ends, so that no number is ever skipped: take it as late as
    possible, before posting to the ledger and after everything that can be refused. A number that no document of the
    series has at COMMIT undoes the transaction.
    """
    row = await context.connection.fetchrow("SELECT last_number, prefix FROM take_number($1)", series)
    assert row is not None
    return row["last_number"], f"{row['prefix']}{row['last_number']}"
