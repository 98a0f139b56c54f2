-- Assets equal equity and liabilities in every chart: the totals of the statements get their roles, equity gets a line for
-- the year's result. In Danish charts the headings and totals that stood where the public standard has an account, or cut
-- an item of the statements through, move to where the standard has the line; name and id stay. Accounts that can be booked
-- on are not touched. See docs/decisions/0016-totals-of-existing-charts.md.
DO $$
DECLARE
    company uuid;
BEGIN
    FOR company IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', company::text, true);

        -- Lines of the chart that Danish companies began with. One that is no longer as it was is left alone, and so is one
        -- whose new number the company has taken.
        UPDATE accounts a SET number = m.to_number, standard_number = m.to_number, sum_from = m.to_sum_from
        FROM (VALUES
            (1599, 'TOTAL_FROM', 1501, 1590, 1501),  -- Andre driftsindtægter i alt
            (1789, 'TOTAL_FROM', 1601, 1810, 1601),  -- Vareforbrug i alt: 1800 to 1807 belong to it
            (1799, 'TOTAL_FROM', 1001, 1811, 1001),  -- Bruttoresultat
            (1801, 'HEADING', NULL, 1812, NULL),     -- Andre eksterne omkostninger: 1801 is an account
            (2840, 'TOTAL_FROM', 1801, 2831, 1812),  -- Andre eksterne omkostninger i alt: 2840 is the gross profit
            (2901, 'HEADING', NULL, 2841, NULL),     -- Personaleomkostninger: from 2845 on
            (2999, 'TOTAL_FROM', 2901, 2990, 2841),
            (3399, 'TOTAL_FROM', 1001, 3191, 1001),  -- Resultat før finansielle poster: these begin at 3193
            (3401, 'HEADING', NULL, 3192, NULL),     -- Finansielle poster
            (3799, 'TOTAL_FROM', 3401, 3701, 3192),  -- Finansielle poster i alt: tax comes after them
            (6101, 'HEADING', NULL, 6182, NULL),     -- Tilgodehavender: stock comes before them
            (6399, 'TOTAL_FROM', 6101, 6411, 6182),
            (6401, 'HEADING', NULL, 6462, NULL),     -- Likvider: securities come before them
            (6489, 'TOTAL_FROM', 6401, 6490, 6462),
            (6979, 'TOTAL_FROM', 6502, 6971, 6502),  -- Egenkapital i alt
            (6986, 'HEADING', NULL, 7052, NULL),     -- Gæld: provisions come before it
            (9989, 'TOTAL_FROM', 6986, 9989, 7052),
            (7601, 'HEADING', NULL, 7611, NULL),     -- Moms: 7610 is deposits received
            (7849, 'TOTAL_FROM', 7601, 7849, 7611),
            (7901, 'HEADING', NULL, 7850, NULL),     -- Anden gæld: wages owed belong to it, accruals don't
            (8099, 'TOTAL_FROM', 7901, 8050, 7850)
        ) AS m (number, ledger_type, sum_from, to_number, to_sum_from)
        WHERE a.company_id = company AND a.number = m.number AND a.standard_number = m.number
            AND a.ledger_type = m.ledger_type AND a.sum_from IS NOT DISTINCT FROM m.sum_from
            AND EXISTS (SELECT FROM accounts d WHERE d.company_id = company AND d.number = 6499 AND d.sum_from = 5001)
            AND (m.to_number = m.number OR NOT EXISTS (
                SELECT FROM accounts taken WHERE taken.company_id = company AND taken.number = m.to_number));

        -- Of Danish charts, then of those of other countries.
        UPDATE accounts a SET role = m.role
        FROM (VALUES
            (4999, 1001, 'RESULT'), (6499, 5001, 'TOTAL_ASSETS'), (9999, 6501, 'TOTAL_EQUITY_AND_LIABILITIES'),
            (8999, 4000, 'RESULT'), (1999, 1000, 'TOTAL_ASSETS'), (2999, 2000, 'TOTAL_EQUITY_AND_LIABILITIES')
        ) AS m (number, sum_from, role)
        WHERE a.company_id = company AND a.number = m.number AND a.sum_from = m.sum_from
            AND a.ledger_type = 'TOTAL_FROM' AND a.role IS NULL;

        -- The number that a new chart has for it, or the next that is free.
        INSERT INTO accounts (company_id, id, number, name, standard_number, ledger_type, role, created_at)
        SELECT company, gen_random_uuid(), n.number,
               CASE c.preferred_language WHEN 'da' THEN 'Årets resultat' ELSE 'Result for the year' END, n.number,
               'TOTAL_INTERVALS', 'RESULT_IN_EQUITY', now()
        FROM (VALUES (9999, 6945, 6949), (2999, 2695, 2898)) AS m (number, usual, last)
        JOIN accounts a ON a.company_id = company AND a.number = m.number AND a.role = 'TOTAL_EQUITY_AND_LIABILITIES'
        JOIN companies c ON c.company_id = a.company_id
        CROSS JOIN LATERAL generate_series(m.usual, m.last) AS n (number)
        WHERE NOT EXISTS (SELECT FROM accounts taken WHERE taken.company_id = company
                          AND (taken.number = n.number OR taken.role = 'RESULT_IN_EQUITY'))
        ORDER BY n.number LIMIT 1;
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END
$$;
