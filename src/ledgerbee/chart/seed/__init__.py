"""Seed data of a new company's books: the Danish standard chart and VAT codes, or a plain chart elsewhere."""

from ledgerbee.chart.seed.loader import seed_for, standard_accounts
from ledgerbee.chart.seed.model import (
    AccountSeed,
    ChartSeed,
    DocumentTemplateSeed,
    JournalCategorySeed,
    PartyGroupSeed,
    ProductGroupSeed,
    VatCodeSeed,
)

__all__ = [
    "AccountSeed",
    "ChartSeed",
    "DocumentTemplateSeed",
    "JournalCategorySeed",
    "PartyGroupSeed",
    "ProductGroupSeed",
    "VatCodeSeed",
    "seed_for",
    "standard_accounts",
]
