"""How e-invoices leave: a folder, an access point over HTTP."""
