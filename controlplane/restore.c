/*
 * `gantryd restore`: the flags, who the members are, and that this one has never run.
 *
 * Only a member that has never run may be made from a backup: one that ran has promised votes and
 * entries to the others, and a folder made anew would break them. The same mark that allows a first
 * start says so (identity.h); it is gone before the folder is in place.
 */
#include "controlplane/restore.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "controlplane/identity.h"
#include "controlplane/members_op.h"
#include "store/members.h"
#include "store/restore.h"

const char restore_usage[] =
    "gantryd restore --from FILE --cluster FOLDER --name NAME --data FOLDER\n"
    "      makes the data folder of a new cluster's member from a backup, before its first\n"
    "      start; every member of the new cluster, from the same FILE\n"
    "      --from          what `gantry snapshot save` wrote\n"
    "      --cluster       the new cluster's folder, made by `gantryd init`\n"
    "      --data          this member's own folder: missing or empty";

struct restore_run {
    struct env *env;
    struct arena arena;
    const char *from;
    const char *cluster;
    const char *name;
    const char *data;
    const char *mark;
};

static int restore_parse(struct restore_run *r, int argc, char **argv, struct err *e)
{
    const struct {
        const char *name;
        const char **out;
    } flags[] = { { "--from", &r->from },
                  { "--cluster", &r->cluster },
                  { "--name", &r->name },
                  { "--data", &r->data } };
    for (int i = 0; i < argc; i += 2) {
        size_t at = 0;
        while (at < sizeof flags / sizeof flags[0] && strcmp(argv[i], flags[at].name) != 0)
            at++;
        if (at == sizeof flags / sizeof flags[0])
            return err_set(e, ERR_INVALID_ARGUMENT,
                           "unknown flag '%s'; `gantryd restore --help` lists them", argv[i]);
        if (i + 1 >= argc)
            return err_set(e, ERR_INVALID_ARGUMENT, "%s needs a value", argv[i]);
        *flags[at].out = argv[i + 1];
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (*flags[i].out == NULL)
            return err_set(e, ERR_INVALID_ARGUMENT,
                           "%s is needed; `gantryd restore --help` says what it is", flags[i].name);
    return 0;
}

static int restore_find_self(struct restore_run *r, const struct store_config *config,
                             struct err *e)
{
    bool found = false;
    for (size_t i = 0; i < config->members_count; i++)
        found = found || strcmp(config->members[i].name, r->name) == 0;
    if (!found)
        return err_set(e, ERR_INVALID_ARGUMENT, "--name %s: no such member in %s/cluster.conf",
                       r->name, r->cluster);
    r->mark =
        str_printf(&r->arena, "%s/members/%s/" MEMBER_FIRST_START_FILE, r->cluster, r->name).data;
    if (!env_path_exists(r->env, r->mark))
        return err_set(e, ERR_CONFLICT,
                       "member %s has run or was restored before (there is no %s): one that lost "
                       "its data joins its cluster again; to restore once more, make another "
                       "cluster with `gantryd init`",
                       r->name, r->mark);
    return 0;
}

static int restore_built(void *ctx, struct err *e)
{
    struct restore_run *r = ctx;
    struct str folder = str_printf(&r->arena, "%s/members/%s", r->cluster, r->name);
    int rc = env_path_remove(r->env, r->mark, e);
    return rc != 0 ? rc : env_dir_sync(r->env, folder.data, e);
}

static void restore_tell(const struct restore_run *r, const struct restored *done, struct buf *out)
{
    const struct point *cluster = &done->points[STORE_CLUSTER];
    const struct point *bus = &done->points[STORE_BUS];
    buf_printf(out,
               "restored member %s into %s from the backup of cluster %s\n"
               "  cluster  index %llu  revision %llu  digest %016llx\n"
               "  bus      index %llu  digest %016llx\n"
               "The digests must be the same on every member. Once each member is restored, start "
               "them: gantryd run --cluster %s --name %s --data %s\n",
               r->name, r->data, done->backup.cluster_id, (unsigned long long)cluster->index,
               (unsigned long long)cluster->revision, (unsigned long long)cluster->digest,
               (unsigned long long)bus->index, (unsigned long long)bus->digest, r->cluster, r->name,
               r->data);
}

static int restore_run(struct restore_run *r, struct buf *out, struct err *e)
{
    /* Who could join the old cluster may not join this one. */
    static const char *const forgotten[] = { JOIN_PREFIX, MEMBERS_RECOVERIES_PREFIX, NULL };
    struct store_config members = { .members_count = 0 };
    struct restored done;
    char cluster[IDENTITY_CLUSTER_BYTES];
    int rc = identity_conf_read(r->env, &r->arena, r->cluster, &members, cluster, e);
    if (rc == 0)
        rc = restore_find_self(r, &members, e);
    if (rc != 0)
        return rc;
    struct restore_config config = { .env = r->env,
                                     .file = r->from,
                                     .folder = r->data,
                                     .members = members.members,
                                     .members_count = members.members_count,
                                     .forget_prefixes = forgotten,
                                     .built = restore_built,
                                     .ctx = r };
    rc = store_restore(&config, &done, e);
    if (rc == 0)
        restore_tell(r, &done, out);
    return rc;
}

int restore_command(struct env *env, int argc, char **argv, struct buf *out, struct err *e)
{
    struct restore_run r = { .env = env };
    arena_init(&r.arena);
    int rc = restore_parse(&r, argc, argv, e);
    if (rc == 0)
        rc = restore_run(&r, out, e);
    arena_deinit(&r.arena);
    return rc;
}
