"""The guide for users of scikit-learn: its snippets print what it says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("pandas", reason="pandas is not installed")

GUIDE = (Path(__file__).parent.parent / "docs/scikit_learn.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```\n\n```\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_snippets_print_what_the_guide_shows():
    assert len(SNIPPETS) == GUIDE.count("```python\n") == 3
    session = {}
    for snippet, shown in SNIPPETS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(snippet, "scikit_learn.md", "exec"), session)
        assert printed.getvalue() == shown
