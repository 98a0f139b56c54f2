"""The trial balance on the wire (extension)."""

from datetime import date

from pydantic import Field

from ledgerbee.chart.accounts.model import LedgerType
from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import format_amount
from ledgerbee.http.wire import IdText, MoneyText, RequestModel, ResponseModel
from ledgerbee.ledger.periods.wire import BookDay
from ledgerbee.ledger.reports.trial_balance.model import NO_BALANCES, Balances, TrialBalance


class TrialBalanceTotals(ResponseModel):
    """Figures in the company's base currency. Opening and closing are signed, debit positive."""

    opening: MoneyText | None
    debit: MoneyText | None
    credit: MoneyText | None
    closing: MoneyText | None


class TrialBalanceRowResponse(TrialBalanceTotals):
    """A line of the chart. Headings have no figures; totals have those of the accounts they sum."""

    account_id: IdText
    account_number: int = Field(examples=[1010])
    name: str = Field(examples=["Salg af varer og ydelser"])
    ledger_type: LedgerType


class TrialBalanceResponse(ResponseModel):
    """A trial balance. In `totals` debit equals credit, and opening and closing are zero."""

    from_date: date = Field(description="First day, inclusive", examples=["2026-01-01"])
    to_date: date = Field(description="Last day, inclusive", examples=["2026-03-16"])
    currency: str = Field(description="The company's base currency", examples=["DKK"])
    fiscal_year_start: date = Field(description="Start of the fiscal year that holds `fromDate`")
    fiscal_year_end: date = Field(description="End of that fiscal year, inclusive")
    prior_years_result: MoneyText = Field(
        description="What profit and loss accounts stood at when the fiscal year began (debit positive: a profit is "
        "negative). It opens the retained earnings account."
    )
    rows: list[TrialBalanceRowResponse] = Field(
        description="The chart of accounts in its order: by standard account, then number"
    )
    totals: TrialBalanceTotals


class TrialBalanceSpan(RequestModel):
    """The days of a trial balance as the command line takes them: what the query takes over HTTP."""

    from_date: BookDay | None
    to_date: BookDay | None


def _figures(balances: Balances | None, currency: str) -> dict[str, str | None]:
    if balances is None:
        return dict.fromkeys(("opening", "debit", "credit", "closing"))
    return {
        "opening": format_amount(balances.opening, currency),
        "debit": format_amount(balances.debit, currency),
        "credit": format_amount(balances.credit, currency),
        "closing": format_amount(balances.closing, currency),
    }


def render(report: TrialBalance) -> TrialBalanceResponse:
    nothing = _figures(NO_BALANCES, report.currency)
    shown = {
        "prior_years_result": format_amount(report.prior_years_result, report.currency),
        "rows": [
            TrialBalanceRowResponse.model_validate(
                {
                    "account_id": row.account_id,
                    "account_number": row.account_number,
                    "name": row.name,
                    "ledger_type": row.ledger_type,
                    **(nothing if row.balances == NO_BALANCES else _figures(row.balances, report.currency)),
                }
            )
            for row in report.rows
        ],
        "totals": _figures(report.totals, report.currency),
    }
    return TrialBalanceResponse(**{**fields_of(report), **shown})
