/* See recover.h. */
#include "store/recover.h"

#include <raft.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/guard_parts.h"
#include "store/quarantine.h"
#include "store/wal.h"

#define PATH_BYTES 1024
#define FILE_MAX   256
#define BEGUN      "begun "
#define DONE       "done "

struct recover {
    struct env *env;
    const char *folder;
    struct env_file *lock;
    struct recover_group groups[STORE_BUS + 1];
};

static void log_path(const struct recover *r, enum store_group_id id, char out[PATH_BYTES])
{
    (void)snprintf(out, PATH_BYTES, "%s/log-%s", r->folder,
                   r->groups[id].name); /* lock was longer */
}

/* ---- what is there ---- */

static enum view_role role_of(int role)
{
    return role == RAFT_VOTER ? VIEW_VOTER : role == RAFT_STANDBY ? VIEW_STANDBY : VIEW_SPARE;
}

static void add_server(struct recover_group *g, uint64_t id, const char *name, int role)
{
    struct recover_server *s = &g->servers[g->servers_count];

    if (g->servers_count == VIEW_SERVERS_MAX)
        return;
    *s = (struct recover_server){ .id = id, .role = role_of(role) };
    (void)snprintf(s->name, sizeof(s->name), "%s", name); /* for people, and compared by id first */
    g->servers_count++;
}

static void on_entry(void *ctx, const struct wal_entry *entry)
{
    struct recover_group *g = ctx;
    struct raft_buffer bytes = { (void *)(uintptr_t)entry->bytes.data, entry->bytes.len };
    struct raft_configuration c;

    g->last_term = entry->term;
    if (entry->type != RAFT_CHANGE)
        return;
    raft_configuration_init(&c);
    if (guard_configuration_decode(&bytes, &c)) {
        g->servers_count = 0;
        for (unsigned i = 0; i < c.n; i++)
            add_server(g, c.servers[i].id, c.servers[i].address, c.servers[i].role);
    }
    raft_configuration_close(&c);
}

static int read_group(struct recover *r, enum store_group_id id, struct err *e)
{
    struct recover_group *g = &r->groups[id];
    struct wal_state state;
    char path[PATH_BYTES];
    int rc;

    g->name = id == STORE_CLUSTER ? "cluster" : "bus";
    log_path(r, id, path);
    rc = wal_read(r->env, path, &state, on_entry, g, e);
    if (rc != 0)
        return rc;
    if (state.fresh)
        return err_set(e, ERR_NOT_FOUND, "%s holds no log: this member has nothing to recover from",
                       path);
    g->term = state.term;
    g->vote = state.vote;
    g->last_index = state.last;
    g->snapshot_index = state.snapshot.index;
    if (g->last_term == 0)
        g->last_term = state.snapshot.term;
    /* No newer one in the entries kept. */
    if (g->servers_count == 0)
        for (size_t i = 0; i < state.snapshot.servers_count; i++)
            add_server(g, state.snapshot.servers[i].id, state.snapshot.servers[i].address,
                       state.snapshot.servers[i].role);
    return 0;
}

int recover_open(struct env *env, const char *folder, struct recover **out, struct err *e)
{
    struct recover *r = mem_alloc(sizeof(*r));
    char path[PATH_BYTES];
    int len = snprintf(path, sizeof(path), "%s/LOCK", folder);
    int rc = 0;

    r->env = env;
    r->folder = folder;
    if (len < 0 || (size_t)len + 16 > sizeof(path))
        rc = err_set(e, ERR_INVALID_ARGUMENT, "the data folder's path is too long");
    else if (!env_path_exists(env, folder))
        rc = err_set(e, ERR_NOT_FOUND, "there is no data folder %s", folder);
    if (rc == 0) {
        rc = env_file_lock(env, path, &r->lock, e);
        if (rc != 0)
            rc = err_wrap(e, rc, "the member is running; stop it first");
    }
    if (rc == 0)
        rc = quarantine_check(env, folder, e);
    for (enum store_group_id id = STORE_CLUSTER; rc == 0 && id <= STORE_BUS; id++)
        rc = read_group(r, id, e);
    if (rc != 0) {
        recover_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

const struct recover_group *recover_group(const struct recover *r, enum store_group_id id)
{
    return &r->groups[id];
}

void recover_close(struct recover *r)
{
    if (r == NULL)
        return;
    if (r->lock != NULL)
        env_file_close(r->lock);
    mem_free(r);
}

/* ---- the change ---- */

static int check_id(const struct recover_group *g, uint64_t id, const char *name, struct err *e)
{
    for (size_t i = 0; i < g->servers_count; i++) {
        const struct recover_server *s = &g->servers[i];

        if (s->id == id && strcmp(s->name, name) == 0)
            return 0;
        if (s->id == id || strcmp(s->name, name) == 0)
            return err_set(
                e, ERR_INVALID_ARGUMENT,
                "the log of group %s calls member %llu '%s': --name %s is another member", g->name,
                (unsigned long long)s->id, s->name, name);
    }
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "the log of group %s knows no member %llu '%s': it never was a part of it",
                   g->name, (unsigned long long)id, name);
}

static int write_mark(struct recover *r, const char *state, const char *recovery, struct err *e)
{
    char path[PATH_BYTES];
    char text[64];
    int len = snprintf(text, sizeof(text), "%s%s\n", state, recovery);

    ASSERT(len > 0 && (size_t)len < sizeof(text));
    (void)snprintf(path, sizeof(path), "%s/" RECOVER_NAME, r->folder); /* fits: recover_open */
    return env_file_write(r->env, path, str_of(text, (size_t)len), 0600, e);
}

/* As a leader elected by itself would append it. */
static int append(struct recover *r, enum store_group_id id, uint64_t member, const char *name,
                  struct err *e)
{
    struct recover_group *g = &r->groups[id];
    struct wal_entry entry = { .term = g->term + 1, .type = RAFT_CHANGE };
    struct raft_buffer bytes = { NULL, 0 };
    struct raft_configuration c;
    char path[PATH_BYTES];
    int rv;

    raft_configuration_init(&c);
    rv = raft_configuration_add(&c, member, name, RAFT_VOTER);
    if (rv == 0)
        rv = raft_configuration_encode(&c, &bytes);
    raft_configuration_close(&c);
    if (rv != 0)
        return err_set(e, ERR_INTERNAL, "the configuration: %s", raft_strerror(rv));
    entry.bytes = str_of(bytes.base, bytes.len);
    log_path(r, id, path);
    rv = wal_append_offline(r->env, path, &entry, e);
    raft_free(bytes.base);
    return rv;
}

int recover_write(struct recover *r, uint64_t id, const char *name, struct err *e)
{
    char recovery[RECOVER_NAME_BYTES];
    int rc = 0;

    for (enum store_group_id group = STORE_CLUSTER; rc == 0 && group <= STORE_BUS; group++)
        rc = check_id(&r->groups[group], id, name, e);
    (void)snprintf(recovery, sizeof(recovery), "%016llx%016llx",
                   (unsigned long long)env_random_u64(r->env),
                   (unsigned long long)env_random_u64(r->env));
    if (rc == 0)
        rc = write_mark(r, BEGUN, recovery, e);
    for (enum store_group_id group = STORE_CLUSTER; rc == 0 && group <= STORE_BUS; group++)
        rc = append(r, group, id, name, e);
    return rc == 0 ? write_mark(r, DONE, recovery, e) : rc;
}

/* ---- at the next start ---- */

int recover_name(struct env *env, const char *folder, char out[RECOVER_NAME_BYTES], struct err *e)
{
    struct str done = str_lit(DONE);
    struct str text;
    struct arena a;
    int rc;

    arena_init(&a);
    rc =
        env_file_read(env, &a, str_printf(&a, "%s/" RECOVER_NAME, folder).data, FILE_MAX, &text, e);
    if (rc == -ERR_NOT_FOUND) {
        out[0] = '\0';
        rc = 0;
    } else if (rc == 0 && str_starts(text, done) && text.len == done.len + RECOVER_NAME_BYTES &&
               text.data[text.len - 1] == '\n') {
        memcpy(out, text.data + done.len, RECOVER_NAME_BYTES - 1);
        out[RECOVER_NAME_BYTES - 1] = '\0';
    } else if (rc == 0) {
        rc = err_set(e, ERR_CORRUPT,
                     "%s: a recovery was begun and not ended; run `gantryd recover` again", folder);
    }
    arena_deinit(&a);
    return rc;
}
