"""The README: its examples run, and it prints what they print."""

import re
from pathlib import Path

import pytest

from fastnet import _kernels, cli

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.skipif(
    _kernels.isa() == "baseline", reason="without fused multiply-add the last bits are others"
)


def test_make_train_ends_as_the_readme_says_but_for_the_time(capsys):
    shown = re.search(r"^Epoch 28 .*?^Training time", README, re.DOTALL | re.MULTILINE)[0]
    assert cli.main(["train"]) == 0
    assert shown in capsys.readouterr().out


def test_the_python_examples_run_and_print_what_the_readme_says(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    monkeypatch.chdir(tmp_path)
    examples = [example for example in EXAMPLES if "sklearn" not in example]
    assert len(examples) == 6
    printed = []
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})
        printed.append(capsys.readouterr().out.splitlines())
    assert [len(lines) for lines in printed] == [31, 0, 1, 1, 1, 0]
    for lines in printed:
        assert not lines or f"`{lines[-1]}`" in README


def test_so_does_the_one_for_users_of_scikit_learn(capsys):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    (example,) = (example for example in EXAMPLES if "sklearn" in example)
    exec(compile(example, "README.md", "exec"), {})
    assert f"`{capsys.readouterr().out.strip()}`" in README
