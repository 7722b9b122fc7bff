/* What a failed assertion does: say what failed, print the trace ring, abort. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

_Noreturn void assert_fail(const char *condition, const char *file, int line, const char *function)
{
    /* No stdio stream: its lock may be held by the code that failed. */
    char text[512];
    int n = snprintf(text, sizeof(text), "%s:%d: %s: assertion failed: %s\n", file, line, function,
                     condition);
    if (n > 0) {
        size_t len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
        ssize_t written = write(STDERR_FILENO, text, len);
        (void)written; /* nobody left to tell */
    }
    log_dump_ring(STDERR_FILENO);
    abort();
}
