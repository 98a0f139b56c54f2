-- The best SQL for what one posting request writes: `:batch` entries of two lines, their events, the kept answer.
-- Run by pgbench in prepared mode as the application's role: a client learns its company once, and then sends each
-- transaction in one go and waits once.
\if :known = 0
SELECT company_id AS company, secret_hash AS secret, version, debit, debit_number, debit_name, credit, credit_number,
       credit_name
FROM bench_companies WHERE n = :client_id::int % :companies::int \gset
\set known 1
\endif
\startpipeline
BEGIN;
SELECT FROM enter_company(ARRAY[:secret::bytea], ARRAY[:version::int], '{}', now(), true);
WITH entries AS MATERIALIZED (
    SELECT n, uuidv7() AS id, uuidv7() AS debit_id, uuidv7() AS credit_id, current_date AS day,
           'Sale ' || n AS description, 'R-' || n AS reference
    FROM generate_series(1, :batch::int) n
), columns AS MATERIALIZED (
    SELECT array_agg(e.id) AS ids, array_agg(e.day) AS days, array_agg(e.description) AS descriptions,
           array_agg(e.reference) AS refs,
           array_agg(sha256(convert_to(concat_ws(E'\n', E'ledgerbee\072entry\0721', replace(:company, '-', ''),
               replace(e.id::text, '-', ''), 'JOURNAL_ENTRY', e.day, 'DKK', '1.000000000000', '100.0000',
               '', '', '', '', '', '', '', now(), to_json(e.description),
               replace(e.debit_id::text, '-', ''), replace(:debit, '-', ''), 'DEBIT', '100.0000', '100.0000',
               'ENTERED', '', '', '',
               replace(e.credit_id::text, '-', ''), replace(:credit, '-', ''), 'CREDIT', '100.0000', '100.0000',
               'ENTERED', '', '', ''), 'UTF8'))) AS digests
    FROM entries e
), line_columns AS MATERIALIZED (
    SELECT array_agg(e.n) AS entries, array_agg(l.n) AS numbers,
           array_agg(CASE l.n WHEN 1 THEN e.debit_id ELSE e.credit_id END) AS ids,
           array_agg(CASE l.n WHEN 1 THEN :debit::uuid ELSE :credit::uuid END) AS accounts, array_agg(l.n = 1) AS debits
    FROM entries e CROSS JOIN generate_series(1, 2) AS l (n)
), posted AS MATERIALIZED (
    SELECT p.*
    FROM columns c, line_columns l, post_entries(
        :company::uuid, now(), ARRAY[uuidv7(), uuidv7()],
        c.ids, array_fill('JOURNAL_ENTRY'::text, ARRAY[:batch::int]), c.days,
        array_fill('DKK'::text, ARRAY[:batch::int]), array_fill(1::numeric, ARRAY[:batch::int]),
        array_fill(100.00, ARRAY[:batch::int]), c.descriptions, c.refs, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        array_fill(2, ARRAY[:batch::int]), NULL, c.digests,
        l.entries, l.numbers, l.ids, l.accounts, l.debits, array_fill(100.00, ARRAY[2 * :batch::int]),
        array_fill(100.00, ARRAY[2 * :batch::int]), array_fill('ENTERED'::text, ARRAY[2 * :batch::int]),
        NULL, NULL, NULL) p
), told AS (
    INSERT INTO events (company_id, id, type, object_id, sequence, data, actor, request_id, occurred_at,
                        credential_kind, credential_id, address)
    SELECT :company::uuid, uuidv7(), 'journal_entry.posted', e.id, 1, json_build_object(
               'id', e.id, 'entryNumber', p.number, 'entryType', 'JOURNAL_ENTRY', 'date', e.day,
               'deliveryDate', NULL,
               'description', e.description, 'reference', e.reference, 'externalSystemId', NULL, 'currency', 'DKK',
               'exchangeRate', '1', 'originalAmount', '100.00', 'customerId', NULL, 'vendorId', NULL,
               'journalCategoryId', NULL, 'tagIds', '[]'::json, 'lines', json_build_array(
                   json_build_object('id', e.debit_id, 'accountId', :debit::text, 'accountNumber', :debit_number::int,
                       'accountName', :debit_name::text, 'side', 'DEBIT', 'amount', '100.00',
                       'amountInBaseCurrency', '100.00', 'lineType', 'ENTERED', 'vatCodeId', NULL, 'description', NULL,
                       'tagIds', '[]'::json, 'vatRate', NULL, 'vatDifference', NULL),
                   json_build_object('id', e.credit_id, 'accountId', :credit::text,
                       'accountNumber', :credit_number::int, 'accountName', :credit_name::text, 'side', 'CREDIT',
                       'amount', '100.00', 'amountInBaseCurrency', '100.00', 'lineType', 'ENTERED', 'vatCodeId', NULL,
                       'description', NULL, 'tagIds', '[]'::json, 'vatRate', NULL, 'vatDifference', NULL)),
               'attachmentCount', 0, 'reversesEntryId', NULL, 'reversedByEntryId', NULL, 'sourceType', 'API',
               'sourceId', NULL, 'postedBy', E'api_key\072bench', 'postedAt', now(), 'createdAt', now(), 'previousHash', encode(p.previous_hash, 'hex'), 'hash', encode(p.hash, 'hex')),
           E'api_key\072bench', 'req_bench', now(), 'api_key', e.debit_id, '127.0.0.1'
    FROM entries e JOIN (
        SELECT u.* FROM posted, unnest(numbers, previous_hashes, hashes)
            WITH ORDINALITY AS u (number, previous_hash, hash, n)) p USING (n)
    RETURNING data
)
INSERT INTO idempotency_keys (company_id, key, request_hash, status, content_type, body, created_at)
SELECT :company::uuid, uuidv7(), sha256(convert_to(:company, 'UTF8')), 201, 'application/json',
       convert_to(string_agg(data::text, ','), 'UTF8'), now()
FROM told
HAVING count(*) > 0;
COMMIT;
\endpipeline
