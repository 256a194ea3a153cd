"""Writes the pages and plots that are made from the source and from measured figures.

python docs/programs/write.py            # writes them below docs/
python docs/programs/write.py --check    # names those that are not up to date, and fails
"""

import sys
from pathlib import Path

from calls import python_page, rows_page, runs_page
from commands import commands_page
from evidence import plots, tables
from intertask.service import openapi
from options import baselines_page, data_page, datasets_page, inputs_page, model_page, recipe_page, tasks_page
from picture import picture

DOCS = Path(__file__).parent.parent


def pages() -> dict[str, str]:
    """Path below docs/ to text."""
    return {
        "reference/recipe.md": recipe_page(),
        "reference/data.md": data_page(),
        "reference/inputs.md": inputs_page(),
        "reference/model.md": model_page(),
        "reference/tasks.md": tasks_page(),
        "reference/datasets.md": datasets_page(),
        "reference/baselines.md": baselines_page(),
        "reference/commands.md": commands_page(),
        "reference/python.md": python_page(),
        "reference/python_rows.md": rows_page(),
        "reference/python_runs.md": runs_page(),
        "reference/openapi.json": openapi.document(),
        **plots(),
        **tables(),
        "concepts.svg": picture(),
    }


def outdated(docs: Path = DOCS) -> list[str]:
    """The pages whose committed text is another."""
    return [
        name
        for name, text in pages().items()
        if not (docs / name).is_file() or (docs / name).read_text(encoding="utf-8") != text
    ]


def main() -> None:
    """Write, or check."""
    if "--check" in sys.argv[1:]:
        if old := outdated():
            sys.exit(f"not up to date: {', '.join(old)}; run make docs and commit what it writes")
        return
    for name, text in pages().items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
