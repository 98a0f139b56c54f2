"""What Beancount takes and what it refuses: each book stands here as Beancount itself books it, or not at all."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.beancount_books import HEAD, expected, imported, nothing_was_made
from tests.conftest import Api

from ledgerbee.app.beancount.model import BooksRefusedError


def moved(account: str, amount: str, *, day: str = "2024-01-05", other: str = "Equity:O", more: str = "") -> str:
    """A transaction: `amount` on an account, what balances it on another, `more` lines of metadata."""
    return f'{day} * "x"\n{more}  {account}  {amount}\n  {other}\n'


#: Valid books: what stands on the accounts afterwards, in the company's currency.
VALID: dict[str, tuple[str, dict[str, str]]] = {
    "commas between thousands": (
        moved("Assets:A", "1,234.50 USD"),
        {"Assets:A": "1234.50", "Equity:O": "-1234.50"},
    ),
    "the day of a lot": (
        moved("Assets:A", "2 ABC {10.00 USD, 2024-1-4}") + moved("Assets:B", "2 ABC {10.00 USD, 2024-01-4}"),
        {"Assets:A": "20", "Assets:B": "20", "Equity:O": "-40"},
    ),
    "the day of a lot alone, and with the cost of all": (
        moved("Assets:A", "2 ABC {2024-1-4}", other="Equity:O  -20.00 USD")
        + moved("Assets:B", "2 ABC {{20.00 USD, 2024-1-4}}"),
        {"Assets:A": "20", "Assets:B": "20", "Equity:O": "-40"},
    ),
    "tolerance from cost": (
        'option "infer_tolerance_from_cost" "TRUE"\n'
        + moved("Assets:A", "9.178 VFIFX {45.36 USD}", day="2020-12-30", other="Income:D  -416.30 USD")
        + moved("Assets:B", "51.031 ABCX {97.98 USD}", day="2015-05-17", other="Assets:C  -5000.00 USD"),
        {
            "Assets:A": "416.31",
            "Income:D": "-416.30",
            "Assets:B": "5000.02",
            "Assets:C": "-5000",
            "Equity:Rounding": "-0.03",
        },
    ),
    "tolerance by default": (
        'option "inferred_tolerance_default" "USD:0.05"\n'
        + moved("Assets:A", "100.02 USD", other="Income:M  -100 USD"),
        {"Assets:A": "100.02", "Income:M": "-100", "Equity:Rounding": "-0.02"},
    ),
    "dates without zeros": (
        "".join(moved("Assets:A", "10.00 USD", day=day) for day in ("2024-1-5", "2024/1/5", "2024-01-5")),
        {"Assets:A": "30", "Equity:O": "-30"},
    ),
    "names in all scripts": (
        "".join(moved(f"Assets:{name}", "10.00 USD") for name in ("D\u2019ALB", "A🏦Bank", "A:微信（零钱）", "A:बैंक")),
        {
            "Assets:D\u2019ALB": "10",
            "Assets:A🏦Bank": "10",
            "Assets:A:微信（零钱）": "10",
            "Assets:A:बैंक": "10",
            "Equity:O": "-40",
        },
    ),
    "metadata without blanks": (
        "".join(
            moved("Assets:A", "10.00 USD", more=f"  {more}\n")
            for more in ('doc:"a.pdf"', "amt:10.00 USD", "when:2024-01-01")
        ),
        {"Assets:A": "30", "Equity:O": "-30"},
    ),
    "tabs": (
        'plugin\t"beancount.plugins.auto_accounts"\noption\t"title"\t"Books"\npushtag\t#trip\n'
        + moved("Assets:A", "10.00 USD")
        + "poptag\t#trip\n",
        {"Assets:A": "10", "Equity:O": "-10"},
    ),
    "line separators in comments": (
        "; a\x0cb\n"
        + moved("Assets:A", "10.00 USD ; PayPal\u2028ref 12")
        + moved("Assets:A", "10.00 USD ; was\u2028  Assets:A  5.00 USD"),
        {"Assets:A": "20", "Equity:O": "-20"},
    ),
    "shares that are not kept at cost, and codes of one letter": (
        moved("Assets:A", "2 V @ 100 USD") + moved("Assets:A", "1 /6J {3 USD}"),
        {"Assets:A": "3", "Equity:O": "-203", "Equity:Conversions": "200"},
    ),
    **{
        f"{quantity} of three lots, first in first out": (
            '2019-01-01 open Assets:S HOOL "FIFO"\n'
            + moved("Assets:S", "10 HOOL {10.00 USD}", day="2020-01-01", other="Assets:C")
            + moved("Assets:S", "10 HOOL {11.00 USD}", day="2020-01-02", other="Assets:C")
            + moved("Assets:S", "10 HOOL {12.00 USD}", day="2020-01-03", other="Assets:C")
            + moved("Assets:S", f"-{quantity} HOOL {{}}", day="2020-02-01", other=f"Assets:C  {15 * quantity}.00 USD")
            + "  Income:G\n",
            {"Assets:C": cash, "Assets:S": shares, "Income:G": gain},
        )
        for quantity, cash, shares, gain in (
            (5, "-255", "280", "-25"),
            (15, "-105", "175", "-70"),
            (20, "-30", "120", "-90"),
            (25, "45", "60", "-105"),
        )
    },
}


@pytest.mark.parametrize("name", VALID)
async def test_valid_books(us: Api, tmp_path: Path, name: str) -> None:
    text, figures = VALID[name]
    file = tmp_path / "books.beancount"
    file.write_text(HEAD + text)
    found = await imported(us, file)
    assert found.errors == []
    dollars = {account: number for (account, currency), number in found.balances.items() if currency == "USD"}
    assert dollars == {account: Decimal(number) for account, number in figures.items()}
    assert found.balances == expected(file)


@pytest.mark.parametrize(
    "amount",
    [
        "12,34 USD",
        "99,95 USD",
        "1,2345 USD",
        "1,234,56 USD",
        "2.00 EUR @ 7,46 USD",
        "2 ABC {10.00 USD, 11.00 USD}",
        "2 ABC {10.00 USD, EUR}",
        "2 ABC @ -10.00 USD",
    ],
)
async def test_books_that_beancount_refuses(us: Api, tmp_path: Path, amount: str) -> None:
    file = tmp_path / "books.beancount"
    file.write_text(HEAD + moved("Assets:A", amount))
    with pytest.raises(BooksRefusedError, match=r"books\.beancount:3: "):
        await imported(us, file)
    assert await nothing_was_made(us)
