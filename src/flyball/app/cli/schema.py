"""`flyball schema`: the JSON Schema of service.yaml, so that editors complete and check it while one types."""

import sys

from flyball.app.cli.door import JsonFlag, encode


def schema(*, json: JsonFlag = False) -> None:
    """Print the JSON Schema of service.yaml (it is a JSON document with and without --json)."""
    from flyball.contracts.json_schema import service_schema

    sys.stdout.write(encode(service_schema()))
