/* See the header. */
#include "tests/sim/totals.h"

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
    (void)signal;
    ended = 1;
}

void totals_catch_signals(void)
{
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
}

bool totals_ended(void)
{
    return ended != 0;
}

void totals_print(const struct totals_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s%s=%llu", i % 7 == 0 ? (i == 0 ? "" : "\n") : ", ", rows[i].name,
               (unsigned long long)rows[i].count);
    printf("\n");
}

void totals_print_end(uint64_t from, uint64_t next, uint64_t wanted, uint64_t bad)
{
    uint64_t done = next - from;

    printf("sim seeds=%llu ok=%llu bad=%llu\n", (unsigned long long)done,
           (unsigned long long)(done - bad), (unsigned long long)bad);
    if (done < wanted)
        printf("ended early: go on with --from %llu\n", (unsigned long long)next);
}
