/*
 * Structured logs and the crash ring.
 *
 * log_info("pod bound", KV("pod", key), KV("node", name)): a constant message, then pairs; one line
 * per request or reconcile outcome, as logfmt on the sink (stderr by default):
 *   2026-11-22T10:00:00.123Z INFO pod bound pod=default/a node=node-1
 * Values with spaces, quotes or control bytes are quoted. Library code does not log: it returns
 * errors. Traces go only to a ring in memory (LOG_RING_LINES), printed when an assertion fails.
 * Thread safe. The clock is set by the env at start (log_set_clock), so that a simulation's log is
 * deterministic.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

#define LOG_RING_LINES     512
#define LOG_LINE_BYTES_MAX 2048

struct log_kv {
    const char *key;
    struct str value;
    int64_t number;
    int is_number;
};

/* String and number pairs; KVS takes a struct str. */
#define KV(key, c_string) ((struct log_kv){ (key), str_from(c_string), 0, 0 })
#define KVS(key, s)       ((struct log_kv){ (key), (s), 0, 0 })
#define KVN(key, n)       ((struct log_kv){ (key), { NULL, 0 }, (int64_t)(n), 1 })

void log_write(enum log_level level, const char *message, const struct log_kv *pairs, int count);

#define LOG_PAIRS(...)                                                                             \
    ((const struct log_kv[]){ { NULL, { NULL, 0 }, 0, 0 }, ##__VA_ARGS__ } + 1),                   \
        (int)(sizeof((const struct log_kv[]){ { NULL, { NULL, 0 }, 0, 0 }, ##__VA_ARGS__ }) /      \
              sizeof(struct log_kv)) -                                                             \
            1

#define log_trace(message, ...) log_write(LOG_TRACE, message, LOG_PAIRS(__VA_ARGS__))
#define log_debug(message, ...) log_write(LOG_DEBUG, message, LOG_PAIRS(__VA_ARGS__))
#define log_info(message, ...)  log_write(LOG_INFO, message, LOG_PAIRS(__VA_ARGS__))
#define log_warn(message, ...)  log_write(LOG_WARN, message, LOG_PAIRS(__VA_ARGS__))
#define log_error(message, ...) log_write(LOG_ERROR, message, LOG_PAIRS(__VA_ARGS__))

/*
 * How often to say what is seen again and again while it goes on: at once, then at intervals that
 * double from LOG_PACE_MS_MIN to LOG_PACE_MS_MAX. Zeros: it is new; zeroed by its owner once it is
 * over. One thread at a time; now_ms is of any clock that does not go back.
 */
#define LOG_PACE_MS_MIN 10000
#define LOG_PACE_MS_MAX (10 * 60 * 1000)

struct log_pace {
    uint64_t times; /* it was seen */
    uint64_t next_ms;
    uint64_t wait_ms;
};
/* It is seen once more: is it to be said? */
bool log_pace(struct log_pace *p, uint64_t now_ms);

void log_set_level(enum log_level level);
int log_level_parse(struct str name, enum log_level *out);
/* Wall time in nanoseconds since 1970 for line stamps. */
void log_set_clock(uint64_t (*wall_ns)(void *ctx), void *ctx);
/* Where lines go; NULL restores stderr. Called under the log's lock. */
void log_set_sink(void (*sink)(void *ctx, struct str line), void *ctx);
void log_dump_ring(int fd); /* async-signal-safe enough for a crash handler */

#endif
