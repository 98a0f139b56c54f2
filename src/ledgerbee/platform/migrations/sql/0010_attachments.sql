-- Vouchers: what is attached to entries and drafts, and which blobs are being written.
SELECT;
