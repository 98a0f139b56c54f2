-- States that MCP clients have brought back (`requestState`): each is taken once, in whatever process.

CREATE TABLE spent_request_states (
    company_id uuid NOT NULL,
    -- What the state is known by, made when it was given out.
    nonce uuid NOT NULL,
    -- From then on the state itself is too old to be taken.
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, nonce)
);
SELECT protect_table('spent_request_states', 'SELECT, INSERT, DELETE');
