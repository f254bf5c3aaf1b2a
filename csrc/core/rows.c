/* The rows of activations.def, costs.def and optimizers.def, as tables. */
#include "fastnet.h"

#define LENGTH(table) (sizeof table / sizeof *table)

/* ---- activations */

enum { HIDDEN = 1, OUTPUT = 2, HIDDEN_AND_OUTPUT = HIDDEN | OUTPUT };
enum { FROM_ACTIVATION, KEPT, OF_LAYER };

const fn_activation_traits fn_activations[] = {
#define ACTIVATION(NAME, op, name, role, slope, n_parameters)                       \
    [FN_##NAME] = {                                                                 \
        {name, n_parameters},                                                       \
        .hidden = (role & HIDDEN) != 0, .output = (role & OUTPUT) != 0,             \
        .keeps_slope = slope == KEPT, .of_layer = slope == OF_LAYER,                \
    },
#include "api/activations.def"
#undef ACTIVATION
};

#define ACTIVATION(NAME, op, name, role, slope, n_parameters)                                     \
    _Static_assert(n_parameters <= FN_MOST_ACTIVATION_PARAMETERS, "parameters of " name);         \
    _Static_assert(!n_parameters || role == HIDDEN, "output layers have no parameters: " name);
#include "api/activations.def"
#undef ACTIVATION

const fn_row *fn_activation_row(size_t i)
{
    return i < LENGTH(fn_activations) ? &fn_activations[i].row : NULL;
}

/* ---- costs */

static const fn_row costs[] = {
#define COST(NAME, op, name, n_parameters, sum) [FN_##NAME] = {name, n_parameters},
#include "api/costs.def"
#undef COST
};

enum { OUTPUTS, PER_OUTPUT, SOFTMAX };

static const int takes_own[] = {
#define COST(NAME, op, name, n_parameters, sum) [FN_##NAME] = sum == PER_OUTPUT,
#include "api/costs.def"
#undef COST
    [FN_OTHER_COST] = 0,
};

#define COST(NAME, op, name, n_parameters, sum)                                              \
    _Static_assert(n_parameters <= FN_MOST_COST_PARAMETERS, "parameters of " name);          \
    _Static_assert(sum != PER_OUTPUT || n_parameters == 1, "one parameter per output: " name);
#include "api/costs.def"
#undef COST

int fn_takes_own_parameters(fn_cost cost) { return takes_own[cost]; }

const fn_row *fn_cost_row(size_t i) { return i < LENGTH(costs) ? costs + i : NULL; }

/* ---- optimizers */

enum { COUPLED, DECOUPLED };

const fn_optimizer_traits fn_optimizers[] = {
#define OPTIMIZER(NAME, op, name, moments, n_coefficients, decay)                   \
    [FN_##NAME] = {                                                                 \
        {name, n_coefficients}, .n_moments = moments, .decoupled_decay = decay == DECOUPLED, \
    },
#include "api/optimizers.def"
#undef OPTIMIZER
};

#define OPTIMIZER(NAME, op, name, n_moments, n_coefficients, decay)             \
    _Static_assert(n_moments <= FN_MOST_MOMENTS, "moments of " name);           \
    _Static_assert(n_coefficients <= FN_MOST_COEFFICIENTS, "coefficients of " name);
#include "api/optimizers.def"
#undef OPTIMIZER

const fn_row *fn_optimizer_row(size_t i)
{
    return i < LENGTH(fn_optimizers) ? &fn_optimizers[i].row : NULL;
}
