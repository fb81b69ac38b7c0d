"""The reference page's table of runbooks, made from the files."""

from collections.abc import Iterable

from flyball.app.runbooks.reading import Runbook


def table(books: Iterable[Runbook]) -> str:
    """Markdown: a line each."""
    lines = [
        "| runbook | for | version | reviewed | steps | of these that change something |",
        "|---|---|---|---|---|---|",
    ]
    for one in books:
        changing = sum(any(command.changing for command in step.commands) for step in one.steps)
        causes = ", ".join(f"`{cause}`" for cause in one.causes)
        link = f"[{one.name}](../runbooks/{one.name}.md)"
        lines.append(f"| {link} | {causes} | {one.version} | {one.reviewed} | {len(one.steps)} | {changing} |")
    return "\n".join(lines) + "\n"
