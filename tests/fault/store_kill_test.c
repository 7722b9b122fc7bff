/*
 * Three members in processes of their own; writers in each; the leader killed with -9 again and
 * again under load. Every acknowledged write must be on all three at the end, with equal digests,
 * and writes must resume within 3 s of each kill.
 *
 * A member's process writes a line to its pipe for each acknowledged key, and answers commands:
 * S (status), P (stop writing; answers when nothing is under way), V FILE (a linearizable read of
 * every key listed there). What it acknowledged before it was killed is in the pipe.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv.h"
#include "tests/fault/members.h"
#include "tests/unit/unit.h"

#define WRITERS       16
#define ROUNDS        4
#define RESUME_MS_MAX 3000
#define KEYS_MAX      400000
#define KEY_BYTES     24

/* ---- in a member's process ---- */

struct writer {
    struct store_write write;
    struct child *child;
    char key[KEY_BYTES];
};

struct child {
    struct env *env;
    struct env_loop *loop;
    struct store *store;
    struct store_group *group;
    int index;
    int out;
    unsigned next;
    unsigned life;
    unsigned idle;
    bool paused;
    struct writer writers[WRITERS];
    struct env_msg begin;
    struct env_msg pause;
    struct env_msg verify;
    struct store_barrier barrier;
    char file[MEMBERS_PATH_BYTES + 16];
};

static void say(struct child *c, const char *line)
{
    ssize_t n = write(c->out, line, strlen(line));

    ASSERT(n == (ssize_t)strlen(line));
}

static void writer_next(struct writer *w)
{
    static char value[512];
    struct child *c = w->child;
    struct store_op op = { .type = STORE_OP_PUT };
    struct store_txn txn = { .ops = &op, .ops_count = 1 };

    if (c->paused) {
        if (++c->idle == WRITERS)
            say(c, "P\n");
        return;
    }
    snprintf(w->key, sizeof(w->key), "k/%d-%u-%u", c->index, c->life, c->next++);
    op.key = str_from(w->key);
    op.value = str_of(value, sizeof(value));
    w->write.deadline_ms = 0;
    store_submit(c->group, &w->write, &txn);
}

static void on_written(struct store_write *sw)
{
    struct writer *w = (struct writer *)sw;
    char line[KEY_BYTES + 4];

    if (sw->result.status == 0) {
        snprintf(line, sizeof(line), "A%s\n", w->key);
        say(w->child, line);
    }
    writer_next(w);
}

static void on_begin(struct env_msg *m)
{
    struct child *c = container_of(m, struct child, begin);

    for (int i = 0; i < WRITERS; i++) {
        c->writers[i].child = c;
        c->writers[i].write.loop = c->loop;
        c->writers[i].write.done = on_written;
        writer_next(&c->writers[i]);
    }
}

static void on_pause(struct env_msg *m)
{
    container_of(m, struct child, pause)->paused = true;
}

static void on_read_point(struct store_barrier *b)
{
    struct child *c = b->priv;
    FILE *f = fopen(c->file, "r");
    char key[64];
    char line[64];
    unsigned missing = 0;
    unsigned seen = 0;

    ASSERT(f != NULL);
    while (b->status == 0 && fgets(key, sizeof(key), f) != NULL) {
        struct store_read r;
        struct store_version v;

        key[strcspn(key, "\n")] = '\0';
        ASSERT(store_read_begin(c->group, 0, &r) == 0);
        if (store_read_get(&r, str_from(key), &v) != 0 || v.value.len != 512)
            missing++;
        store_read_end(&r);
        seen++;
    }
    fclose(f);
    snprintf(line, sizeof(line), "V%d %u %u\n", b->status, seen, missing);
    say(c, line);
}

static void on_verify(struct env_msg *m)
{
    struct child *c = container_of(m, struct child, verify);

    c->barrier.loop = c->loop;
    c->barrier.done = on_read_point;
    c->barrier.priv = c;
    store_barrier(c->group, &c->barrier);
}

static void say_status(struct child *c)
{
    struct store_status s;
    char line[128];

    store_status(c->group, &s);
    snprintf(line, sizeof(line), "S%llu %d %llu %llx\n", (unsigned long long)s.leader_id, s.ready,
             (unsigned long long)s.applied_index, (unsigned long long)s.digest);
    say(c, line);
}

static void child_main(const struct members *m, int index, unsigned life, int in, int out)
{
    static struct child c;
    struct store_config config;
    struct err e = { 0 };
    FILE *commands = fdopen(in, "r");
    char line[MEMBERS_PATH_BYTES + 32];

    c.env = env_uv_new();
    c.index = index;
    c.life = life;
    c.out = out;
    config = members_config(m, c.env, index);
    if (store_open(&config, &c.store, &e) != 0) {
        fprintf(stderr, "member %d: %s\n", index + 1, e.msg);
        _exit(3);
    }
    c.group = store_group(c.store, STORE_CLUSTER);
    c.loop = env_loop_new(c.env, "client");
    env_loop_start(c.loop);
    env_post(c.loop, &c.begin, on_begin);
    while (fgets(line, sizeof(line), commands) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == 'S')
            say_status(&c);
        else if (line[0] == 'P')
            env_post(c.loop, &c.pause, on_pause);
        else if (line[0] == 'V') {
            snprintf(c.file, sizeof(c.file), "%.*s", MEMBERS_PATH_BYTES, line + 1);
            env_post(c.loop, &c.verify, on_verify);
        } else {
            store_close(c.store);
            _exit(0);
        }
    }
    _exit(0);
}

/* ---- the parent ---- */

struct member {
    pid_t pid;
    int in;
    int out;
    unsigned life;
    char buf[8192];
    size_t len;
    uint64_t leader;
    int ready;
    uint64_t applied;
    uint64_t digest;
    bool answered;
    bool paused;
    int verify_status;
    unsigned verify_seen;
    unsigned verify_missing;
};

struct cluster {
    struct env *env;
    struct members config;
    struct member members[MEMBERS_COUNT];
    char (*keys)[KEY_BYTES];
    size_t keys_count;
};

static uint64_t now_ms(struct cluster *t)
{
    return env_now_ns(t->env) / ENV_MS;
}

static void spawn(struct cluster *t, int i)
{
    struct member *m = &t->members[i];
    int to[2];
    int from[2];

    ASSERT(pipe(to) == 0 && pipe(from) == 0);
    fflush(stdout);
    m->pid = fork();
    ASSERT(m->pid >= 0);
    if (m->pid == 0) {
        for (int j = 0; j < MEMBERS_COUNT; j++)
            if (j != i && t->members[j].pid > 0) {
                close(t->members[j].in);
                close(t->members[j].out);
            }
        close(to[1]);
        close(from[0]);
        child_main(&t->config, i, m->life, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    m->in = to[1];
    m->out = from[0];
    m->life++;
    m->len = 0;
}

static void take_line(struct cluster *t, struct member *m, const char *line)
{
    unsigned long long a = 0;
    unsigned long long b = 0;
    unsigned long long c = 0;

    switch (line[0]) {
    case 'A':
        ASSERT(t->keys_count < KEYS_MAX);
        snprintf(t->keys[t->keys_count++], KEY_BYTES, "%s", line + 1);
        break;
    case 'S':
        m->answered = sscanf(line + 1, "%llu %d %llu %llx", &a, &m->ready, &b, &c) == 4;
        m->leader = a;
        m->applied = b;
        m->digest = c;
        break;
    case 'P':
        m->paused = true;
        break;
    case 'V':
        m->answered = sscanf(line + 1, "%d %u %u", &m->verify_status, &m->verify_seen,
                             &m->verify_missing) == 3;
        break;
    default:
        ASSERT(false);
    }
}

/* Reads what a member said; false at the end of its pipe. */
static bool take_some(struct cluster *t, struct member *m)
{
    ssize_t n = read(m->out, m->buf + m->len, sizeof(m->buf) - 1 - m->len);
    char *end;

    if (n <= 0)
        return false;
    m->len += (size_t)n;
    m->buf[m->len] = '\0';
    while ((end = strchr(m->buf, '\n')) != NULL) {
        *end = '\0';
        take_line(t, m, m->buf);
        m->len -= (size_t)(end + 1 - m->buf);
        memmove(m->buf, end + 1, m->len + 1);
    }
    return true;
}

static void pump(struct cluster *t, int ms)
{
    uint64_t end = now_ms(t) + (uint64_t)ms;

    do {
        struct pollfd fds[MEMBERS_COUNT];
        uint64_t now = now_ms(t);

        for (int i = 0; i < MEMBERS_COUNT; i++)
            fds[i] = (struct pollfd){ .fd = t->members[i].pid > 0 ? t->members[i].out : -1,
                                      .events = POLLIN };
        if (poll(fds, MEMBERS_COUNT, now < end ? (int)(end - now) : 0) <= 0)
            continue;
        for (int i = 0; i < MEMBERS_COUNT; i++)
            if (fds[i].revents != 0 && !take_some(t, &t->members[i])) {
                fprintf(stderr, "member %d ended by itself\n", i + 1);
                assert_true(false);
            }
    } while (now_ms(t) < end);
}

static void command(struct member *m, const char *line)
{
    ssize_t n = write(m->in, line, strlen(line));

    ASSERT(n == (ssize_t)strlen(line));
    m->answered = false;
}

static bool ask_status(struct cluster *t, struct member *m)
{
    command(m, "S\n");
    for (int i = 0; i < 200 && !m->answered; i++)
        pump(t, 10);
    return m->answered;
}

/* The member that leads and is ready, or -1 after ms. */
static int wait_leader(struct cluster *t, int ms)
{
    uint64_t end = now_ms(t) + (uint64_t)ms;

    while (now_ms(t) < end) {
        for (int i = 0; i < MEMBERS_COUNT; i++) {
            struct member *m = &t->members[i];

            if (m->pid > 0 && ask_status(t, m) && m->ready && m->leader == (uint64_t)i + 1)
                return i;
        }
        pump(t, 20);
    }
    return -1;
}

static void kill_member(struct cluster *t, int i)
{
    struct member *m = &t->members[i];

    kill(m->pid, SIGKILL);
    waitpid(m->pid, NULL, 0);
    while (take_some(t, m))
        ; /* what it had acknowledged */
    close(m->in);
    close(m->out);
    m->pid = 0;
}

static bool equal_everywhere(struct cluster *t)
{
    for (int i = 0; i < MEMBERS_COUNT; i++)
        if (!ask_status(t, &t->members[i]))
            return false;
    for (int i = 1; i < MEMBERS_COUNT; i++)
        if (t->members[i].applied != t->members[0].applied ||
            t->members[i].digest != t->members[0].digest)
            return false;
    return t->members[0].applied > 0;
}

static void check_everywhere(struct cluster *t)
{
    char path[MEMBERS_PATH_BYTES + 16];
    char line[MEMBERS_PATH_BYTES + 32];
    FILE *f;
    bool equal = false;

    for (int i = 0; i < MEMBERS_COUNT; i++)
        command(&t->members[i], "P\n");
    for (int n = 0;
         n < 150 && !(t->members[0].paused && t->members[1].paused && t->members[2].paused); n++)
        pump(t, 100);
    for (int n = 0; n < 100 && !equal; n++) {
        equal = equal_everywhere(t);
        pump(t, 50);
    }
    for (int i = 0; i < MEMBERS_COUNT; i++)
        printf("member %d: applied %llu digest %llx\n", i + 1,
               (unsigned long long)t->members[i].applied, (unsigned long long)t->members[i].digest);
    assert_true(equal);
    snprintf(path, sizeof(path), "%s/keys", t->config.folder);
    f = fopen(path, "w");
    for (size_t k = 0; k < t->keys_count; k++)
        fprintf(f, "%s\n", t->keys[k]);
    fclose(f);
    snprintf(line, sizeof(line), "V%s\n", path);
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct member *m = &t->members[i];

        command(m, line);
        for (int n = 0; n < 600 && !m->answered; n++)
            pump(t, 50);
        assert_true(m->answered);
        assert_int_equal(m->verify_status, 0);
        assert_int_equal(m->verify_seen, t->keys_count);
        assert_int_equal(m->verify_missing, 0);
    }
    printf("%zu acknowledged writes are on all members\n", t->keys_count);
}

static void test_leader_killed_again_and_again(void **state)
{
    struct cluster *t = *state;

    for (int round = 0; round < ROUNDS; round++) {
        int leader = wait_leader(t, 15000);
        size_t before;
        uint64_t killed;

        assert_true(leader >= 0);
        pump(t, 700);
        kill_member(t, leader);
        killed = now_ms(t);
        /* What is in the pipes already was acknowledged before. */
        pump(t, 50);
        before = t->keys_count;
        while (t->keys_count < before + WRITERS && now_ms(t) < killed + 10000)
            pump(t, 10);
        printf("round %d: member %d killed, writes resumed after %llu ms, %zu acknowledged\n",
               round + 1, leader + 1, (unsigned long long)(now_ms(t) - killed), t->keys_count);
        assert_true(now_ms(t) - killed < RESUME_MS_MAX);
        pump(t, 200);
        spawn(t, leader);
    }
    pump(t, 500);
    assert_true(wait_leader(t, 15000) >= 0);
    check_everywhere(t);
}

static int setup(void **state)
{
    struct cluster *t = mem_alloc(sizeof(*t));

    t->env = env_uv_new();
    t->keys = mem_alloc(KEYS_MAX * sizeof(*t->keys));
    members_init(&t->config, t->env);
    for (int i = 0; i < MEMBERS_COUNT; i++)
        spawn(t, i);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct cluster *t = *state;

    for (int i = 0; i < MEMBERS_COUNT; i++)
        if (t->members[i].pid > 0)
            kill_member(t, i);
    members_deinit(&t->config, t->env);
    mem_free(t->keys);
    env_uv_free(t->env);
    mem_free(t);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(
        test_leader_killed_again_and_again, setup, teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
