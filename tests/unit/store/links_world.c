/* See the header. */
#include "tests/unit/store/links_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim.h"
#include "base/env_uv.h"
#include "store/guard_parts.h"
#include "tests/unit/unit.h"

#define UNTIL_S 120

/* ---- on the loop ---- */

struct job {
    struct env_msg msg;
    struct env_loop *loop;
    struct env_timer timer;
    void (*fn)(void *ctx);
    bool (*holds)(void *ctx);
    void *ctx;
    bool done;   /* the simulation's */
    sem_t ready; /* the real world's */
};

static void job_end(struct job *j)
{
    j->done = true;
    (void)sem_post(&j->ready); /* cannot overflow */
}

static void run_job(struct env_msg *m)
{
    struct job *j = container_of(m, struct job, msg);

    j->fn(j->ctx);
    job_end(j);
}

static void look(struct env_timer *t)
{
    struct job *j = container_of(t, struct job, timer);

    if (j->holds(j->ctx)) {
        env_timer_deinit(t);
        job_end(j);
        return;
    }
    env_timer_start(t, 1);
}

static void start_looking(struct env_msg *m)
{
    struct job *j = container_of(m, struct job, msg);

    env_timer_init(j->loop, &j->timer, look);
    env_timer_start(&j->timer, 0);
}

static void await(struct links_world *w, struct job *j, void (*run)(struct env_msg *m))
{
    uint64_t end = env_now_ns(w->env) + UNTIL_S * ENV_S;
    struct timespec deadline;
    int rv;

    ASSERT(sem_init(&j->ready, 0, 0) == 0);
    env_post(j->loop, &j->msg, run);
    if (w->sim) {
        while (!j->done && env_now_ns(w->env) < end)
            assert_true(env_sim_step(w->env));
        assert_true(j->done);
    } else {
        ASSERT(clock_gettime(CLOCK_REALTIME, &deadline) == 0);
        deadline.tv_sec += UNTIL_S;
        rv = sem_timedwait(&j->ready, &deadline);
        assert_int_equal(rv, 0);
    }
    (void)sem_destroy(&j->ready); /* nobody waits */
}

void links_world_do(struct links_world *w, int i, void (*fn)(void *ctx), void *ctx)
{
    struct job j = { .loop = w->members[i].loop, .fn = fn, .ctx = ctx };

    await(w, &j, run_job);
}

void links_world_until(struct links_world *w, int i, bool (*holds)(void *ctx), void *ctx)
{
    struct job j = { .loop = w->members[i].loop, .holds = holds, .ctx = ctx };

    await(w, &j, start_looking);
}

/* ---- the world ---- */

struct pki_pair links_world_issue(struct links_world *w, const struct pki_pair *ca,
                                  const char *name)
{
    struct str names[] = { str_from(name) };
    struct pki_request r = { .common_name = names[0],
                             .server = true,
                             .client = true,
                             .dns_names = names,
                             .dns_name_count = 1,
                             .days = 2,
                             .now_s = env_wall_ns(w->env) / ENV_S };
    struct pki_pair pair;
    struct err e = { 0 };

    ASSERT(pki_issue(&w->arena, ca, &r, &pair, &e) == 0);
    return pair;
}

static void write_file(struct links_world *w, char out[600], const char *name, struct str bytes)
{
    struct err e = { 0 };

    (void)snprintf(out, 600, "%s/%s", w->folder, name);
    ASSERT(env_file_write(w->env, out, bytes, 0600, &e) == 0);
}

static void make_certificates(struct links_world *w)
{
    const char *base = getenv("TEST_TMPDIR");
    struct err e = { 0 };

    (void)snprintf(w->folder, sizeof(w->folder), "%s/links-XXXXXX", base != NULL ? base : "/tmp");
    ASSERT(mkdtemp(w->folder) != NULL);
    ASSERT(pki_make_ca(&w->arena, str_lit("test"), env_wall_ns(w->env) / ENV_S, 2, &w->ca, &e) ==
           0);
    write_file(w, w->ca_file, "ca", w->ca.certificate_pem);
    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++) {
        char name[80];
        char file[16];
        struct pki_pair pair;

        (void)snprintf(name, sizeof(name), "gantry-member-%s", w->roster[i].name);
        pair = links_world_issue(w, &w->ca, name);
        (void)snprintf(file, sizeof(file), "%d.crt", i);
        write_file(w, w->members[i].cert, file, pair.certificate_pem);
        (void)snprintf(file, sizeof(file), "%d.key", i);
        write_file(w, w->members[i].key, file, pair.key_pem);
    }
}

struct links_world *links_world_new(bool sim)
{
    struct links_world *w = mem_alloc(sizeof(*w));

    w->sim = sim;
    w->env = sim ? env_sim_new(7) : env_uv_new();
    arena_init(&w->arena);
    if (!sim)
        w->loop = env_loop_new(w->env, "links");
    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++) {
        struct links_member *m = &w->members[i];

        w->roster[i].id = (uint64_t)i + 1;
        (void)snprintf(w->roster[i].name, sizeof(w->roster[i].name), "m%d", i + 1);
        if (sim)
            (void)snprintf(w->roster[i].raft_address, sizeof(w->roster[i].raft_address), "m%d:raft",
                           i + 1);
        m->world = w;
        m->loop = sim ? env_loop_new(w->env, w->roster[i].name) : w->loop;
        list_init(&m->got);
        if (sim)
            env_loop_start(m->loop);
    }
    if (!sim) {
        make_certificates(w);
        env_loop_start(w->loop);
    }
    return w;
}

static void stop_loop(struct env_loop *loop)
{
    env_loop_stop(loop);
    env_loop_join(loop);
    env_loop_free(loop);
}

void links_world_free(struct links_world *w)
{
    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++) {
        if (w->members[i].links != NULL)
            links_world_close(w, i);
        links_world_clear(w, i);
    }
    for (int i = 0; w->sim && i < LINKS_WORLD_MEMBERS; i++)
        stop_loop(w->members[i].loop);
    if (!w->sim) {
        stop_loop(w->loop);
        (void)env_remove_tree(w->env, w->folder, NULL); /* only a temporary folder */
    }
    arena_deinit(&w->arena);
    if (w->sim)
        env_sim_free(w->env);
    else
        env_uv_free(w->env);
    mem_free(w);
}

/* ---- members ---- */

static void on_message(void *ctx, enum store_group_id group, struct raft_message *message)
{
    struct links_member *m = ctx;
    struct links_got *got = mem_alloc(sizeof(*got));

    ASSERT(!m->in_call);
    got->group = group;
    got->message = *message;
    (void)snprintf(got->address, sizeof(got->address), "%s", message->server_address);
    list_append(&m->got, &got->node);
    m->got_count++;
    if (m->on_message != NULL)
        m->on_message(m, message);
}

static void on_read(void *ctx, enum store_group_id group, uint64_t from,
                    const struct wire_read *read)
{
    struct links_member *m = ctx;

    assert_false(m->in_call);
    assert_true(m->reads_count < sizeof(m->reads) / sizeof(m->reads[0]));
    m->reads[m->reads_count++] = *read;
    m->reads_from = from;
    m->reads_group = group;
}

static int on_writes(void *ctx, enum store_group_id group, uint64_t from,
                     const struct wire_writes *writes, struct err *e)
{
    struct links_member *m = ctx;
    struct wire_writes w = *writes;
    struct str txn;
    uint32_t wait_ms;

    (void)from;
    ASSERT(!m->in_call);
    ASSERT(group == STORE_BUS);
    m->writes_call = w.call;
    while (wire_forward_next(&w, &txn, &wait_ms)) {
        ASSERT(m->writes_count < sizeof(m->writes) / sizeof(m->writes[0]));
        m->writes[m->writes_count++] =
            str_of(arena_copy(&m->world->arena, txn.data, txn.len), txn.len);
    }
    return m->nonsense ? err_set(e, ERR_PROTOCOL, "nonsense") : 0;
}

static void on_lost_from(void *ctx, uint64_t member_id)
{
    struct links_member *m = ctx;

    ASSERT(!m->in_call);
    m->lost_from[member_id]++;
}

static void on_gone(void *ctx, uint64_t member_id)
{
    struct links_member *m = ctx;

    assert_false(m->in_call);
    m->gone[member_id]++;
}

static void on_lost(void *ctx, uint64_t member_id)
{
    struct links_member *m = ctx;

    ASSERT(!m->in_call);
    m->lost[member_id]++;
}

struct opening {
    struct links_world *w;
    int i;
    const char *listen;
    int rv;
    struct err e;
};

static void open_here(void *ctx)
{
    struct opening *o = ctx;
    struct links_member *m = &o->w->members[o->i];
    struct links_config c = { .env = o->w->env,
                              .loop = m->loop,
                              .member_id = o->w->roster[o->i].id,
                              .listen_address = o->listen,
                              .simulated = o->w->sim,
                              .message = on_message,
                              .read = on_read,
                              .writes = on_writes,
                              .lost = on_lost,
                              .lost_from = on_lost_from,
                              .gone = on_gone,
                              .ctx = m };

    if (!o->w->sim) {
        c.ca_file = o->w->ca_file;
        c.cert_file = m->cert;
        c.key_file = m->key;
    }
    o->rv = links_open(&c, &m->links, &o->e);
}

void links_world_open(struct links_world *w, int i, const char *listen)
{
    struct store_member *row = &w->roster[i];
    bool known = row->raft_address[0] != '\0';
    struct opening o = { .w = w, .i = i, .listen = listen };

    if (listen == NULL)
        o.listen = known ? row->raft_address : "tcp:127.0.0.1:0";
    links_world_do(w, i, open_here, &o);
    if (o.rv != 0)
        fprintf(stderr, "%s\n", o.e.msg);
    assert_int_equal(o.rv, 0);
    if (!w->sim && (listen != NULL || !known)) {
        const char *colon = strrchr(o.listen, ':');

        (void)snprintf(row->raft_address, sizeof(row->raft_address), "%.*s:%d",
                       (int)(colon - o.listen), o.listen, links_port(w->members[i].links));
    }
}

static void on_closed(void *ctx)
{
    struct links_member *m = ctx;

    m->links = NULL;
}

static void close_here(void *ctx)
{
    struct links_member *m = ctx;

    links_close(m->links, on_closed, m);
    ASSERT(m->links != NULL); /* not inside the call */
}

static bool is_closed(void *ctx)
{
    return ((struct links_member *)ctx)->links == NULL;
}

void links_world_close(struct links_world *w, int i)
{
    links_world_do(w, i, close_here, &w->members[i]);
    links_world_until(w, i, is_closed, &w->members[i]);
}

struct pair {
    struct links_world *w;
    int i;
    int j;
    size_t count;
};

static void set_roster(void *ctx)
{
    struct pair *p = ctx;

    links_set_members(p->w->members[p->i].links, p->w->roster, p->count);
}

void links_world_roster(struct links_world *w, int i, size_t count)
{
    struct pair p = { .w = w, .i = i, .count = count };

    links_world_do(w, i, set_roster, &p);
}

static bool pair_is_open(void *ctx)
{
    struct pair *p = ctx;
    const struct link_peer *peer = p->w->members[p->i].links->peers[p->j];

    return link_slot_is_open(&peer->slots[LINK_URGENT]) &&
           link_slot_is_open(&peer->slots[LINK_BULK]);
}

void links_world_await(struct links_world *w, int i, int j)
{
    struct pair p = { .w = w, .i = i, .j = j };

    links_world_until(w, i, pair_is_open, &p);
}

void links_world_connect(struct links_world *w)
{
    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++)
        links_world_open(w, i, NULL);
    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++)
        links_world_roster(w, i, LINKS_WORLD_MEMBERS);
    for (int i = 0; i < LINKS_WORLD_MEMBERS; i++)
        for (int j = 0; j < LINKS_WORLD_MEMBERS; j++)
            if (i != j)
                links_world_await(w, i, j);
}

/* ---- messages ---- */

struct sending {
    struct links_member *from;
    enum store_group_id group;
    const struct raft_message *message;
    struct links_sent *sent;
};

static void on_sent(struct raft_io_send *req, int status)
{
    struct links_sent *s = container_of(req, struct links_sent, req);

    ASSERT(!s->from->in_call);
    s->calls++;
    s->status = status;
}

static void send_here(void *ctx)
{
    struct sending *s = ctx;

    s->from->in_call = true;
    s->sent->refused = links_send(s->from->links, s->group, &s->sent->req, s->message, on_sent);
    s->from->in_call = false;
}

void links_world_send(struct links_world *w, int i, enum store_group_id group,
                      const struct raft_message *message, struct links_sent *sent)
{
    struct sending s = { &w->members[i], group, message, sent };

    *sent = (struct links_sent){ .from = s.from };
    links_world_do(w, i, send_here, &s);
}

static bool is_sent(void *ctx)
{
    return ((struct links_sent *)ctx)->calls > 0;
}

void links_world_await_sent(struct links_world *w, struct links_sent *sent)
{
    links_world_until(w, (int)(sent->from - w->members), is_sent, sent);
}

struct counted {
    struct links_member *m;
    size_t count;
};

static bool has_got(void *ctx)
{
    struct counted *c = ctx;

    return c->m->got_count >= c->count;
}

void links_world_await_got(struct links_world *w, int i, size_t count)
{
    struct counted c = { &w->members[i], count };

    links_world_until(w, i, has_got, &c);
}

static void clear_here(void *ctx)
{
    struct links_member *m = ctx;

    for (struct list *node = list_pop(&m->got); node != NULL; node = list_pop(&m->got)) {
        struct links_got *got = container_of(node, struct links_got, node);

        guard_drop_message(&got->message);
        mem_free(got);
    }
    m->got_count = 0;
}

void links_world_clear(struct links_world *w, int i)
{
    links_world_do(w, i, clear_here, &w->members[i]);
}

struct raft_message links_world_entries(struct links_world *w, uint64_t to, uint64_t first,
                                        unsigned count, size_t entry_bytes)
{
    struct raft_message m = { .type = RAFT_IO_APPEND_ENTRIES, .server_id = to };
    struct raft_append_entries *a = &m.append_entries;

    a->term = 3;
    a->prev_log_index = first - 1;
    a->prev_log_term = 2;
    a->leader_commit = first + count - 1;
    a->n_entries = count;
    a->entries = arena_alloc(&w->arena, count * sizeof(*a->entries));
    for (unsigned i = 0; i < count; i++) {
        a->entries[i] = (struct raft_entry){ .term = 3, .type = RAFT_COMMAND };
        a->entries[i].buf.base = arena_alloc(&w->arena, entry_bytes);
        a->entries[i].buf.len = entry_bytes;
        memset(a->entries[i].buf.base, (int)(first + i), entry_bytes);
    }
    return m;
}

int links_world_setup_sim(void **state)
{
    *state = links_world_new(true);
    return 0;
}

int links_world_setup_real(void **state)
{
    *state = links_world_new(false);
    return 0;
}

int links_world_teardown(void **state)
{
    links_world_free(*state);
    return 0;
}
