/* gantry member list: a line a member. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/member.h"

#define MIB (1u << 20)

static const char *const groups[] = { "cluster", "bus" };

/* Of the group where it is further behind; UINT64_MAX: not known. */
static uint64_t most_lag(const struct json *row)
{
    uint64_t most = 0;
    for (size_t i = 0; i < 2; i++) {
        uint64_t lag = member_number(member_group(row, groups[i]), "lag", UINT64_MAX);
        if (lag == UINT64_MAX)
            return UINT64_MAX;
        most = lag > most ? lag : most;
    }
    return most;
}

void member_progress(const struct json *row, char *out, size_t size)
{
    uint64_t lag = most_lag(row);
    for (size_t i = 0; i < 2; i++) {
        const struct json *g = member_group(row, groups[i]);
        uint64_t total = member_number(g, "fetchBytes", 0);
        if (total == 0)
            continue;
        (void)snprintf(out, size, "copying %s: %" PRIu64 " of %" PRIu64 " MiB", groups[i],
                       member_number(g, "fetchedBytes", 0) / MIB, total / MIB); /* for people */
        return;
    }
    if (!member_true(row, "answers"))
        (void)snprintf(out, size, "does not answer"); /* as above */
    else if (lag == UINT64_MAX)
        (void)snprintf(out, size, "no leader knows how far it is"); /* as above */
    else
        (void)snprintf(out, size, "lacks %" PRIu64 " entries", lag); /* as above */
}

static void print_row(const struct json *row)
{
    const struct json *cluster = member_group(row, "cluster");
    const struct json *bus = member_group(row, "bus");
    bool leads = member_true(cluster, "leader");
    bool leads_bus = member_true(bus, "leader");
    struct str address = member_text(row, "raftAddress");
    uint64_t lag = most_lag(row);
    char role[40];
    char behind[24] = "-";
    (void)snprintf(role, sizeof role, "%.*s/%.*s", STR_ARG(member_text(cluster, "role")),
                   STR_ARG(member_text(bus, "role"))); /* fits */
    if (lag != UINT64_MAX)
        (void)snprintf(behind, sizeof behind, "%" PRIu64, lag); /* fits */
    printf("%-12.*s %-4" PRIu64 " %-8.*s %-16s %-12s %8s %-28.*s %s",
           STR_ARG(member_text(row, "name")), member_number(row, "id", 0),
           STR_ARG(member_text(row, "want")), role,
           leads && leads_bus ? "cluster,bus"
           : leads            ? "cluster"
           : leads_bus        ? "bus"
                              : "-",
           behind, STR_ARG(str_slice(address, strlen("tcp:"), address.len)),
           member_true(row, "answers") ? "yes" : "no");
    if (member_number(cluster, "fetchBytes", 0) + member_number(bus, "fetchBytes", 0) > 0) {
        char text[64];
        member_progress(row, text, sizeof text);
        printf(" (%s)", text);
    }
    printf("\n");
}

int member_list(struct cli *c, const struct member_flags *f)
{
    const struct json *answer;
    struct err e = { 0 };
    int rc = member_call(c, "GET", "/gantry/v1/members", str_of("", 0), &answer, &e);
    if (rc != 0)
        return cli_fail("%s", e.msg);
    if (f->json) {
        member_print_json(c, answer);
        return CLI_OK;
    }
    const struct json *rows = json_get_c(answer, "members");
    printf("%-12s %-4s %-8s %-16s %-12s %8s %-28s %s\n", "NAME", "ID", "WANT", "ROLE(c/b)",
           "LEADER", "LAG", "ADDRESS", "HEARD");
    for (size_t i = 0; rows != NULL && rows->type == JSON_ARRAY && i < rows->count; i++)
        print_row(&rows->u.items[i]);
    return CLI_OK;
}
