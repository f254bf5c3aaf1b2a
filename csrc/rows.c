/* The rows of costs.def, as a table. */
#include "fastnet.h"

const fn_cost_traits fn_costs[] = {
#define COST(NAME, op, python_name, parameters, sum)                     \
    [FN_##NAME] = {.name = python_name, .n_parameters = parameters},
#include "costs.def"
#undef COST
};

#define COST(NAME, op, name, n_parameters, sum)                             \
    _Static_assert(n_parameters <= FN_MOST_COST_PARAMETERS, "parameters of " name);
#include "costs.def"
#undef COST

const fn_cost_traits *fn_cost_row(size_t i)
{
    return i < sizeof fn_costs / sizeof *fn_costs ? fn_costs + i : NULL;
}
