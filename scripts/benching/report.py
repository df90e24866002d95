"""What was measured, as JSON for programs and as Markdown for people."""

import json

from .machine import ROOT

MACHINE = ("{cpu}, {cores} cores, {memory_gib} GiB, kernel {kernel}, disk {disk}, load {load_before:.1f} before, {at}, "
           "commit {commit}.")


def cell(value):
    """A figure with three digits that count."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(columns, rows):
    """Rows are dictionaries; `columns` is (key, head) each, and the first column is a text."""
    lines = ["| " + " | ".join(head for _, head in columns) + " |",
             "| --- |" + " ---: |" * (len(columns) - 1)]
    lines += ["| " + " | ".join(cell(row.get(key)) for key, _ in columns) + " |" for row in rows]
    return "\n".join(lines)


def write(name, title, machine, result, parts, script="scripts/bench"):
    """Writes quality/NAME.json and quality/NAME.md, and prints the latter. `parts` are paragraphs and tables."""
    folder = ROOT / "quality"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"machine": machine, **result}, indent=2) + "\n")
    text = "\n\n".join([f"# {title}", f"Written by `{script}`.", MACHINE.format(**machine), *parts]) + "\n"
    (folder / f"{name}.md").write_text(text)
    print(text)
