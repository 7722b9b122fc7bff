/* The course of a test case and its verdict; see the header. */
#include "tests/fault/scenario.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "tests/lincheck/lincheck.h"

#define START_MS   20000
#define SETTLE_MS  1500 /* of load after all is healed */
#define DIGESTS_MS 20000
#define COLUMNS    8 /* of a line of /gantry/v1/member */

uint64_t scenario_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void sleep_ms(uint64_t ms)
{
    struct timespec t = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

    nanosleep(&t, NULL);
}

uint64_t scenario_draw(struct scenario_run *r, uint64_t below)
{
    r->rng ^= r->rng << 13;
    r->rng ^= r->rng >> 7;
    r->rng ^= r->rng << 17;
    return r->rng % below;
}

void scenario_fail(struct scenario_run *r, const char *format, ...)
{
    va_list args;

    printf("    FAIL: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    r->failed = true;
}

bool scenario_sleep(struct scenario_run *r, uint64_t ms)
{
    sleep_ms(ms);
    if (!cluster_alive(&r->cluster))
        scenario_fail(r, "a member ended by itself");
    return !r->failed;
}

/* ---- what members say ---- */

struct member_line {
    struct str words[COLUMNS]; /* cluster ID LEADER TERM APPLIED REVISION DIGEST READY */
};

/* Of group `cluster`, in the text kept in b. */
static bool member_state(struct scenario_run *r, unsigned i, struct buf *b, struct member_line *out)
{
    struct str rest;
    struct str line;

    buf_clear(b);
    if (load_ask(r->load, i, "GET", "/gantry/v1/member", "", b) != 200)
        return false;
    rest = buf_str(b);
    while (str_split(&rest, '\n', &line)) {
        if (!str_starts(line, str_lit("cluster ")))
            continue;
        for (int w = 0; w < COLUMNS; w++)
            if (!str_split(&line, ' ', &out->words[w]))
                return false;
        return true;
    }
    return false;
}

int scenario_leader(struct scenario_run *r)
{
    struct member_line line;
    struct buf b;
    int leader = -1;

    buf_init(&b);
    for (unsigned i = 0; i < r->cluster.count && leader < 0; i++) {
        if (r->cluster.members[i].pid == 0 || !member_state(r, i, &b, &line))
            continue;
        for (unsigned k = 0; k < r->cluster.count; k++)
            if (str_eq_c(line.words[2], r->cluster.members[k].name))
                leader = (int)k;
    }
    buf_deinit(&b);
    return leader;
}

static bool all_ready(struct scenario_run *r)
{
    for (unsigned i = 0; i < r->cluster.count; i++)
        if (load_ask(r->load, i, "GET", "/readyz", "", NULL) != 200)
            return false;
    return true;
}

static void print_answer(struct scenario_run *r, unsigned i, const char *target)
{
    struct buf text;
    int status;

    buf_init(&text);
    status = load_ask(r->load, i, "GET", target, "", &text);
    printf("    %s %s: status %d (0: no answer)\n%.*s\n", r->cluster.members[i].name, target,
           status, STR_ARG(buf_str(&text)));
    buf_deinit(&text);
}

/* Of whoever is not ready: why, and what a read says. */
static void print_ready(struct scenario_run *r)
{
    for (unsigned i = 0; i < r->cluster.count; i++) {
        if (load_ask(r->load, i, "GET", "/readyz", "", NULL) == 200)
            continue;
        print_answer(r, i, "/readyz?verbose");
        print_answer(r, i, "/api/v1/namespaces?limit=1");
        print_answer(r, i, "/gantry/v1/member");
        print_answer(r, i, "/metrics");
    }
}

static bool wait_ready(struct scenario_run *r, uint64_t ms)
{
    uint64_t until = scenario_now_ms() + ms;

    while (!all_ready(r)) {
        if (scenario_now_ms() > until) {
            scenario_fail(r, "not every member is ready after %" PRIu64 " ms", ms);
            print_ready(r);
            return false;
        }
        if (!scenario_sleep(r, 100))
            return false;
    }
    return true;
}

static bool same_state(struct scenario_run *r, struct buf *text)
{
    struct member_line line;
    struct buf b;
    char first[128] = "";
    bool same = true;

    buf_init(&b);
    buf_clear(text);
    for (unsigned i = 0; i < r->cluster.count && same; i++) {
        char state[128];

        same = member_state(r, i, &b, &line);
        if (!same)
            break;
        snprintf(state, sizeof state, "applied %.*s digest %.*s", STR_ARG(line.words[4]),
                 STR_ARG(line.words[6]));
        buf_printf(text, "%s%s: %s", i == 0 ? "" : ", ", r->cluster.members[i].name, state);
        if (i == 0)
            memcpy(first, state, sizeof first);
        same = strcmp(first, state) == 0;
    }
    buf_deinit(&b);
    return same;
}

static void check_digests(struct scenario_run *r)
{
    uint64_t until = scenario_now_ms() + DIGESTS_MS;
    struct buf text;

    buf_init(&text);
    while (!same_state(r, &text)) {
        if (scenario_now_ms() > until) {
            scenario_fail(r, "members differ: %.*s", (int)text.len, (const char *)text.data);
            break;
        }
        if (!scenario_sleep(r, 50))
            break;
    }
    buf_deinit(&text);
}

/* ---- healing ---- */

bool scenario_recover(struct scenario_run *r)
{
    uint64_t began = scenario_now_ms();
    uint64_t before;

    if (r->failed)
        return false;
    cluster_heal(&r->cluster);
    for (unsigned i = 0; i < r->cluster.count; i++) {
        cluster_clock(&r->cluster, i, 0);
        if (r->cluster.members[i].pid == 0)
            cluster_start(&r->cluster, i);
        cluster_continue(&r->cluster, i);
    }
    if (!wait_ready(r, SCENARIO_HEAL_MS))
        return false;
    before = load_acknowledged(r->load);
    while (load_acknowledged(r->load) == before) {
        if (scenario_now_ms() > began + SCENARIO_HEAL_MS) {
            scenario_fail(r, "no write was acknowledged in %d ms after all was healed",
                          SCENARIO_HEAL_MS);
            return false;
        }
        if (!scenario_sleep(r, 20))
            return false;
    }
    printf("    healed: ready and written again after %" PRIu64 " ms\n", scenario_now_ms() - began);
    return true;
}

/* ---- the verdict ---- */

/* Keys created once, acknowledged, that the last reading did not find. */
static void count_lost(const struct lincheck_op *ops, size_t count, size_t *out_acked,
                       size_t *out_lost)
{
    size_t keys = 0;
    unsigned char *state;

    for (size_t i = 0; i < count; i++)
        if (ops[i].key >= keys)
            keys = ops[i].key + 1u;
    state = mem_alloc(keys + 1);
    *out_acked = *out_lost = 0;
    for (size_t i = 0; i < count; i++) {
        const struct lincheck_op *op = &ops[i];

        if (op->key < LOAD_KEYS)
            continue;
        if (op->kind == LINCHECK_WRITE && op->outcome == LINCHECK_OK)
            state[op->key] = 1;
        else if (op->kind == LINCHECK_READ && state[op->key] != 0)
            state[op->key] = op->value == 0 ? 2 : 3;
    }
    for (size_t k = 0; k < keys; k++) {
        *out_acked += state[k] != 0;
        *out_lost += state[k] == 2;
    }
    mem_free(state);
}

static void check_history(struct scenario_run *r, bool *out_violation)
{
    struct lincheck_result result;
    struct buf text;
    size_t count;
    size_t acked;
    size_t lost;
    size_t unknown = 0;
    const struct lincheck_op *ops = load_history(r->load, &count);

    for (size_t i = 0; i < count; i++)
        unknown += ops[i].outcome == LINCHECK_UNKNOWN;
    count_lost(ops, count, &acked, &lost);
    printf("    %zu operations, %" PRIu64 " writes acknowledged, %zu without an answer; of %zu keys"
           " created once %zu are lost\n",
           count, load_acknowledged(r->load), unknown, acked, lost);
    (void)lincheck(ops, count, &result);
    buf_init(&text);
    lincheck_print(&text, ops, &result);
    printf("    history: %.*s", (int)text.len, (const char *)text.data);
    buf_deinit(&text);
    *out_violation = result.verdict == LINCHECK_VIOLATION || lost != 0;
    if (*out_violation)
        scenario_fail(r, "the store broke its word");
    else if (result.verdict == LINCHECK_TOO_HARD)
        scenario_fail(r, "the history could not be judged");
}

static void judge(struct scenario_run *r, bool *out_violation)
{
    for (unsigned i = 0; i < r->cluster.count; i++)
        if (!load_read_all(r->load, i))
            scenario_fail(r, "%s cannot be read", r->cluster.members[i].name);
    check_digests(r);
    check_history(r, out_violation);
}

bool scenario_run(const struct scenario *s, const struct scenario_options *o)
{
    struct scenario_run *r = mem_alloc(sizeof *r);
    bool violation = false;
    bool good;
    char logs[CLUSTER_PATH_BYTES * 2];

    r->rng = o->seed * 0x9e3779b97f4a7c15ull + 1;
    r->faults_ms = o->faults_ms;
    r->lying_disks = o->lying_disks;
    printf("  %s: %s (seed %" PRIu64 ")\n", s->name, s->summary, o->seed);
    cluster_init(&r->cluster, o->programs, o->members != 0 ? o->members : s->members,
                 s->power || o->lying_disks);
    r->load = load_new(&r->cluster, scenario_draw(r, UINT64_MAX) + 1, o->stale_reads);
    for (unsigned i = 0; i < r->cluster.count; i++)
        cluster_start(&r->cluster, i);
    if (wait_ready(r, START_MS)) {
        load_start(r->load);
        if (scenario_sleep(r, SETTLE_MS)) {
            /* Not from the beginning: a member without any state refuses to start. */
            for (unsigned i = 0; i < r->cluster.count; i++)
                atomic_store(&r->cluster.members[i].control->disk_lies, o->lying_disks);
            s->faults(r);
        }
        if (scenario_recover(r))
            (void)scenario_sleep(r, SETTLE_MS); /* says itself what is wrong */
        load_pause(r->load);
        judge(r, &violation);
    }
    good = o->must_be_found ? violation : !r->failed;
    load_free(r->load);
    if (o->logs != NULL)
        snprintf(logs, sizeof logs, "%s/%s", o->logs, s->name);
    cluster_deinit(&r->cluster, o->logs == NULL ? NULL : logs);
    mem_free(r);
    return good;
}
