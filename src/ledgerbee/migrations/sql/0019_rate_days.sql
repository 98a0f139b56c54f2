-- The newest day of the published rates is asked for at every probe and scrape, the days that are stored at every renewal.
CREATE INDEX exchange_rates_day ON exchange_rates (day);
