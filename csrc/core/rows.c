/* The rows of activations.def, costs.def and optimizers.def, as tables. */
#include "fastnet.h"

enum { HIDDEN = 1, OUTPUT = 2, HIDDEN_AND_OUTPUT = HIDDEN | OUTPUT };
enum { FROM_ACTIVATION, KEPT, NO_SLOPE, OF_LAYER };
enum { COUPLED, DECOUPLED };

const fn_activation_traits fn_activations[] = {
#define ACTIVATION(NAME, op, python_name, role, slope)                                           \
    [FN_##NAME] = {                                                                              \
        .name = python_name, .hidden = (role & HIDDEN) != 0, .output = (role & OUTPUT) != 0,     \
        .keeps_slope = slope == KEPT, .of_layer = slope == OF_LAYER,                             \
    },
#include "api/activations.def"
#undef ACTIVATION
};

const fn_optimizer_traits fn_optimizers[] = {
#define OPTIMIZER(NAME, op, python_name, moments, coefficients, decay)              \
    [FN_##NAME] = {                                                                 \
        .name = python_name, .n_moments = moments, .n_coefficients = coefficients,  \
        .decoupled_decay = decay == DECOUPLED,                                      \
    },
#include "api/optimizers.def"
#undef OPTIMIZER
};

#define OPTIMIZER(NAME, op, name, n_moments, n_coefficients, decay)             \
    _Static_assert(n_moments <= FN_MOST_MOMENTS, "moments of " name);           \
    _Static_assert(n_coefficients <= FN_MOST_COEFFICIENTS, "coefficients of " name);
#include "api/optimizers.def"
#undef OPTIMIZER

const fn_activation_traits *fn_activation_row(size_t i)
{
    return i < sizeof fn_activations / sizeof *fn_activations ? fn_activations + i : NULL;
}

const fn_optimizer_traits *fn_optimizer_row(size_t i)
{
    return i < sizeof fn_optimizers / sizeof *fn_optimizers ? fn_optimizers + i : NULL;
}

const fn_cost_traits fn_costs[] = {
#define COST(NAME, op, python_name, parameters, sum)                     \
    [FN_##NAME] = {.name = python_name, .n_parameters = parameters},
#include "api/costs.def"
#undef COST
};

#define COST(NAME, op, name, n_parameters, sum)                             \
    _Static_assert(n_parameters <= FN_MOST_COST_PARAMETERS, "parameters of " name);
#include "api/costs.def"
#undef COST

const fn_cost_traits *fn_cost_row(size_t i)
{
    return i < sizeof fn_costs / sizeof *fn_costs ? fn_costs + i : NULL;
}
