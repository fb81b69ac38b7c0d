"""The control API: where rollouts stand, what is thought of them, and a person's word to them, over HTTP.

Everything is answered from folds over the ledger, so neither gateway nor controller need be there. The application
knows no clock, file or socket; `app/wiring/api` puts the process together.
"""
