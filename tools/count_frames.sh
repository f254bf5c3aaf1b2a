#!/bin/sh
# Lists the frames from Network.SGD to the mini-batch loop in C, at one thread, as gdb sees them:
# Python's by the names of their functions, Cython's and C's as the compiler left them. Frames of
# the interpreter itself are left out. Needs gdb and an installed fastnet.
#
#   tools/count_frames.sh [python]
set -eu
python=${1:-.venv/bin/python}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

cat > "$folder/train.py" <<'PYTHON'
import sys, traceback

import numpy as np

import fastnet

def python_frames(frame):
    names = []
    while frame is not None and frame.f_code.co_name != "<module>":
        names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return names

net = fastnet.Network([4, 3, 2], seed=1)
X, y = np.zeros((20, 4), np.float32), np.zeros(20, int)
begin = net._model.parameters.__class__.begin_training  # the last call of Python before the kernel
sys.setprofile(lambda frame, event, what: event == "c_call" and "begin_training" in str(what)
               and print("PYTHON", *python_frames(frame)))
net.SGD((X, y), 1, 5, 0.5, verbose=False)
PYTHON

# The loop calls the step of each mini-batch, which is a function of its own.
cat > "$folder/commands" <<'GDB'
set breakpoint pending on
set confirm off
set pagination off
rbreak ^fn_step_f32_
run
backtrace
kill
quit
GDB
gdb -q -batch -x "$folder/commands" --args "$python" -P "$folder/train.py" > "$folder/out" 2>&1 || true
awk '/^PYTHON/ { $1 = ""; print "Python:" $0 }
     /^#/ && /(fn_|__pyx_)/ { print "C:     ", ($3 == "in") ? $4 : $2 }' "$folder/out"
