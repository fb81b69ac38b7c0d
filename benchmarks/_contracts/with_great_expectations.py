"""The rules as a suite of Great Expectations, executed by its pandas engine with the counts it gives by default."""

import sys
from importlib import import_module
from typing import Any

from benchmarks._contracts import rules as r
from benchmarks._contracts.worker import serve


def main() -> None:
    gx, pd = import_module("great_expectations"), import_module("pandas")
    gxe: Any = import_module("great_expectations.expectations")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    frame = pd.read_parquet(sys.argv[1])
    asset = context.data_sources.add_pandas("bench").add_dataframe_asset("table")
    whole = asset.add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name="rules"))
    for rule, name, kind, arguments in r.rules():
        made: Any
        match kind:
            case "required":
                made = gxe.ExpectColumnValuesToNotBeNull(column=name)
            case "unique":
                made = gxe.ExpectColumnValuesToBeUnique(column=name)
            case "range":
                made = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=arguments[0], max_value=arguments[1])
            case "between_times":
                low, high = (pd.Timestamp(str(limit)) for limit in arguments)
                made = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
            case "length":
                made = gxe.ExpectColumnValueLengthsToBeBetween(
                    column=name, min_value=arguments[0], max_value=arguments[1]
                )
            case "pattern":
                made = gxe.ExpectColumnValuesToMatchRegex(column=name, regex=arguments[0])
            case "enum":
                made = gxe.ExpectColumnValuesToBeInSet(column=name, value_set=list(arguments))
            case _:
                made = gxe.ExpectColumnValuesToNotBeInSet(column=name, value_set=list(arguments))
        made.meta = {"rule": rule}
        suite.add_expectation(made)
    batch = whole.get_batch(batch_parameters={"dataframe": frame})

    def count(found: Any) -> dict[str, int]:
        told = {}
        for result in found.results:
            assert not result.exception_info.get("raised_exception"), result.exception_info
            told[result.expectation_config.meta["rule"]] = int(result.result.get("unexpected_count", 0))
        for rule, name, kind, _ in r.rules():
            if kind == "none_of":  # to ODCS a null is a missing value as well
                told[rule] += told[f"{name}.required"]
        return told

    serve(f"great_expectations {gx.__version__}, pandas {pd.__version__}", lambda: batch.validate(suite), count)


if __name__ == "__main__":
    main()
