"""`service.yaml` and `gateway.yaml` as records: structure, sense, fit, and the schema that editors use.

Begin with `service_file.py`.
"""
