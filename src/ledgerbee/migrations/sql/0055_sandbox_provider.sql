-- Danish companies have the accounts of payment providers: they get the roles where nothing else has them. None is added: who has
-- none is told so when it is needed.
DO $$
DECLARE
    company uuid;
BEGIN
    FOR company IN SELECT d.company_id FROM company_directory d LOOP
        PERFORM set_config('app.company_id', company::text, true);
        UPDATE accounts a SET role = given.role
        FROM (VALUES (6331, 6330, 'ASSET', 'PAYMENT_CLEARING'), (8042, 8040, 'LIABILITY', 'UNIDENTIFIED_RECEIPTS'))
                 given (number, standard_number, classification, role),
             companies c
        WHERE a.company_id = company AND c.company_id = company AND c.country_code = 'DK'
          AND a.number = given.number AND a.standard_number = given.standard_number
          AND a.classification = given.classification AND a.ledger_type = 'BALANCE_SHEET' AND a.role IS NULL
          AND a.control_account_type IS NULL AND a.is_active
          AND NOT EXISTS (SELECT FROM accounts o WHERE o.company_id = company AND o.role = given.role);
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END
$$;
