/* What debug builds do with a contract that is broken. */
#include "check.h"

#ifdef FN_DEBUG
#include <stdio.h>
#include <stdlib.h>

void fn_contract_broken(const char *condition, const char *file, int line)
{
    fprintf(stderr, "fastnet: %s:%d: expected %s\n", file, line, condition);
    abort();
}
#else
typedef int fn_no_code; /* a file of C has a declaration */
#endif
