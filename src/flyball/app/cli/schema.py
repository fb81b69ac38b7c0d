"""`flyball schema`: the JSON Schema of service.yaml, so that editors complete and check it while one types."""

from flyball.app.cli.door import JsonFlag, emit, encode


def schema(*, json: JsonFlag = False) -> None:
    """Print the JSON Schema of service.yaml; it is a JSON document with and without --json."""
    from flyball.contracts.declaration.json_schema import service_schema

    document = service_schema()
    emit(document, as_json=json, text=lambda: encode(document).rstrip())
