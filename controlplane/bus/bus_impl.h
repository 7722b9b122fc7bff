/* What the bus's files share: the broker (bus loop) and the two ends of a subscription. */
#ifndef CONTROLPLANE_BUS_BUS_IMPL_H
#define CONTROLPLANE_BUS_BUS_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/list.h"
#include "base/map.h"
#include "controlplane/bus/bus.h"
#include "controlplane/bus/channel.h"
#include "net/grpc.h"
#include "store/store.h"

/* Credit a consumer may have outstanding; NSQ's max-rdy-count. */
#define BUS_CREDIT_MAX         2500u
#define BUS_ACK_TIMEOUT_MS     60000u
#define BUS_ACK_TIMEOUT_MS_MIN 100u
/* Cursors are written back this long after the first change. */
#define BUS_FLUSH_MS 100u
/* Trimming looks at every topic this often. */
#define BUS_TRIM_MS 5000u
/* Messages in one SubscribeResponse, and their bytes. */
#define BUS_DELIVERY_MESSAGES_MAX 64u
#define BUS_DELIVERY_BYTES_MAX    (1u << 20)

struct bus {
    struct bus_config config;
    struct grpc_service service;
    struct arena scratch; /* the bus loop's, reset by each use */
    struct map topics;    /* name -> struct topic; the bus loop's */
    bool leading;
    uint64_t term;
    struct store_leadership leadership;
    struct store_subscriber subscriber;
    struct env_timer flush_timer;
    struct env_timer trim_timer;
    struct env_timer due_timer;
    struct env_msg start_msg;
    bool flushing;
    struct store_write flush_write;
    struct store_write trim_write;
    bool trimming;
};

struct topic {
    struct list channels; /* struct bus_channel */
    uint64_t last;        /* newest sequence seen */
    char name[80];
};

struct bus_channel {
    struct list node;
    struct topic *topic;
    struct channel state;
    struct list consumers; /* rotates: the head is served next */
    bool ephemeral;
    char name[80];
};

/* A subscription's end on the bus loop. */
struct consumer {
    struct list node;
    struct bus_channel *channel;
    struct subscription *subscription;
    uint32_t credit;
    uint32_t timeout_ms;
};

enum bus_request_type { BUS_START, BUS_CREDIT, BUS_ACK, BUS_REQUEUE, BUS_TOUCH, BUS_CLOSE };

/* From a subscription's stream loop to the bus loop. Heap; the receiver frees. */
struct bus_request {
    struct env_msg msg;
    struct subscription *subscription;
    enum bus_request_type type;
    uint64_t sequence;
    uint32_t number; /* credit, delay, timeout */
    uint32_t credit;
    bool latest;
    char topic[80];
    char channel[80];
    size_t sequences_count; /* BUS_ACK */
    uint64_t sequences[];
};

enum bus_reply_type { BUS_DELIVER, BUS_FINISH, BUS_GONE };

/* From the bus loop to the stream's loop. Heap; the receiver frees. */
struct bus_reply {
    struct env_msg msg;
    struct subscription *subscription;
    enum bus_reply_type type;
    enum grpc_code code;
    char text[160];
    struct buf packed; /* BUS_DELIVER: a SubscribeResponse */
};

/* A subscription's end on its stream's loop. Freed by BUS_GONE, which the bus loop sends last. */
struct subscription {
    struct bus *bus;
    struct env_loop *loop;
    struct grpc_stream *stream; /* NULL once the stream is closed */
    bool started;
    struct consumer *consumer; /* the bus loop's */
};

/* service.c */
void bus_service_init(struct bus *b);
void bus_reply_run(struct env_msg *m);
/* broker.c: runs on the bus loop */
void broker_request(struct env_msg *m);
void broker_start(struct bus *b);
void broker_deinit(struct bus *b);
/* deliver.c: hands out what can go out on this channel, and arms the due timer */
void deliver_channel(struct bus *b, struct bus_channel *c);
void deliver_arm(struct bus *b);
void bus_reply_post(struct subscription *s, enum bus_reply_type type, enum grpc_code code,
                    const char *text, struct buf *packed);
/* upkeep.c: cursors written back, topics trimmed */
void upkeep_dirty(struct bus *b);
void upkeep_start(struct bus *b);

#endif
