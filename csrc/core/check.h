/* FN_ASSERT(condition) states a contract. Debug builds (FASTNET_DEBUG=1, make debug) check it: if
 * it is broken, they print the condition and its place and abort. Other builds have no code for
 * it. */
#ifndef FASTNET_CORE_CHECK_H
#define FASTNET_CORE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#ifdef FN_DEBUG
void fn_contract_broken(const char *condition, const char *file, int line);
#define FN_ASSERT(condition) \
    ((condition) ? (void)0 : fn_contract_broken(#condition, __FILE__, __LINE__))
#else
#define FN_ASSERT(condition) ((void)0)
#endif

#endif
