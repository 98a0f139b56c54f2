"""How many entries a second a peer posts through its own Python API: `run.py PEER DATABASE_URL SECONDS`.

Runs in the peers' own environment and imports nothing of ours. Every entry has two lines and is committed by itself.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

Post = Callable[[int], None]

NOW = datetime.now(UTC)
AMOUNT = Decimal("100.00")


def start_django(url: str, *apps: str) -> None:
    """Django with `apps` on the database, their tables made."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    parts = urlsplit(url)
    where = {name: values[0] for name, values in parse_qs(parts.query).items()}
    settings.configure(
        SECRET_KEY="bench",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", *apps],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path[1:],
                "USER": parts.username,
                "PASSWORD": parts.password or "",
                "HOST": where.get("host", parts.hostname),
                "PORT": where.get("port", parts.port),
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        DJANGO_LEDGER_USE_DEPRECATED_BEHAVIOR=False,
        CURRENCIES=["DKK"],
        DEFAULT_CURRENCY="DKK",
    )
    django.setup()
    call_command("migrate", verbosity=0)


def hordak(url: str) -> Post:
    """django-hordak: a transaction and its two legs."""
    start_django(url, "mptt", "hordak")
    from django.db import transaction
    from hordak.models import Account, Leg, Transaction
    from moneyed import Money

    bank = Account.objects.create(name="Bank", code="1", type="AS", currencies=["DKK"])
    equity = Account.objects.create(name="Equity", code="2", type="EQ", currencies=["DKK"])
    amount = Money(AMOUNT, "DKK")

    def post(number: int) -> None:
        with transaction.atomic():
            entry = Transaction.objects.create(date=NOW.date(), description=f"Sale {number}")
            Leg.objects.create(transaction=entry, account=bank, debit=amount, description=f"R-{number}")
            Leg.objects.create(transaction=entry, account=equity, credit=amount, description=f"R-{number}")

    return post


def django_ledger(url: str) -> Post:
    """django-ledger: `commit_txs` of a posted journal entry."""
    start_django(url, "django_ledger")
    from django.contrib.auth import get_user_model
    from django_ledger.models import EntityModel

    admin = get_user_model().objects.create_user("bench")
    entity = EntityModel.create_entity(name="Bench", use_accrual_method=True, admin=admin, fy_start_month=1)
    entity.create_chart_of_accounts(assign_as_default=True, commit=True)
    bank = entity.create_account(code="1010", role="asset_ca_cash", name="Bank", balance_type="debit", active=True)
    equity = entity.create_account(code="3010", role="eq_capital", name="Equity", balance_type="credit", active=True)
    ledger = entity.create_ledger(name="General", posted=True)

    def post(number: int) -> None:
        ledger.commit_txs(
            je_timestamp=NOW,
            je_posted=True,
            je_desc=f"Sale {number}",
            je_txs=[
                {"account": bank, "amount": AMOUNT, "tx_type": "debit", "description": f"R-{number}"},
                {"account": equity, "amount": AMOUNT, "tx_type": "credit", "description": f"R-{number}"},
            ],
        )

    return post


def python_accounting(url: str) -> Post:
    """python-accounting: a journal entry with one line item against its main account."""
    from python_accounting.database.session import get_session
    from python_accounting.models import Account, Base, Currency, Entity, LineItem
    from python_accounting.transactions import JournalEntry
    from sqlalchemy import create_engine

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    Base.metadata.create_all(engine)
    session = get_session(engine)
    entity = Entity(name="Bench")
    session.add(entity)
    session.commit()
    currency = Currency(name="Krone", code="DKK", entity_id=entity.id)
    session.add(currency)
    session.commit()
    bank, equity = (
        Account(name=name, account_type=kind, currency_id=currency.id, entity_id=entity.id)
        for name, kind in (("Bank", Account.AccountType.BANK), ("Equity", Account.AccountType.EQUITY))
    )
    session.add_all([bank, equity])
    session.commit()

    def post(number: int) -> None:
        entry = JournalEntry(
            narration=f"Sale {number}",
            reference=f"R-{number}",
            transaction_date=NOW,
            account_id=equity.id,
            entity_id=entity.id,
        )
        session.add(entry)
        session.flush()
        line = LineItem(narration=f"Sale {number}", account_id=bank.id, amount=AMOUNT, entity_id=entity.id)
        session.add(line)
        session.flush()
        entry.line_items.add(line)
        session.add(entry)
        entry.post(session)
        session.commit()
        session.expire_all()

    return post


def main() -> None:
    """Print entries a second."""
    peer, url, seconds = sys.argv[1:]
    post = {"django-hordak": hordak, "django-ledger": django_ledger, "python-accounting": python_accounting}[peer](url)
    for number in range(10):
        post(number)
    posted, started = 0, time.perf_counter()
    while time.perf_counter() - started < float(seconds):
        post(posted)
        posted += 1
    print(posted / (time.perf_counter() - started))


if __name__ == "__main__":
    main()
