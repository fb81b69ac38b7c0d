"""The rows of `data.source` that a training may learn from: read, ordered, judged; what is refused is kept apart."""

import polars as pl

from flyball.app.baselines import baselines
from flyball.app.declared import Declared, read_table
from flyball.app.home import Home
from flyball.app.wiring.stores.origins import Origins
from flyball.app.wiring.training.quarantine import keep_left_out
from flyball.contracts.draft.learnable import with_label
from flyball.contracts.tables.check import check
from flyball.core.errors import Refused
from flyball.core.release import Origin


def source_rows(home: Home, declared: Declared, origins: Origins) -> tuple[pl.DataFrame, Origin]:
    """Accepted rows in the order of their time, and the files that they were read from.

    Raises: BadInput: it cannot be read. Refused: it violates the contract; the rows are in the quarantine.
    """
    origin = origins.of(declared)
    table = read_table(declared.source, needed=(declared.service.data.label,), contract=declared.contract)
    origins.check_unchanged(declared, origin)
    timestamp = declared.service.data.timestamp
    if timestamp is not None and timestamp in table.columns:  # so that later in the table is later in time
        table = table.sort(timestamp, maintain_order=True)
    judged = check(table, declared.contract, baselines=baselines(declared.contract, declared.contract_folder))
    report = with_label(judged, table, declared.service)
    kept = keep_left_out(home, declared, table, report)
    if not report.passed:
        broken = "; ".join(f"{found.rule} in {found.rows} rows" for found in report.violations[:5])
        raise Refused(
            f"{declared.service.data.source} violates {declared.service.data.contract}: {broken}",
            hint="flyball check names the rows" + (f"; they are kept in {kept.file}" if kept is not None else ""),
        )
    # a broken warning does not stop a training, but nothing is learned from such rows
    return table.filter(report.accepted), origin
