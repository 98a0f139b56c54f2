-- Charges that wait for their owner's confirmation end: they are cancelled at the provider.

ALTER TABLE charges
    -- The company's day on which one that was not confirmed is cancelled by itself, while it requires that.
    ADD COLUMN confirm_by date,
    -- Why and when the provider is to cancel it. What it answers decides: it may have been confirmed meanwhile.
    ADD COLUMN cancel_code text,
    ADD COLUMN cancel_asked_at timestamptz,
    ADD CONSTRAINT charges_confirm_by CHECK (confirm_by IS NULL OR status = 'requires_action'),
    ADD CONSTRAINT charges_cancelled CHECK ((cancel_code IS NULL) = (cancel_asked_at IS NULL));
GRANT UPDATE (confirm_by, cancel_code, cancel_asked_at) ON charges TO ledgerbee_app;

SELECT forget_values('charges');
