"""A small data contract, as the file of one has it: one table of columns, and no more than it takes."""


def contract(name: str, *columns: str) -> str:
    """Of orders. `columns`: what stands between the braces of each.

    >>> print(contract("shop", "name: x, logicalType: number").splitlines()[-1])
          - {name: x, logicalType: number}
    """
    return f"""
apiVersion: v3.1.0
kind: DataContract
id: {name}
version: 1.0.0
status: active
schema:
  - name: orders
    logicalType: object
    properties:
""" + "".join(f"      - {{{column}}}\n" for column in columns)
