"""Part of _kernels.pyx: the plan of a call (csrc/core/plan.h), also as a dict."""

from libc.stdlib cimport getenv
from libc.string cimport strcmp

cdef object tracer = None


def trace_with(function):
    """With FASTNET_TRACE=1 in the environment, call ``function`` with the plan of each call."""
    global tracer
    tracer = function


cdef bint is_traced() noexcept:
    cdef const char *value = getenv("FASTNET_TRACE")
    return value != NULL and strcmp(value, "1") == 0


@final
cdef class Plan:
    """How a call is computed. It holds a reference to the network's shape."""
    cdef fn_plan plan
    cdef fn_layer_plan few[FN_STEPS * 4]  # for networks of up to four layers of weights
    cdef fn_layer_plan *layers
    cdef Shape shape

    cdef Plan make(self, Shape shape, fn_plan_input *input):
        self.shape, self.layers = shape, self.few
        if shape.network.layers > 4:
            self.layers = <fn_layer_plan *>calloc(FN_STEPS * shape.network.layers,
                                                  sizeof(fn_layer_plan))
            if self.layers == NULL:
                raise MemoryError()
        input.network = &shape.network
        fn_make_plan(input, &self.plan, self.layers)
        return self

    def __dealloc__(self):
        if self.layers != self.few:
            free(self.layers)


cdef Plan planned(fn_call call, fn_type type, Shape shape, const fn_examples *examples, size_t n,
                  size_t m, const fn_training *training, size_t threads):
    """The plan of a call for these examples. n : examples in a pass; m : the mini-batch size, for
    a training."""
    cdef fn_plan_input input
    cdef Plan plan = Plan.__new__(Plan)
    input.type, input.call, input.n, input.m = type, call, n, m
    input.training, input.threads = training, threads
    input.target, input.processor = fn_selected_target(), fn_this_processor()
    input.density = 1
    fn_describe_examples(examples, shape.n_in(), &input)
    plan.make(shape, &input)
    if is_traced() and tracer is not None:
        tracer(as_dict(plan, input.density))
    return plan


# ---- plans as dicts ----------------------------------------------------------

cdef tuple target_names():
    cdef int i = 0
    names = []
    while fn_target_name(<fn_target>i) != NULL:
        names.append(fn_target_name(<fn_target>i).decode())
        i += 1
    return tuple(names)


TARGETS = target_names()  # the instruction sets that plans are made for


cdef target_code(str name):
    """The enumerator of an instruction set, which need not be one of this machine."""
    return code("isa", name, {each: i for i, each in enumerate(TARGETS)})


cdef dict FORMS = {fn_form_name(<fn_form>i).decode(): i for i in range(FN_MASKS + 1)}


cdef dict layer_as_dict(const fn_layer_plan *layer):
    return {
        "forward": fn_forward_name(layer.forward).decode(),
        "error": fn_error_name(layer.error).decode(),
        "error_of_rest": fn_error_name(layer.error_of_rest).decode(),
        "error_examples": layer.error_examples,
        "update": fn_update_name(layer.update).decode(),
        "forward_of_kept": fn_forward_name(layer.forward_of_kept).decode(),
        "update_of_kept": fn_update_name(layer.update_of_kept).decode(),
        "forward_by_neurons": bool(layer.forward_by_neurons),
        "error_by_neurons": bool(layer.error_by_neurons),
        "keeps_slopes": bool(layer.keeps_slopes),
        "update_in_parts": bool(layer.update_in_parts),
        "prefetch_terms": layer.prefetch_terms,
        "error_prefetch_terms": layer.error_prefetch_terms,
    }


cdef dict as_dict(Plan plan, double density):
    cdef const fn_plan *p = &plan.plan
    cdef size_t l, layers = p.network.layers
    cdef int i
    steps = []
    for i in range(FN_STEPS):
        if p.steps[i].m > 0:
            steps.append({"m": p.steps[i].m, "layers": [layer_as_dict(p.steps[i].layers + l)
                                                        for l in range(layers)]})
    return {
        "call": fn_call_name(p.call).decode(),
        "sizes": [p.network.sizes[l] for l in range(layers + 1)],
        "dtype": "float32" if p.type == FN_F32 else "float64",
        "isa": fn_target_name(p.target).decode(),
        "halves_avx512": bool(p.processor.halves_avx512),
        "form": fn_form_name(p.form).decode(),
        "density": density,
        "first_layer": fn_first_layer_name(p.first_layer).decode(),
        "n": p.n, "m": p.m, "piece": p.piece, "threads": p.threads,
        "examples_per_list": p.examples_per_list,
        "list_update_vectors": p.list_update_vectors,
        "gradient": fn_gradient_name(p.gradient).decode(),
        "streamed_rows": p.streamed_rows,
        "lazy_decay": bool(p.lazy_decay),
        "drops_zero_inputs": bool(p.drops_zero_inputs),
        "most_zeros": p.most_zeros,
        "transposes_first": bool(p.transposes_first),
        "prefetches_examples": bool(p.prefetches_examples),
        "steps": steps,
    }


cdef dict CALLS = {"train": FN_CALL_TRAIN, "gradient": FN_CALL_GRADIENT,
                   "evaluate": FN_CALL_FORWARD, "jacobian": FN_CALL_JACOBIAN}

# The options of a plan, apart from the network, its type and the numbers of examples.
cdef dict PLAN_OPTIONS = {
    "call": "train", "isa": None, "halves_avx512": None, "hidden": None, "cost": "quadratic",
    "form": "dense", "density": 1.0, "input_bytes": None, "optimizer": "plain", "l2": 0.0,
    "l1": 0.0, "dropout": None, "by_blocks": None, "sharing": 0, "threads": 1,
}


def plan(sizes, dtype, m, n=None, **options):
    """The plan of a call as a dict; see csrc/core/plan.h and ``fastnet info --plan``.

    n : examples in a pass; None: m
    isa : an instruction set, which this machine need not have; None: the one in use
    halves_avx512 : whether the processor splits AVX-512 vectors; None: as this one does
    input_bytes : the size of one dense input; None: that of ``dtype``
    """
    cdef fn_plan_input input
    cdef fn_training training
    unknown = options.keys() - PLAN_OPTIONS
    if unknown:
        raise TypeError(f"options: expected only {', '.join(PLAN_OPTIONS)}; got {min(unknown)}")
    options = {**PLAN_OPTIONS, **options}
    cdef Shape shape = Shape(sizes, "sigmoid", options["cost"], options["hidden"])
    cdef object rates = set_plan_training(&training, options, len(sizes) - 2)
    if m < 1 or (n is not None and n < 0) or options["threads"] < 1:
        raise ValueError(f"m, n, threads: expected at least 1, 0 and 1, "
                         f"got {m}, {n}, {options['threads']}")
    input.type, input.m, input.n = TYPES[real_name(dtype)], m, m if n is None else n
    input.call = code("call", options["call"], CALLS)
    input.training = &training if input.call == FN_CALL_TRAIN else NULL
    input.target = target_of(options["isa"])
    input.processor = processor_with(options["halves_avx512"])
    input.form, input.density = code("form", options["form"], FORMS), options["density"]
    input_bytes = options["input_bytes"] or real(dtype).itemsize
    input.inputs_bytes = input.n * shape.n_in() * input_bytes
    input.threads = options["threads"]
    cdef Plan made = Plan.__new__(Plan)
    return as_dict(made.make(shape, &input), input.density)


cdef object set_plan_training(fn_training *training, dict options, size_t hidden):
    """Set the options of a training on which plans depend. The caller keeps the returned object,
    the owner of the dropout rates, alive."""
    cdef Array rates
    memset(training, 0, sizeof(fn_training))
    training.optimizer = <fn_optimizer><int>code("optimizer", options["optimizer"], OPTIMIZERS)[0]
    training.l2, training.l1, training.sharing = options["l2"], options["l1"], options["sharing"]
    by_blocks = options["by_blocks"]
    training.by_blocks = 0 if by_blocks is None else 1 if by_blocks else -1
    if options["dropout"] is None:
        return None
    rates = vector("dropout", np.asarray(options["dropout"], np.float64), ("float64",))
    training.dropout = <const double *>rates.expect("dropout", (hidden,)).data()
    return rates


cdef fn_target target_of(isa):
    """The enumerator of an instruction set; None: the one in use."""
    return fn_selected_target() if isa is None else target_code(isa)


cdef fn_processor processor_with(halves_avx512):
    """The traits of this processor, with ``halves_avx512`` replaced unless it is None."""
    cdef fn_processor processor = fn_this_processor()
    if halves_avx512 is not None:
        processor.halves_avx512 = halves_avx512
    return processor


# ---- decisions made before a call -------------------------------------------

def choose_input_format(sizes, dtype, density, isa=None, halves_avx512=None):
    """The form of examples of this density on which training is fastest: "dense", "columns" or
    "masks"."""
    cdef Shape shape = Shape(sizes, "sigmoid", None)
    cdef fn_processor processor = processor_with(halves_avx512)
    return fn_form_name(fn_choose_form(TYPES[real_name(dtype)], target_of(isa), processor,
                                       &shape.network, density)).decode()


def choose_threads(sizes, m, density, most):
    """The fastest number of threads, at most ``most``, for m examples computed together."""
    cdef Shape shape = Shape(sizes, "sigmoid", None)
    return fn_choose_threads(&shape.network, m, density, min(most, FN_MOST_THREADS))
