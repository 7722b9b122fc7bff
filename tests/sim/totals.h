/* What the command lines of both simulations share: how a run ends early, and how its sums look. */
#ifndef TESTS_SIM_TOTALS_H
#define TESTS_SIM_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct totals_row {
    const char *name;
    uint64_t count;
};

/* From now on SIGINT and SIGTERM only make totals_ended true. */
void totals_catch_signals(void);
bool totals_ended(void);
void totals_print(const struct totals_row *rows, size_t count);
/* The last line or two. next: the seed to go on with. */
void totals_print_end(uint64_t from, uint64_t next, uint64_t wanted, uint64_t bad);

#endif
