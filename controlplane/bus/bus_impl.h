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
/* Cursors are written back this long after the first change, up to so many bytes of rows a time. */
#define BUS_FLUSH_MS        100u
#define BUS_FLUSH_BYTES_MAX (1u << 20)
/* Trimming looks at topics this often, and idle channels leave memory. */
#define BUS_TRIM_MS 5000u
/* A channel leaves memory so long after its row was written: an answer comes before it is visible,
 * and a channel that came back at once would read its row as it was before. */
#define BUS_IDLE_MS 1000u
/* A read that found no free reader slot is tried again so soon. */
#define BUS_RETRY_MS 10u
/* Messages in one SubscribeResponse, and their bytes. */
#define BUS_DELIVERY_MESSAGES_MAX 64u
#define BUS_DELIVERY_BYTES_MAX    (1u << 20)
/* Bytes on the way to one consumer that its connection has not taken yet: beyond it nothing more
 * is delivered to it. What was taken is reported in steps. */
#define BUS_CONSUMER_BYTES_MAX (4u << 20)
#define BUS_CONSUMER_STEP      (256u << 10)
/* Requests of one stream on their way to the bus loop: beyond it the stream is not read. What was
 * handled is reported in rounds. */
#define BUS_REQUESTS_MAX   256u
#define BUS_REQUESTS_ROUND 64u
/* Channels in the leader's memory, 128 KiB each when full, and all their consumers. Each commit
 * looks at every topic in memory, each expiry at every channel. */
#define BUS_CHANNELS_MAX  1024u
#define BUS_CONSUMERS_MAX 4096u

struct bus {
    struct bus_config config;
    struct grpc_service service;
    struct arena scratch;  /* the bus loop's, reset by each use */
    struct map topics;     /* name -> struct topic, those with channels; the bus loop's */
    size_t channels_count; /* of all topics */
    size_t consumers_count;
    size_t waiting_count; /* subscriptions that wait for a read point */
    bool leading;
    uint64_t term;
    struct store_leadership leadership;
    struct store_subscriber subscriber;
    struct env_timer flush_timer;
    struct env_timer trim_timer;
    struct env_timer due_timer;
    uint64_t due_ms; /* when due_timer fires; 0: not running */
    struct env_msg start_msg;
    bool flushing;
    struct store_write flush_write;
    struct store_write trim_write;
    bool trimming;
    char trim_after[80]; /* the topic row where the last round of trimming stopped */
};

struct topic {
    struct list channels; /* struct bus_channel; never empty */
    uint64_t first;       /* oldest and newest sequence, as last seen */
    uint64_t last;
    bool grown; /* last moved: channels are to be served */
    char name[80];
};

struct bus_channel {
    struct list node;
    struct topic *topic;
    struct channel state;
    struct list consumers; /* rotates: the head is served next */
    bool ephemeral;
    bool stored;   /* its row is in the store */
    bool flushing; /* its row is in flush_write */
    uint64_t flushed_ms;
    char name[80];
};

/* A subscription's end on the bus loop. */
struct consumer {
    struct list node;
    struct bus_channel *channel;
    struct subscription *subscription;
    uint32_t credit;
    uint32_t timeout_ms;
    size_t queued; /* bytes delivered and not yet reported as taken */
};

enum bus_request_type {
    BUS_START,
    BUS_CREDIT,
    BUS_ACK,
    BUS_REQUEUE,
    BUS_TOUCH,
    BUS_TAKEN, /* not the client's: the connection took `number` bytes */
    BUS_CLOSE
};

/* From a subscription's stream loop to the bus loop. Heap; the receiver frees. */
struct bus_request {
    struct env_msg msg;
    struct subscription *subscription;
    enum bus_request_type type;
    uint64_t sequence;
    uint32_t number; /* credit, delay, timeout, bytes */
    uint32_t credit;
    bool latest;
    char topic[80];
    char channel[80];
    size_t sequences_count; /* BUS_ACK */
    uint64_t sequences[];
};

enum bus_reply_type { BUS_DELIVER, BUS_FINISH, BUS_HANDLED, BUS_GONE };

/* From the bus loop to the stream's loop. Heap; the receiver frees. */
struct bus_reply {
    struct env_msg msg;
    struct subscription *subscription;
    enum bus_reply_type type;
    enum grpc_code code;
    uint32_t number; /* BUS_HANDLED: requests */
    char text[240];
    struct buf packed; /* BUS_DELIVER: a SubscribeResponse */
};

/* A subscription's end on its stream's loop. Freed by BUS_GONE, which the bus loop sends last. */
struct subscription {
    struct bus *bus;
    struct env_loop *loop;
    struct grpc_stream *stream; /* NULL once the stream is closed */
    uint32_t requests;          /* posted, not yet reported as handled */
    uint32_t taken;             /* bytes given to the connection, not yet reported */
    bool started;
    bool paused;

    /* The bus loop's. */
    struct consumer *consumer;
    uint32_t handled;
    uint32_t credit_waiting; /* came while the start waited */
    bool waiting;            /* the start waits for a read point */
    bool closing;            /* BUS_CLOSE came meanwhile */
};

/* service.c */
void bus_service_init(struct bus *b);
void bus_reply_run(struct env_msg *m);
/* broker.c: runs on the bus loop */
void broker_request(struct env_msg *m);
void broker_start(struct bus *b);
void broker_deinit(struct bus *b);
/* Channels without consumers, messages under way or changes to write leave memory. */
void broker_unload_idle(struct bus *b);
/* open.c: the channel, from memory or the store; refused with a reason when a limit is met */
int bus_channel_open(struct bus *b, const struct bus_request *request, struct bus_channel **out,
                     struct err *e);
void bus_channel_free(struct bus *b, struct bus_channel *c); /* its topic too, with the last one */
/* deliver.c: hands out what can go out on this channel, and sees to the due timer */
void deliver_channel(struct bus *b, struct bus_channel *c);
/* Looks at every topic's end and serves the channels of those that grew. */
void deliver_grown(struct bus *b);
/* Every channel, when the due timer fired. */
void deliver_due(struct bus *b);
void bus_finish(struct subscription *s, enum grpc_code code, const char *text);
void bus_gone(struct subscription *s);
void bus_handled(struct subscription *s, uint32_t requests);
/* upkeep.c: cursors written back, topics trimmed */
void upkeep_dirty(struct bus *b);
void upkeep_soon(struct bus *b); /* a channel waits to be stored */
void upkeep_start(struct bus *b);

#endif
