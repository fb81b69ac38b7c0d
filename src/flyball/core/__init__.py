"""The vocabulary: frozen records, ports, errors and the codec. Imports nothing else of ours.

What is declared: `service` (of `experiment`, `serving`, `cohorts`, `destination`), `gateway_file`, `contract`.
What is made and asked: `model`, `release`, `prediction`, `routing`, `access`, `frames`; the log's `log_tables`.
What has happened: `events` (of `training_facts`, `storage_facts`, `fallback_facts`), `watching`, `runs`.
What one needs of another: `ports`, `ledger`, `outbox`, `clock`, `ids`, `tracing`, `control`.
Conditions: `expression` over the evidence, with its `measures` and `margin`; `row_condition` over one row.
Under all of them: `record`, `codec`, `errors`. Begin with `service` and `events`.
"""
