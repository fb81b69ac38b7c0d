"""The reference page says what the schema says."""

from pathlib import Path

from flyball.contracts.declaration.reference import tables

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/service-yaml.md"


def test_every_key_stands_on_the_page_as_the_schema_has_it() -> None:
    # to renew it: put the text of `flyball.contracts.declaration.reference.tables()` under "Every key"
    written = PAGE.read_text().split("## Every key\n\n")[1].split("\n## ")[0]
    assert written.strip() == tables().strip()
