/* See the header. The message is posted whenever somebody waits or time was spent, and begins the
 * count anew. */
#include "controlplane/apiserver/turns.h"

static void on_turn(struct env_msg *m);

void turns_init(struct turns *l, struct env_loop *loop)
{
    *l = (struct turns){ .loop = loop };
    list_init(&l->waiting);
}

static void post(struct turns *l)
{
    if (!l->posted) {
        l->posted = true;
        env_post(l->loop, &l->msg, on_turn);
    }
}

static void on_turn(struct env_msg *m)
{
    struct turns *l = container_of(m, struct turns, msg);
    struct env *env = env_of(l->loop);
    uint64_t began = env_now_ns(env);
    l->posted = false;
    l->spent_ns = 0;
    l->running = true;
    while (!list_empty(&l->waiting) && l->spent_ns < TURNS_NS) {
        struct turn *t = container_of(list_pop(&l->waiting), struct turn, node);
        t->run(t);
        l->spent_ns = env_now_ns(env) - began;
    }
    l->running = false;
    if (!turns_free(l)) {
        post(l);
    }
}

void turns_wait(struct turns *l, struct turn *t, void (*run)(struct turn *t))
{
    t->run = run;
    list_append(&l->waiting, &t->node);
    post(l);
}

bool turns_free(const struct turns *l)
{
    return l->running || (list_empty(&l->waiting) && l->spent_ns < TURNS_NS);
}

void turns_spend(struct turns *l, uint64_t ns)
{
    l->spent_ns += ns;
    if (!turns_free(l)) {
        post(l);
    }
}
