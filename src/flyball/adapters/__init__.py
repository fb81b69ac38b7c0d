"""The outside world, one port a file: each translates between a port of `core` and a disk, a library or a server.

`ledger`: the ledger and its outbox. `prediction_log`: rows, answers and labels on disk. `content`: files that are
stored by digest, hashed, signed. `models`: model files and who answers from them. `training`: where a training runs,
and what is installed there. `messages`: what leaves for destinations, collectors and the gateway's socket.

Here itself: clock, ids and tokens; and the doors to other people's registries and servers. `mlflow_model`,
`remote_model` and `oip_client` are named in files that outlive us (MLflow models, pickles, code beside a service):
they stay where they are.
"""
