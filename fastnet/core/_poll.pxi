"""Part of _kernels.pyx: polling. Long calls, which do not hold the GIL, regularly ask whether
callbacks are due, and take the GIL to run them."""

from _signal import NSIG, default_int_handler, getsignal  # in C, so no signal handler runs in them
from threading import get_ident, main_thread

from cpython.exc cimport PyErr_CheckSignals
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

# In seconds. Taking the GIL can take 5 ms if another thread is busy; with this interval Ctrl-C is
# handled within 0.2 s. Reading the clock is cheap and done more often, so that callbacks are not
# late where mini-batches are slow or suddenly become slower.
cdef double CALLBACKS_EVERY = 0.1
cdef double POLL_EVERY = 0.02

cdef struct poll_state:
    double polled       # when the kernel polled last
    double called       # when the callbacks ran last
    size_t until        # mini-batches (or pieces) from the last poll to the next
    size_t before       # examples done in earlier calls of the kernel
    bint has_called     # callbacks ran since the last poll
    bint ends           # a callback raised an exception: the call must end
    void *poll

cdef fn_poll NO_POLL
NO_POLL.poll_due, NO_POLL.needs_consistent_weights = NULL, NULL
NO_POLL.run_callbacks, NO_POLL.context = NULL, NULL


def poll_every(double callbacks=CALLBACKS_EVERY, double polls=POLL_EVERY):
    """Change the two intervals, for tests; 0: after every mini-batch."""
    global CALLBACKS_EVERY, POLL_EVERY
    CALLBACKS_EVERY, POLL_EVERY = callbacks, polls


cdef double seconds() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec + 1e-9 * now.tv_nsec


cdef class Poll:
    """Lets the interpreter handle signals such as Ctrl-C while a kernel runs, and calls ``function``
    with the number of examples done. An exception of either ends the call.

    Only the main thread handles signals: other threads poll only if there is a function.
    """
    cdef object function
    cdef object error
    cdef poll_state state

    def __cinit__(self, function=None):
        self.function = function
        self.state.polled = self.state.called = seconds()
        self.state.until = 1
        self.state.before = 0
        self.state.has_called = self.state.ends = False
        self.state.poll = <void *>self

    cdef fn_poll for_c(self):
        cdef fn_poll result = NO_POLL
        if self.function is not None or get_ident() == main_thread().ident:
            result.poll_due, result.run_callbacks = poll_due, run_callbacks
            result.needs_consistent_weights = needs_consistent_weights
        result.context = &self.state
        return result

    cdef int check(self) except -1:
        """Raise the exception of a callback, if there is one."""
        if self.error is not None:
            raise self.error
        return 0


cdef size_t poll_due(void *context) noexcept nogil:
    cdef poll_state *state = <poll_state *>context
    cdef double now = seconds()
    cdef double took = now - state.polled
    cdef double until = 4.0 * state.until
    if state.has_called:  # the time of the callbacks does not count
        state.has_called = False
        state.polled = state.called = now
        state.until = 1
        return 1
    if now - state.called >= CALLBACKS_EVERY:
        return 0
    state.polled = now
    if until * took > POLL_EVERY * state.until:
        until = POLL_EVERY * state.until / took
    state.until = <size_t>until if until > 1 else 1
    return state.until


cdef int run_callbacks(void *context, size_t done) noexcept nogil:
    cdef poll_state *state = <poll_state *>context
    state.has_called = True
    state.ends = call_python(state.poll, state.before + done)
    return state.ends


cdef int needs_consistent_weights(void *context) noexcept with gil:
    """Whether the program has set a signal handler, which may read a network. Python's default
    handler of Ctrl-C does not read it, nor do the functions of a Poll."""
    for number in range(1, NSIG):
        handler = getsignal(number)
        if callable(handler) and handler is not default_int_handler:
            return 1
    return 0


cdef bint may_continue(fn_poll poll, size_t done) noexcept nogil:
    """Poll between two calls of a kernel; False if a callback raised an exception, so that no
    further call must follow."""
    if poll.poll_due == NULL or poll.poll_due(poll.context) > 0:
        return True
    return not poll.run_callbacks(poll.context, done) and poll.poll_due(poll.context) > 0


cdef int call_python(void *context, size_t done) noexcept with gil:
    """Run signal handlers and the function; 1 if one raised an exception, else 0."""
    cdef Poll poll = <Poll>context
    try:
        PyErr_CheckSignals()
        if poll.function is not None:
            poll.function(done)
        return 0
    except BaseException as error:
        poll.error = error
        return 1
