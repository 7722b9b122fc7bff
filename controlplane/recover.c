/* See recover.h. */
#include "controlplane/recover.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "controlplane/identity.h"
#include "store/recover.h"

#define CONSENT "--i-know-that-writes-may-be-lost"

const char recover_usage[] =
    "gantryd recover --cluster FOLDER --name NAME --data FOLDER\n"
    "                  [" CONSENT "]\n"
    "      LAST RESORT, when a majority of the members is lost for good: this one goes on\n"
    "      alone, with what its own log holds. Without the last flag it only says what it\n"
    "      would do. The member must be stopped; the others must never start again";

struct recover_flags {
    const char *cluster;
    const char *name;
    const char *data;
    bool consent;
};

static int parse(struct recover_flags *f, int argc, char **argv, struct err *e)
{
    for (int i = 0; i < argc; i++) {
        const char **out = strcmp(argv[i], "--cluster") == 0 ? &f->cluster
                           : strcmp(argv[i], "--name") == 0  ? &f->name
                           : strcmp(argv[i], "--data") == 0  ? &f->data
                                                             : NULL;
        if (strcmp(argv[i], CONSENT) == 0) {
            f->consent = true;
            continue;
        }
        if (out == NULL || i + 1 >= argc)
            return err_set(e, ERR_INVALID_ARGUMENT, "'%s' is no flag, or needs a value; usage: %s",
                           argv[i], recover_usage);
        *out = argv[++i];
    }
    if (f->cluster == NULL || f->name == NULL || f->data == NULL)
        return err_set(e, ERR_INVALID_ARGUMENT, "usage: %s", recover_usage);
    return 0;
}

static int find_id(struct env *env, struct arena *a, const struct recover_flags *f, uint64_t *out,
                   struct err *e)
{
    char cluster[IDENTITY_CLUSTER_BYTES];
    struct store_config config = { 0 };
    int rc = identity_conf_read(env, a, f->cluster, &config, cluster, e);
    for (size_t i = 0; rc == 0 && i < config.members_count; i++) {
        if (strcmp(config.members[i].name, f->name) == 0) {
            *out = config.members[i].id;
            return 0;
        }
    }
    return rc != 0 ? rc
                   : err_set(e, ERR_INVALID_ARGUMENT,
                             "--name %s: no such member in %s/cluster.conf", f->name, f->cluster);
}

static void print_group(const struct recover_group *g, struct buf *out)
{
    buf_printf(out,
               "  group %-8s last entry %llu of term %llu, snapshot at %llu, newest term %llu\n"
               "  %14s members:",
               g->name, (unsigned long long)g->last_index, (unsigned long long)g->last_term,
               (unsigned long long)g->snapshot_index, (unsigned long long)g->term, "");
    for (size_t i = 0; i < g->servers_count; i++)
        buf_printf(out, " %s(%llu, %s)", g->servers[i].name, (unsigned long long)g->servers[i].id,
                   view_role_name(g->servers[i].role));
    buf_printf(out, "\n");
}

static void print_plan(const struct recover *r, const struct recover_flags *f, struct buf *out)
{
    buf_printf(out, "*** DISASTER RECOVERY of member %s in %s ***\n\nfound:\n", f->name, f->data);
    print_group(recover_group(r, STORE_CLUSTER), out);
    print_group(recover_group(r, STORE_BUS), out);
    buf_printf(
        out,
        "\nthis will, for both groups:\n"
        "  - make %s the ONLY member: every other is removed for ever\n"
        "  - make everything in its log final, also what no majority had\n"
        "  - LOSE every write that is not in its log, though its client was told that it was "
        "done\n"
        "before it: choose, among the members that are left, the one whose last entries have the "
        "highest\n  term, then index. After it: DELETE the data folders of all others; "
        "should one be started as it is,\n  it is told that it was removed, and stops.\n\n",
        f->name);
}

int recover_command(struct env *env, int argc, char **argv, struct buf *out, struct err *e)
{
    struct recover_flags f = { 0 };
    struct recover *r = NULL;
    struct arena a;
    uint64_t id = 0;
    arena_init(&a);
    int rc = parse(&f, argc, argv, e);
    if (rc == 0)
        rc = find_id(env, &a, &f, &id, e);
    if (rc == 0)
        rc = recover_open(env, f.data, &r, e);
    if (rc == 0)
        print_plan(r, &f, out);
    if (rc == 0 && !f.consent)
        rc = err_set(e, ERR_INVALID_ARGUMENT, "nothing was changed; to do it, add " CONSENT);
    if (rc == 0)
        rc = recover_write(r, id, f.name, e);
    if (rc == 0)
        buf_printf(out,
                   "done: start the member as ever; it leads at once. Then bring others in with "
                   "`gantry member add`.\n");
    recover_close(r);
    arena_deinit(&a);
    return rc;
}
