"""The facts on the ledger, one file a subject; `core.events` gathers them."""
