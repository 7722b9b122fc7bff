/* See the header. */
#include "tests/fault/members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "net/pki.h"

/* out is another field of what holds folder: the compiler cannot see that they do not overlap. */
static void join(char *out, size_t len, const char *folder, const char *name)
{
    char copy[MEMBERS_PATH_BYTES];

    int n = snprintf(copy, sizeof(copy), "%s", folder);

    ASSERT(n >= 0 && (size_t)n < sizeof(copy));
    n = snprintf(out, len, "%s/%s", copy, name);
    ASSERT(n >= 0 && (size_t)n < len);
}

/* Addresses of this process alone: what runs beside it listens elsewhere in 127.0.0.0/8, and no
 * connection's own end takes these ports there. */
static void set_addresses(struct members *m, int i, int port)
{
    struct store_member *t = &m->table[i];

    snprintf(t->peer_address, sizeof(t->peer_address), "tcp:127.%d.%d.%d:%d", m->host[0],
             m->host[1], m->host[2], port);
    snprintf(t->raft_address, sizeof(t->raft_address), "tcp:127.%d.%d.%d:%d", m->host[0],
             m->host[1], m->host[2], port + 1);
}

void members_move(struct members *m, int i)
{
    set_addresses(m, i, 2480 + 2 * i);
}

static void choose_addresses(struct members *m, struct env *env)
{
    env_random(env, m->host, sizeof(m->host));
    m->host[0] = (uint8_t)(1 + m->host[0] % 254);
    m->host[2] = (uint8_t)(1 + m->host[2] % 254);
    for (int i = 0; i < MEMBERS_COUNT; i++)
        set_addresses(m, i, 2380 + 2 * i);
}

static void write_file(struct env *env, const char *path, struct str bytes)
{
    struct err e = { 0 };
    int rv = env_file_write(env, path, bytes, 0600, &e);

    if (rv != 0)
        fprintf(stderr, "%s\n", e.msg);
    ASSERT(rv == 0);
}

static void issue(struct members *m, struct env *env, struct arena *a, const struct pki_pair *ca,
                  int i)
{
    struct pki_pair pair;
    char name[96];
    struct str names[2];
    struct pki_request request = { .server = true,
                                   .client = true,
                                   .dns_names = names,
                                   .dns_name_count = 1,
                                   .days = 2,
                                   .now_s = env_wall_ns(env) / ENV_S };
    struct err e = { 0 };
    int rv;

    snprintf(name, sizeof(name), "gantry-member-%s", m->table[i].name);
    names[0] = str_from(name);
    request.common_name = str_from(name);
    rv = pki_issue(a, ca, &request, &pair, &e);
    ASSERT(rv == 0);
    snprintf(name, sizeof(name), "%d.crt", i);
    join(m->certs[i], sizeof(m->certs[i]), m->folder, name);
    snprintf(name, sizeof(name), "%d.key", i);
    join(m->keys[i], sizeof(m->keys[i]), m->folder, name);
    write_file(env, m->certs[i], pair.certificate_pem);
    write_file(env, m->keys[i], pair.key_pem);
}

void members_init(struct members *m, struct env *env)
{
    const char *base = getenv("TEST_TMPDIR");
    struct pki_pair ca;
    struct arena a;
    struct err e = { 0 };
    int rv;

    memset(m, 0, sizeof(*m));
    /* Unix socket paths are short: not under a long TEST_TMPDIR. */
    if (base == NULL || strlen(base) > 60)
        base = "/tmp";
    snprintf(m->folder, sizeof(m->folder), "%s/members-XXXXXX", base);
    ASSERT(mkdtemp(m->folder) != NULL);
    arena_init(&a);
    rv = pki_make_ca(&a, str_lit("test"), env_wall_ns(env) / ENV_S, 2, &ca, &e);
    ASSERT(rv == 0);
    join(m->ca, sizeof(m->ca), m->folder, "ca.crt");
    write_file(env, m->ca, ca.certificate_pem);
    choose_addresses(m, env);
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        m->table[i].id = (uint64_t)i + 1;
        snprintf(m->table[i].name, sizeof(m->table[i].name), "m%d", i + 1);
        join(m->folders[i], sizeof(m->folders[i]), m->folder, m->table[i].name);
        issue(m, env, &a, &ca, i);
    }
    arena_deinit(&a);
}

void members_deinit(struct members *m, struct env *env)
{
    (void)env_remove_tree(env, m->folder, NULL); /* only a temporary folder */
}

struct store_config members_config(const struct members *m, struct env *env, int i)
{
    struct store_config c = { .env = env,
                              .folder = m->folders[i],
                              .member_id = m->table[i].id,
                              .members_count = MEMBERS_COUNT,
                              .ca_file = m->ca,
                              .cert_file = m->certs[i],
                              .key_file = m->keys[i],
                              .start = env_path_exists(env, m->folders[i]) ? STORE_START_AGAIN
                                                                           : STORE_START_FOUND,
                              .peer_listen_fd = -1,
                              .raft_listen_fd = -1,
                              .map_bytes = 1ull << 30 };

    memcpy(c.members, m->table, sizeof(m->table));
    return c;
}
