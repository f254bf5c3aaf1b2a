#!/bin/sh
# Lists the frames from Network.SGD to the loop over mini-batches in C, at one thread: Python's
# functions, then Cython's and C's that gdb sees, which are those that the compiler did not inline.
# Frames of the interpreter itself do not count. Needs gdb and an installed fastnet.
#
#   tools/count_frames.sh [python]
set -eu
python=${1:-.venv/bin/python}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

cat > "$folder/train.py" <<'PYTHON'
import sys

import numpy as np

import fastnet


class Traced(fastnet.QuadraticCost):
    @staticmethod
    def delta(z, a, y):
        names, frame = [], sys._getframe(1)
        while frame.f_code.co_name != "<module>":
            names.append(frame.f_code.co_qualname)
            frame = frame.f_back
        print(*(f"PYTHON {name}" for name in reversed(names)), sep="\n", flush=True)
        return a - y


net = fastnet.Network([4, 3, 2], Traced, seed=1)
net.SGD((np.zeros((5, 4), np.float32), np.zeros((5, 2))), 1, 5, 0.5, verbose=False)
PYTHON

# The loop calls a function that steps along one mini-batch.
cat > "$folder/commands" <<'GDB'
set breakpoint pending on
set confirm off
set pagination off
break fn_train
run
delete
rbreak ^fn_step_f
continue
backtrace
delete
continue
GDB
gdb -q -batch -x "$folder/commands" --args "$python" -P "$folder/train.py" > "$folder/out" 2>&1 || true
{
    awk '/^PYTHON/ { print "Python  " $2 }' "$folder/out"
    awk '/^#/ { for (i = 2; i <= 4; i++) if ($i ~ /^(fn_|__pyx_)/ && $i !~ /^fn_step/) print $i }' \
        "$folder/out" | tac |
        sed -e 's/^fn_/C       fn_/' -e 's/^__pyx/Cython  __pyx/'
} > "$folder/frames"
cat "$folder/frames"
echo "$(wc -l < "$folder/frames") frames"
