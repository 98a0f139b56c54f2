"""Exchange rates: the European Central Bank's reference rates, and the rate of one currency in another on a day.

Owns the global reference table `exchange_rates` (no company: everyone reads the same published rates) and the
companies' own rates, `company_exchange_rates`, which go before the published ones on exactly their day.
A rate is never invented: no interpolation, no inverse of another day; the last published one is carried
forward over weekends and holidays, and after ten days there is none.
"""
