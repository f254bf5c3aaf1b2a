"""Part of _kernels.pyx: what long calls do now and then, without the interpreter's lock."""

from _signal import NSIG, default_int_handler, getsignal  # in C: no handler runs in them
from threading import get_ident, main_thread

from cpython.exc cimport PyErr_CheckSignals
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

# In seconds. The lock, for which a busy thread makes others wait 5 ms, is taken so often that
# Ctrl-C is answered within 0.2 s; the clock, which costs next to nothing, is read more often,
# so that neither a machine that slows down nor large layers make it late.
cdef double HEARD_EVERY = 0.1
cdef double ASKED_EVERY = 0.02

cdef struct moments_of_watch:
    double asked        # when the kernel asked last
    double heard        # when the interpreter was called last
    size_t until        # mini-batches, or pieces, between the last two questions
    size_t before       # examples that are done and that the kernel does not know of
    bint told           # since the last question
    bint ended          # what was called raised something: the call is to end
    void *watch

cdef fn_watch UNWATCHED
UNWATCHED.until, UNWATCHED.looks, UNWATCHED.call, UNWATCHED.context = NULL, NULL, NULL, NULL


def watch_every(double heard=HEARD_EVERY, double asked=ASKED_EVERY):
    """Change the two, for tests; 0: in between any two mini-batches."""
    global HEARD_EVERY, ASKED_EVERY
    HEARD_EVERY, ASKED_EVERY = heard, asked


cdef double seconds() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec + 1e-9 * now.tv_nsec


cdef class Watch:
    """Lets the interpreter handle signals, Ctrl-C's say, while a kernel runs, and tells
    ``function`` how many examples are done. What one of the two raises ends the call.

    Only the main thread handles signals: elsewhere, and without a function, nobody is asked.
    """
    cdef object function
    cdef object error
    cdef moments_of_watch moments

    def __cinit__(self, function=None):
        self.function = function
        self.moments.asked = self.moments.heard = seconds()
        self.moments.until = 1
        self.moments.before = 0
        self.moments.told = self.moments.ended = False
        self.moments.watch = <void *>self

    cdef fn_watch callback(self):
        cdef fn_watch result = UNWATCHED
        if self.function is not None or get_ident() == main_thread().ident:
            result.until, result.looks, result.call = until_asked, looks, tell
        result.context = &self.moments
        return result

    cdef check(self):
        if self.error is not None:
            raise self.error


cdef size_t until_asked(void *context) noexcept nogil:
    cdef moments_of_watch *moments = <moments_of_watch *>context
    cdef double now = seconds()
    cdef double took = now - moments.asked
    cdef double until = 4.0 * moments.until
    if moments.told:  # and what that took is over
        moments.told = False
        moments.asked = moments.heard = now
        moments.until = 1
        return 1
    if now - moments.heard >= HEARD_EVERY:
        return 0
    moments.asked = now
    if until * took > ASKED_EVERY * moments.until:
        until = ASKED_EVERY * moments.until / took
    moments.until = <size_t>until if until > 1 else 1
    return moments.until


cdef int tell(void *context, size_t done) noexcept nogil:
    cdef moments_of_watch *moments = <moments_of_watch *>context
    moments.told = True
    moments.ended = hear(moments.watch, moments.before + done)
    return moments.ended


cdef int looks(void *context) noexcept with gil:
    """Whether a signal has a handler of the program's own, which may look at a network. Python's
    own for Ctrl-C does not, nor do the functions that a Watch is given."""
    for number in range(1, NSIG):
        handler = getsignal(number)
        if callable(handler) and handler is not default_int_handler:
            return 1
    return 0


cdef bint goes_on(fn_watch watch, size_t done) noexcept nogil:
    """Between two calls of a kernel."""
    if watch.until == NULL or watch.until(watch.context) > 0:
        return True
    return not watch.call(watch.context, done) and watch.until(watch.context) > 0


cdef int hear(void *context, size_t done) noexcept with gil:
    cdef Watch watch = <Watch>context
    try:
        PyErr_CheckSignals()
        if watch.function is not None:
            watch.function(done)
        return 0
    except BaseException as error:
        watch.error = error
        return 1
