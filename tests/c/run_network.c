/* Calls an exported network with inputs, prints the bits of its outputs and the stack that a call
 * takes. C99 and C++. case.h, which tests/c_targets.py writes, has
 *   real, word      the type of the network's numbers, and an unsigned integer of its size
 *   N_CALLS, N_IN, N_OUT
 *   INPUTS          N_CALLS rows of the bits of N_IN numbers
 *   DECLARATION     of the function that is called, which has C linkage
 *   CALL(x, a)      the call; it writes N_OUT numbers to a
 *   FUNCTION, SECOND  optional: a function that is called with x and a second argument, to measure
 *                   the stack of a call
 *   REPEATS         optional, on a Cortex-M: calls whose ticks of the processor's timer are counted
 */
#include <stdint.h>

#include "platform.h"

#include "case.h"

#ifndef CORTEX_M
#include <stdio.h>
#ifdef __cplusplus
extern "C"
#endif
void put_text(const char *text) { fputs(text, stdout); }
#endif

#ifdef __cplusplus
extern "C" {
#endif
DECLARATION
#ifdef __cplusplus
}
#endif

static const word inputs[N_CALLS][N_IN] = INPUTS;
static real x[N_IN], a[N_OUT];

typedef union {
    real number;
    word bits;
} either;

static void set_inputs(unsigned k)
{
    for (unsigned i = 0; i < N_IN; i++) {
        either input;
        input.bits = inputs[k][i];
        x[i] = input.number;
    }
}

static void put_word(word bits)
{
    char text[2 * sizeof bits + 2];
    for (unsigned i = 0; i < 2 * sizeof bits; i++)
        text[i] = "0123456789abcdef"[bits >> (4 * (2 * sizeof bits - 1 - i)) & 15];
    text[2 * sizeof bits] = ' ';
    text[2 * sizeof bits + 1] = 0;
    put_text(text);
}

#ifdef FUNCTION
#define STACK 8192
static union {
    unsigned char bytes[STACK];
    uint64_t aligned[STACK / 8];
} stack;

/* Calls f(first, second) on a stack that ends at top. */
static void call_on(void *top, void (*f)(void), const void *first, void *second)
{
#if defined(__x86_64__)
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %0, %%rsp\n\tcall *%1\n\tmovq %%rbx, %%rsp"
                     : "+r"(top), "+r"(f), "+D"(first), "+S"(second)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
#elif defined(__arm__)
    register const void *r0 __asm__("r0") = first;
    register void *r1 __asm__("r1") = second;
    register void *r2 __asm__("r2") = top;
    register void (*r3)(void) __asm__("r3") = f;
    __asm__ volatile("mov r4, sp\n\tmov sp, r2\n\tblx r3\n\tmov sp, r4"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     :
                     : "r4", "ip", "lr", "cc", "memory"
#ifdef __ARM_FP
                     , "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
                       "s12", "s13", "s14", "s15"
#endif
    );
#else
#error "the stack is measured on x86-64 and ARM"
#endif
}

/* The deepest byte of the stack that a call writes; of two paints, so that a byte which the call
 * writes with the value of the paint is found with the other. */
static unsigned stack_of_call(void)
{
    unsigned deepest = 0;
    for (int paint = 0x5a; paint <= 0x5b; paint++) {
        unsigned i = 0;
        for (i = 0; i < STACK; i++)
            stack.bytes[i] = (unsigned char)paint;
        call_on(stack.bytes + STACK, (void (*)(void))FUNCTION, x, (void *)(SECOND));
        for (i = 0; i < STACK && stack.bytes[i] == paint;)
            i++;
        if (STACK - i > deepest)
            deepest = STACK - i;
    }
    return deepest;
}
#endif

#ifdef REPEATS
/* SysTick counts down 24 bits with the processor's clock. */
#define SYST ((volatile uint32_t *)0xE000E010)

static uint32_t ticks_of_calls(void)
{
    SYST[1] = 0xFFFFFF;
    SYST[2] = 0;
    SYST[0] = 5;
    while (SYST[2] == 0)
        ;
    const uint32_t before = SYST[2];
    for (unsigned k = 0; k < REPEATS; k++)
        CALL(x, a);
    return (before - SYST[2]) & 0xFFFFFF;
}
#endif

int main(void)
{
    for (unsigned k = 0; k < N_CALLS; k++) {
        set_inputs(k);
        CALL(x, a);
        for (unsigned j = 0; j < N_OUT; j++) {
            either output;
            output.number = a[j];
            put_word(output.bits);
        }
        put_text("\n");
    }
#ifdef FUNCTION
    put_text("stack ");
    put_word((word)stack_of_call());
    put_text("\n");
#endif
#ifdef REPEATS
    put_text("ticks ");
    put_word((word)ticks_of_calls());
    put_text("\n");
#endif
    return 0;
}
