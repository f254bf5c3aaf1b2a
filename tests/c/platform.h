/* What run_network.c needs of the platform. */
#ifndef PLATFORM_H
#define PLATFORM_H

#ifdef __cplusplus
extern "C" {
#endif

/* Writes text to where the caller of the program reads it. */
void put_text(const char *text);

#ifdef __cplusplus
}
#endif

#endif
