"""Vega-Lite specifications to SVG, offline, by vl-convert (extra `charts`)."""

from typing import Any

from flyball.core.errors import Unavailable


def render(spec: dict[str, Any]) -> str:
    """SVG text of one specification.

    Raises: Unavailable: the extra is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise Unavailable("plots need the extra charts", hint="pip install 'flyball[charts]'") from error
    return str(vl_convert.vegalite_to_svg(spec))
