"""Which version of ODCS a key needs: one file may not use what the version it declares does not have.

The model that we read with is that of v3.2, which has more keys than the schemas published before it: a contract that
says `apiVersion: v3.1.0` and uses one of them is refused by every other tool that validates it.
"""

NEWEST = "v3.2.0"
SINCE_NEWEST: dict[str, frozenset[str]] = {  # name in the standard's pydantic model -> keys that came with v3.2
    "OpenDataContractStandard": frozenset({"context"}),
    "SchemaObject": frozenset({"context", "deprecated", "synonyms"}),
    "SchemaProperty": frozenset({"deprecated", "enum", "map", "semanticType", "synonyms"}),
    "ServiceLevelAgreementProperty": frozenset({"authoritativeDefinitions", "customProperties"}),
    "CustomProperty": frozenset({"vendor"}),
    "Relationship": frozenset({"id"}),
}


def too_new(model: str, key: str, version: str) -> bool:
    """Whether the declared version does not have this key yet.

    >>> too_new("SchemaProperty", "enum", "v3.1.0"), too_new("SchemaProperty", "enum", "v3.2.0")
    (True, False)
    """
    return version != NEWEST and key in SINCE_NEWEST.get(model, frozenset())
