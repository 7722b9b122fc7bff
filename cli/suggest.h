/* What a person may have meant. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

/* Names longer than this are not compared. */
#define SUGGEST_BYTES_MAX 64

/* How many letters must be added, dropped or changed to make b of a, in any case; SIZE_MAX: too
 * long to say. */
size_t suggest_distance(const char *a, const char *b);
/* Near enough to be offered: two letters away, or what was typed begins it. */
int suggest_near(const char *typed, const char *name);

#endif
