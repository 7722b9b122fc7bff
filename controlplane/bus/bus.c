/* The bus's life; see bus.h. */
#include "controlplane/bus/bus.h"

#include "controlplane/bus/bus_impl.h"
#include "controlplane/bus/topic.h"

/* Timers belong to the bus loop, so they are made there. */
static void bus_started(struct env_msg *m)
{
    upkeep_start(container_of(m, struct bus, start_msg));
}

struct bus *bus_new(const struct bus_config *config)
{
    struct bus *b = mem_alloc(sizeof *b);
    b->config = *config;
    if (b->config.depth_max == 0)
        b->config.depth_max = TOPIC_DEPTH_MAX;
    arena_init(&b->scratch);
    map_init(&b->topics);
    bus_service_init(b);
    /* First in the loop's queue: before any request or edge. */
    env_post(config->loop, &b->start_msg, bus_started);
    broker_start(b);
    return b;
}

void bus_free(struct bus *b)
{
    if (b == NULL)
        return;
    broker_deinit(b);
    env_timer_deinit(&b->flush_timer);
    env_timer_deinit(&b->trim_timer);
    env_timer_deinit(&b->due_timer);
    arena_deinit(&b->scratch);
    mem_free(b);
}

const struct grpc_service *bus_service(struct bus *b)
{
    return &b->service;
}
