/* Start-up code and semihosting for a program on an emulated Cortex-M, instead of a C library's:
 * `main` runs, and what it writes with put_text appears on QEMU's semihosting channel. */
#include <stddef.h>
#include <stdint.h>

#include "platform.h"

extern uint32_t data_start, data_end, data_load, bss_start, bss_end, stack_top;
int main(void);
void reset(void);
int printf(const char *format, ...);

enum { SYS_WRITE0 = 0x04, SYS_EXIT = 0x18, SYS_EXIT_EXTENDED = 0x20 };
enum { APPLICATION_EXIT = 0x20026 };

static void semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void put_text(const char *text) { semihost(SYS_WRITE0, text); }

/* The text of a format, for a program that says more with its exit status. */
int printf(const char *format, ...)
{
    put_text(format);
    return 0;
}

static void leave(uint32_t status)
{
    const uint32_t block[2] = {APPLICATION_EXIT, status};
    semihost(SYS_EXIT_EXTENDED, block);
    for (;;)
        ;
}

static void fault(void)
{
    put_text("fault\n");
    leave(1);
}

void reset(void)
{
    const uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end; to++)
        *to = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end; to++)
        *to = 0;
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: the floating-point unit is on */
    __asm__ volatile("dsb\n\tisb");
#endif
    leave((uint32_t)main());
}

typedef void (*vector)(void);
/* The initial stack pointer, and the handlers of reset and the faults. */
__attribute__((section(".vectors"), used)) static const union {
    void *stack;
    vector handler;
} vectors[16] = {
    {.stack = &stack_top}, {.handler = reset}, {.handler = fault}, {.handler = fault},
    {.handler = fault},    {.handler = fault}, {.handler = fault},
};

/* gcc calls these also in programs without a C library. */
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    volatile unsigned char *t = to;
    const unsigned char *f = from;
    while (n--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int value, size_t n)
{
    volatile unsigned char *t = to;
    while (n--)
        *t++ = (unsigned char)value;
    return to;
}
