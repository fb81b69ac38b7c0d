"""What every record of ours is: frozen, keyword-only, strict about unknown keys."""

from typing import Any, dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _Frozen(msgspec.StructMeta):
    """msgspec does not hand `kw_only` down to subclasses; we do, and tell the type checker."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> type:
        settings = {"frozen": True, "kw_only": True, "forbid_unknown_fields": True} | options
        return super().__new__(cls, name, bases, namespace, **settings)


class Record(msgspec.Struct, metaclass=_Frozen):
    """Base of all records. A field's comment gives its unit and meaning."""
