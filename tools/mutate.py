"""Mutation testing of Python, Cython and C: do the tests notice small faults in the code?

    python tools/mutate.py --seed 1 --n 80 --output mutants.json

Each mutant is one change of one line: an operator, a constant, a condition, two arguments or a
statement. Language, kind of change and place are drawn with the seed; comments, strings,
declarations and imports are left alone, and so are files that kill processes or remove folders.
A mutant that does not compile, or compiles to the same object code as the original, is discarded
and another one is drawn. The tests run on each mutant in a copy of the tree with an environment of
its own (build/mutate) until one fails, first the test files that share names with the changed line;
for a mutant of C or Cython, of those that call the kernels.

A mutant is "killed" by a failing test that fails again alone, an error of pytest or a crash;
"timeout" counts as killed, too; the others have "survived". --tests may be given several times: a
set of tests runs on those mutants that the sets before it leave alive, as in

    python tools/mutate.py --tests= --tests=--cases=other

and the table at the end says how many each set kills. The same seed and the same code give the same
mutants, whatever the tests are. Needs git, ccache, extras test and dev.
"""

import argparse
import hashlib
import itertools
import json
import math
import os
import queue
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import types
import venv
from collections import Counter, defaultdict
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = dict.fromkeys([".c", ".h", ".def"], "c")
LANGUAGES |= {".pyx": "cython", ".pxi": "cython", ".py": "python"}
SHARES = {"c": 3, "python": 2, "cython": 1}  # of the draws
UNSAFE = re.compile("SIGKILL|rmtree")
DISCARDED = ("equivalent", "build error")

# ---- which changes there are: (C's syntax, Python's syntax) -------------------

STRING = r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|"
DIRECTIVE = r"^[ \t]*#[ \t]*(?!define)\w+(?:\\\n|[^\n])*|^[ \t]*#[ \t]*define[ \t]+\w+"
IGNORED = (
    STRING + r"/\*.*?\*/|//[^\n]*|" + DIRECTIVE,
    r"\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|" + STRING + r"#[^\n]*",
)
DECLARATION = (
    r"\s*(typedef|extern|struct|enum|union|_Static_assert)\b",
    r"\s*(async def|def|class|c?import|from|global|nonlocal|@|ctypedef|cpdef"
    r"|cdef (extern|class|struct|enum)|cdef .*:[\s\0]*$)",
)
CONDITION = (r"\bif \((.*)\)(?: \{)?[\s\0]*$", r"\bif (.*):[\s\0]*$")
STATEMENT = (
    r"^\s*((?:[\w.\[\]>-]+ [-+*/|&]?= |[\w.]+\(|return\b|break|continue).*;)[\s\0]*$",
    r"^\s*((?:\S+ [-+*/|&]= |[\w.]+[.\[][\w\].]+ = |[\w.]+\(|raise\b|return .|break$|continue$)"
    r".*)$",
)
SWAPS = {
    **{"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "<<": ">>", ">>": "<<"},
    **{"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "*", "+=": "-=", "-=": "+="},
    **{"and": "or", "or": "and", "&&": "||", "||": "&&", "&": "|", "is": "is not", "is not": "is"},
    **{"True": "False", "False": "True", "true": "false", "false": "true"},
}
SWAPPED = r"(?<= )(is not|\W{1,2}|and|or|is)(?= )|\b(True|False|true|false)\b"
NUMBER = r"(?<![\w.])(\d+)(\.\d+)?(?=[uUlLf]*(?![\w.]))"
ARGUMENTS = r"(?<=\w\()(\w[\w.\[\]]*), (\w[\w.\[\]]*)(?=[,)])"


class Mutation(NamedTuple):
    file: str
    line: int
    operator: str
    before: str  # the whole line
    after: str


def changes(line, code, python, whole):
    """(operator, changed line) of each change; ``code`` is the line with its strings blanked,
    ``whole`` says whether a statement may begin here."""
    if re.match(DECLARATION[python], code):
        return

    def replaced(match, by, group=0):
        return line[: match.start(group)] + by + line[match.end(group) :]

    def balanced(match):
        return all(match[1].count(a) == match[1].count(b) for a, b in ("()", "[]", "{}"))

    for match in re.finditer(SWAPPED, code):
        if by := SWAPS.get(match[0]):
            yield "operator", replaced(match, by)
    for match in re.finditer(NUMBER, code):
        number = float(match[0]) if match[2] else int(match[0])
        for by in [number * 2 or 1.0] if match[2] else [number + 1, number - 1][: number + 1]:
            yield "constant", replaced(match, str(by))
    for match in re.finditer(ARGUMENTS, code):
        if match[1] != match[2]:
            yield "arguments", replaced(match, f"{match[2]}, {match[1]}")
    for match in filter(balanced, re.finditer(CONDITION[python], code)):
        condition = line[slice(*match.span(1))]
        yield "condition", replaced(match, f"{'not ' if python else '!'}({condition})", 1)
    for match in filter(balanced, re.finditer(STATEMENT[python], code) if whole else ()):
        by = "return None" if match[1].startswith("return ") else "pass"
        yield "statement", replaced(match, by if python else ";", 1)


def all_mutations(root):
    """{language: {operator: mutations}} of the whole code."""
    found = {name: defaultdict(list) for name in SHARES}
    for file in sorted(p for top in ("fastnet", "csrc") for p in (root / top).rglob("*.*")):
        language = LANGUAGES.get(file.suffix)
        if language is None or UNSAFE.search(text := file.read_text(encoding="utf-8")):
            continue
        python, depth = language != "c", 0
        ignored = re.compile(IGNORED[python], re.DOTALL | re.MULTILINE)
        blanked = ignored.sub(lambda match: re.sub(r"[^\n]", "\0", match[0]), text)
        for k, (line, code) in enumerate(zip(text.splitlines(), blanked.splitlines(), strict=True)):
            for operator, after in changes(line, code, python, depth == 0):
                if after == line:
                    continue
                place = str(file.relative_to(root)), k + 1
                found[language][operator].append(Mutation(*place, operator, line, after))
            if python:  # in C a statement ends with a semicolon
                depth += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
    return found


def draws(seed, root=ROOT):
    """Mutations in random order: first a language is drawn, then an operator, then its place."""
    chance, mutations, seen = random.Random(seed), all_mutations(root), set()
    while True:
        (language,) = chance.choices(list(SHARES), SHARES.values())
        operator = chance.choice(sorted(mutations[language]))
        mutation = chance.choice(mutations[language][operator])
        if mutation not in seen:
            seen.add(mutation)
            yield mutation


# ---- copies of the tree, built and tested -------------------------------------


def ordered_tests(mutation, root=ROOT):
    """The test files; first the one named after the mutant's module, then those that share rare
    names with the mutant's line, its module's name and the function around it. Those that call no
    kernels come last if a kernel is mutated."""
    lines = (root / mutation.file).read_text(encoding="utf-8").splitlines()[: mutation.line]
    head = re.compile(r"(?:    )?(?:c?p?def|class|static|void)\b.*?(\w+)\(")
    around = [match[1] for match in map(head.match, lines) if match][-1:]
    names = {*re.findall(r"[A-Za-z_]\w{2,}", mutation.before), *around}
    module = Path(mutation.file).stem
    names.add(module)
    files = {p: {*re.findall(r"\w+", p.read_text())} for p in sorted(root.glob("tests/test_*.py"))}
    count = Counter(name for words in files.values() for name in words & names)
    score = {p: sum(math.log(len(files) / count[n]) for n in files[p] & names) for p in files}
    compiled = not mutation.file.endswith(".py")

    def place(path):
        calls_kernels = bool({"_kernels", "kernel_calls"} & files[path])
        return compiled and not calls_kernels, path.stem != f"test_{module}", -score[path]

    return [str(path.relative_to(root)) for path in sorted(files, key=place)]


def signature(code):
    """What Python code computes, without the places in its source; None if it does not compile."""
    if isinstance(code, str):
        try:
            code = compile(code, "", "exec")
        except SyntaxError:
            return None
    constants = [signature(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    names = code.co_name, code.co_names, code.co_varnames, code.co_freevars
    return code.co_code, code.co_exceptiontable, constants, names, code.co_flags


class Copy:
    """A copy of the tree that is built and installed in an environment of its own."""

    def __init__(self, folder):
        self.root, self.python = folder, folder / ".venv" / "bin" / "python"
        shutil.rmtree(folder, ignore_errors=True)
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.check_output(listed, cwd=ROOT, text=True).split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        venv.create(folder / ".venv", symlinks=True)
        ours = Path(sysconfig.get_path("purelib"))
        self.purelib = folder / ".venv" / ours.relative_to(sys.prefix)
        outer = "\n".join(path for path in sys.path if path.endswith("site-packages"))
        (self.purelib / "dependencies.pth").write_text(outer)  # found after what is installed here
        for info in ours.glob("fastnet-*.dist-info"):
            shutil.copytree(info, self.purelib / info.name)
        script = Path(shutil.copy2(Path(sys.executable).with_name("fastnet"), self.python.parent))
        script.write_text(re.sub(r"\A#!.*", f"#!{self.python}", script.read_text()))
        if not self.build():
            sys.exit(f"mutate.py: the unchanged tree in {folder} does not build")
        self.original = self.objects()

    def build(self):
        """Build and install; whether that worked."""
        command = [self.python, "setup.py", "-q", "build", f"--build-lib={self.purelib}"]
        environment = {"CC": "ccache cc", **os.environ}
        run = subprocess.run(command, cwd=self.root, env=environment, capture_output=True)
        return run.returncode == 0

    def objects(self):
        """The hashes of the object files of the last build."""
        made = sorted((self.root / "build").rglob("*.o"))
        return [hashlib.sha256(path.read_bytes()).digest() for path in made]

    def test(self, files, options, seconds):
        """(result, first failing test) of a run of the tests in at most so many seconds of the
        processor, or four times as many of the clock, since the machine may be busy."""
        command = [self.python, "-P", "-m", "pytest", "-x", "-q", "-rfE", "-p", "no:cacheprovider"]
        command += [*options, *files]
        with subprocess.Popen(
            command, cwd=self.root, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.STDOUT, start_new_session=True,
        ) as run:  # fmt: skip
            if seconds:
                resource.prlimit(run.pid, resource.RLIMIT_CPU, (seconds, seconds))
            try:
                output = run.communicate(timeout=seconds and 4 * seconds)[0]
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                return "timeout", f"{4 * seconds} s of the clock"
        if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return "timeout", f"{seconds} s of the processor"
        if run.returncode in (4, 5) and "loading conftest" not in output:
            sys.exit(f"mutate.py: pytest found no tests to run\n{output[-2000:]}")
        pattern = r"^(?:(?:FAILED|ERROR) (\S+).*|(Fatal Python error: .*)|(E  .*))$"
        failed = [max(found) for found in re.findall(pattern, output, re.MULTILINE)]
        by = next((f for f in failed if f.startswith("tests/")), (failed or [""])[0])
        return ("survived", "") if run.returncode == 0 else ("killed", by)

    def confirmed(self, files, options, seconds):
        """As ``test``, without failures that are not repeated, as of signals on a busy machine."""
        left_out = []
        while True:
            result, by = self.test(files, [*options, *left_out], seconds)
            function = by.partition("[")[0]
            if "::" not in function or self.test([function], options, seconds)[0] != "survived":
                return result, by
            left_out.append(f"--deselect={function}")

    def judge(self, mutation, limits):
        """The record of one mutant: the result of its tests, or why it is discarded."""
        path, began, by, options = self.root / mutation.file, time.monotonic(), "", ""
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        lines[mutation.line - 1] = mutation.after + "\n"
        mutated = "".join(lines)
        path.write_text(mutated, encoding="utf-8")
        built, same = self.build(), self.objects() == self.original
        if path.suffix == ".py":
            built, same = signature(mutated) is not None, signature(mutated) == signature(text)
        result = "build error" if not built else "equivalent" if same else ""
        if not result:
            files = ordered_tests(mutation, self.root)
            for options, seconds in limits.items():
                result, by = self.confirmed(files, shlex.split(options), seconds)
                if result != "survived":
                    break
        path.write_text(text, encoding="utf-8")
        self.build()  # ccache has the objects
        took = round(time.monotonic() - began, 1)
        found = {"result": result, "by": by, "tests": options, "seconds": took}
        return {**mutation._asdict(), **found}


# ---- the run -------------------------------------------------------------------


def time_limit(copy, options):
    """Seconds, by the time that the tests take on the unchanged code, which they have to pass."""
    began, (result, by) = time.monotonic(), copy.test(["tests"], shlex.split(options), None)
    if result != "survived":
        sys.exit(f"mutate.py: the tests fail on the unchanged code: {by}")
    return round(60 + 3 * (time.monotonic() - began))


def run(seed, n, jobs, tests, output, known):
    """Judge mutants in the order of the draws until n are not discarded; list their records."""
    copies, limits = queue.SimpleQueue(), known.get("tests")
    for copy in [Copy(ROOT / "build" / "mutate" / str(k)) for k in range(jobs)]:
        copies.put(copy)
    limits = limits or {options: time_limit(copy, options) for options in tests}
    earlier = {Mutation(*map(r.get, Mutation._fields)): r for r in known.get("mutants", [])}
    records, running, drawn = [], set(), draws(seed, copy.root)

    def judge(mutation):
        if mutation in earlier:
            return earlier.pop(mutation)
        copy = copies.get()
        try:
            return copy.judge(mutation, limits)
        finally:
            copies.put(copy)

    def wanted():
        return n - sum(record["result"] not in DISCARDED for record in records)

    with ThreadPoolExecutor(jobs) as pool:
        while running or wanted():
            while len(running) < min(jobs, wanted()):
                running.add(pool.submit(judge, next(drawn)))
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            records += [future.result() for future in ended]
            for r in records[-len(ended) :]:
                print("{result} ({seconds} s) {file}:{line} {by}".format(**r))
                print("    - {before}\n    + {after}".format(**r), flush=True)
            kept = {"seed": seed, "tests": limits, "mutants": [*records, *earlier.values()]}
            output.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return records


def table(records):
    """Markdown: how many mutants of each language had which result, and which tests killed them."""
    results = ("killed", "timeout", "survived", *DISCARDED)
    count = Counter((LANGUAGES[Path(r["file"]).suffix], r["result"]) for r in records)
    rows = [[name, *(str(count[name, result]) for result in results)] for name in SHARES]
    rows = [["language", *results], ["---"] + ["---:"] * len(results), *rows]
    by = Counter(r["tests"] for r in records if r["result"] in ("killed", "timeout"))
    lines = [f"{n} killed by the tests {options!r}" for options, n in by.items()]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", *lines])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--n", type=int, default=80, help="mutants whose tests are run (80)")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at the same time (1)")
    parser.add_argument(
        "--tests", action="append", help="arguments for pytest, in quotes; again for another set"
    )
    parser.add_argument("--output", type=Path, default=Path("mutants.json"))
    parser.add_argument("--resume", action="store_true", help="keep the results in the output")
    parser.add_argument("--list", action="store_true", help="show the first n draws, run nothing")
    options = vars(parser.parse_args())
    options["tests"] = options["tests"] or [""]
    if options.pop("list"):
        for mutation in itertools.islice(draws(options["seed"]), options["n"]):
            print("{file}:{line}\n-{before}\n+{after}".format(**mutation._asdict()))
        return
    # A shell's background jobs ignore it, and so would the tests, which send it to themselves.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    known, output = {}, options["output"]
    if options.pop("resume") and output.exists():
        known = json.loads(output.read_text(encoding="utf-8"))
        if (known["seed"], [*known["tests"]]) != (options["seed"], options["tests"]):
            parser.error(f"{output} is of another seed or other tests")
    print(f"\n{table(run(**options, known=known))}")


if __name__ == "__main__":
    main()
