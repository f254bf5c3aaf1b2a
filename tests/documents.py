"""Runs the Python examples of documents, each followed by what it prints, in a session per page."""

import contextlib
import io
import re
from pathlib import Path

TOP = Path(__file__).parent.parent


def text(page):
    """The text of a page, named by its path in the repository."""
    return (TOP / page).read_text(encoding="utf-8")


def examples(page):
    """[(Python code, what is shown beneath it in a block of its own, or None)]."""
    blocks = re.findall(
        r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```)?", text(page), re.DOTALL | re.MULTILINE
    )
    assert len(blocks) == text(page).count("```python\n")
    return [(code, shown or None) for code, shown in blocks]


def printed(page, session, codes):
    """What each of the examples ``codes`` of the page prints, run one after the other."""
    for code in codes:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(code, page, "exec"), session)
        yield output.getvalue()
