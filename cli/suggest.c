/* See the header. */
#include "cli/suggest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define SUGGEST_DISTANCE_MAX 2

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b)
{
    size_t row[SUGGEST_BYTES_MAX + 1];
    size_t n = strlen(a);
    size_t m = strlen(b);
    if (n > SUGGEST_BYTES_MAX || m > SUGGEST_BYTES_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t best = min_of(diagonal + !same, min_of(row[j], row[j - 1]) + 1);
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[m];
}

int suggest_near(const char *typed, const char *name)
{
    return suggest_distance(typed, name) <= SUGGEST_DISTANCE_MAX ||
           strncasecmp(name, typed, strlen(typed)) == 0;
}
