"""The two files of a service, `service.yaml` and its data contract: read, judged, executed, compared, drafted.

`declaration`: service.yaml and gateway.yaml. `odcs`: a data contract from its text. `rows` and `tables`: the contract
executed on a row and on a table. `diff`: two versions compared. `draft`: a first one, from a sample. Here itself: what
reads text (`yaml_text`), durations, and the faults that a schema finds.
"""
