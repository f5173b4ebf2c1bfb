"""Writes what is made from the commands: the help tree that a test holds, and the page of the documentation.

python -m tests.cli.help_tree
"""

from pathlib import Path
from typing import Final

from dateflicks.cli.manual import markdown, pages, tree

TREE: Final = Path(__file__).with_name("help") / "tree.txt"
PAGE: Final = Path(__file__).parents[2] / "docs" / "cli.md"


def written() -> dict[Path, str]:
    """Each file, and what it should hold."""
    found = pages()
    return {TREE: tree(found), PAGE: markdown(found)}


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path} is written.")
