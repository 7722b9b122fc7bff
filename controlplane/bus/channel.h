/*
 * A channel's delivery state: which messages of a topic a consumer group still owes an answer for.
 *
 * Pure: no clock, no I/O; times are given in. Everything at or below the cursor is acknowledged;
 * above it a window of at most CHANNEL_WINDOW_MAX sequences holds what was delivered: in flight
 * with a consumer until its deadline, waiting to be delivered again, or acknowledged out of order.
 *
 * Persistence: cursor and acknowledged ranges (channel_encode); in-flight state and attempts are
 * memory of the leader, so a new leader delivers again what was not acknowledged: at least once.
 */
#ifndef CONTROLPLANE_BUS_CHANNEL_H
#define CONTROLPLANE_BUS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/str.h"

struct buf;
struct channel_item;

/* Delivered and unanswered messages per channel; beyond it nothing new is delivered. */
#define CHANNEL_WINDOW_MAX 16384u
/* A requeue asks for at most this much delay (NSQ's max-req-timeout). */
#define CHANNEL_DELAY_MAX_MS (60u * 60 * 1000)
/* Touches extend a message's deadline to at most this long after its delivery (NSQ's
 * max-msg-timeout). */
#define CHANNEL_HOLD_MAX_MS (15u * 60 * 1000)

struct channel {
    uint64_t cursor;             /* everything at or below is acknowledged */
    uint64_t next;               /* the first sequence never delivered */
    uint64_t known;              /* one past the highest sequence with an item */
    struct channel_item **items; /* by sequence % CHANNEL_WINDOW_MAX; NULL: nothing known */
    struct list in_flight;       /* by deadline */
    struct list waiting;         /* by due time */
    size_t in_flight_count;
    size_t waiting_count;
    bool dirty; /* cursor or ranges changed since channel_encode */
};

/* Delivery starts after cursor. */
void channel_init(struct channel *c, uint64_t cursor);
void channel_deinit(struct channel *c);

/* Picks the next message for consumer: one that waits and is due, else a new one at or below last.
 * It is in flight from here on. false: nothing to deliver now. */
bool channel_take(struct channel *c, const void *consumer, uint64_t last, uint64_t now_ms,
                  uint64_t timeout_ms, uint64_t *out_sequence, uint32_t *out_attempt);

/* Answers of a consumer. -ERR_NOT_FOUND unless the message is in flight with it. */
int channel_ack(struct channel *c, const void *consumer, uint64_t sequence);
int channel_requeue(struct channel *c, const void *consumer, uint64_t sequence, uint64_t now_ms,
                    uint64_t delay_ms);
int channel_touch(struct channel *c, const void *consumer, uint64_t sequence, uint64_t now_ms,
                  uint64_t timeout_ms);
/* What channel_take just gave was not sent after all: it waits again, due now, and that attempt
 * does not count. */
void channel_return(struct channel *c, const void *consumer, uint64_t sequence, uint64_t now_ms);
/* The message is gone from the topic: as acknowledged, whoever holds it. */
void channel_forget(struct channel *c, uint64_t sequence);
/* The topic was trimmed: everything below first is gone. */
void channel_trim(struct channel *c, uint64_t first);

/* Messages past their deadline wait again, due now; returns how many. */
size_t channel_expire(struct channel *c, uint64_t now_ms);
/* The consumer is gone: what it held waits again, due now. */
void channel_drop_consumer(struct channel *c, const void *consumer, uint64_t now_ms);
/* When channel_expire has something new to do, and when channel_take has; 0: never by time alone.
 */
uint64_t channel_deadline_ms(const struct channel *c);
uint64_t channel_waiting_ms(const struct channel *c);

/* The stored row: cursor, then acknowledged ranges above it. Clears dirty. */
void channel_encode(struct channel *c, struct buf *out);
/* Into an initialized channel. -ERR_CORRUPT. */
int channel_decode(struct channel *c, struct str bytes);

#endif
