/*
 * Lines are formatted on the caller's stack, then copied once under a lock. The crash ring has no
 * lock: a writer claims the next slot with one atomic add and marks it busy while it copies; a slot
 * that is still busy is skipped, so a trace never waits.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

/* Ring lines are cut: the ring is resident in every process. */
#define LOG_RING_LINE_BYTES 232

struct ring_line {
    atomic_flag busy;
    uint16_t len;
    char text[LOG_RING_LINE_BYTES];
};

static struct ring_line ring_lines[LOG_RING_LINES];
static _Atomic uint32_t ring_next;

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static void (*log_sink)(void *ctx, struct str line);
static void *log_sink_ctx;
static uint64_t (*_Atomic log_clock)(void *ctx);
static void *_Atomic log_clock_ctx;
static _Atomic int log_level_min = LOG_INFO;

static const char *const log_names[] = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR" };

/* A line being built; what does not fit is dropped. */
struct line {
    char text[LOG_LINE_BYTES_MAX];
    size_t len;
};

static void line_append(struct line *l, const char *data, size_t len)
{
    size_t room = sizeof(l->text) - 1 - l->len; /* one for the newline */
    if (len > room)
        len = room;
    if (len > 0)
        memcpy(l->text + l->len, data, len);
    l->len += len;
}

static void line_append_c(struct line *l, const char *s)
{
    line_append(l, s, strlen(s));
}

/* Traces come many in a second: its text is kept. */
static void append_second(struct line *l, time_t seconds)
{
    static _Thread_local time_t kept = -1;
    static _Thread_local char text[32];
    static _Thread_local size_t len;
    if (seconds != kept) {
        struct tm tm;
        gmtime_r(&seconds, &tm);
        len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
        kept = seconds;
    }
    line_append(l, text, len);
}

static void append_number(struct line *l, int64_t number)
{
    char text[24];
    size_t at = sizeof(text);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        text[--at] = '-';
    line_append(l, text + at, sizeof(text) - at);
}

static void line_append_time(struct line *l)
{
    uint64_t (*clock)(void *ctx) = atomic_load(&log_clock);
    uint64_t ns;
    if (clock != NULL) {
        ns = clock(atomic_load(&log_clock_ctx));
    } else {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
    }
    append_second(l, (time_t)(ns / 1000000000ull));
    unsigned ms = (unsigned)(ns / 1000000ull % 1000ull);
    char text[] = { '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10),
                    'Z' };
    line_append(l, text, sizeof(text));
}

static bool value_is_plain(struct str v)
{
    if (v.len == 0)
        return false;
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.data[i] <= ' ' || v.data[i] == '"' || v.data[i] == '=' ||
            v.data[i] == '\\' || v.data[i] == 0x7F)
            return false;
    return true;
}

static void line_append_value(struct line *l, struct str v)
{
    if (value_is_plain(v)) {
        line_append(l, v.data, v.len);
        return;
    }
    line_append(l, "\"", 1);
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.data[i];
        char text[8];
        if (c == '"' || c == '\\') {
            text[0] = '\\';
            text[1] = (char)c;
            line_append(l, text, 2);
        } else if (c == '\n') {
            line_append(l, "\\n", 2);
        } else if (c < ' ' || c == 0x7F) {
            line_append(l, text, (size_t)snprintf(text, sizeof(text), "\\x%02x", c));
        } else {
            line_append(l, v.data + i, 1);
        }
    }
    line_append(l, "\"", 1);
}

static void line_append_pair(struct line *l, const struct log_kv *pair)
{
    line_append(l, " ", 1);
    line_append_c(l, pair->key);
    line_append(l, "=", 1);
    if (pair->is_number) {
        append_number(l, pair->number);
    } else {
        line_append_value(l, pair->value);
    }
}

static void ring_add(const struct line *l)
{
    uint32_t at = atomic_fetch_add_explicit(&ring_next, 1, memory_order_relaxed) % LOG_RING_LINES;
    struct ring_line *slot = &ring_lines[at];
    if (atomic_flag_test_and_set_explicit(&slot->busy, memory_order_acquire))
        return;
    size_t len = l->len < sizeof(slot->text) ? l->len : sizeof(slot->text);
    memcpy(slot->text, l->text, len);
    slot->text[len - 1] = '\n';
    slot->len = (uint16_t)len;
    atomic_flag_clear_explicit(&slot->busy, memory_order_release);
}

static void sink_line(struct str line)
{
    pthread_mutex_lock(&log_lock);
    if (log_sink != NULL) {
        log_sink(log_sink_ctx, line);
    } else {
        ssize_t written = write(STDERR_FILENO, line.data, line.len);
        (void)written; /* a log that cannot be written has nowhere to say so */
    }
    pthread_mutex_unlock(&log_lock);
}

void log_write(enum log_level level, const char *message, const struct log_kv *pairs, int count)
{
    struct line l;
    l.len = 0;
    line_append_time(&l);
    line_append(&l, " ", 1);
    line_append_c(&l, log_names[level]);
    line_append(&l, " ", 1);
    line_append_c(&l, message);
    for (int i = 0; i < count; i++)
        line_append_pair(&l, &pairs[i]);
    l.text[l.len++] = '\n';
    ring_add(&l);
    if (level > LOG_TRACE && (int)level >= atomic_load(&log_level_min))
        sink_line(str_of(l.text, l.len));
}

bool log_pace(struct log_pace *p, uint64_t now_ms)
{
    p->times++;
    if (p->times > 1 && now_ms < p->next_ms)
        return false;
    p->wait_ms = p->times == 1 ? LOG_PACE_MS_MIN : p->wait_ms * 2;
    if (p->wait_ms > LOG_PACE_MS_MAX)
        p->wait_ms = LOG_PACE_MS_MAX;
    p->next_ms = now_ms + p->wait_ms;
    return true;
}

void log_set_level(enum log_level level)
{
    atomic_store(&log_level_min, (int)level);
}

int log_level_parse(struct str name, enum log_level *out)
{
    for (int i = LOG_TRACE; i <= LOG_ERROR; i++) {
        if (!str_eq_nocase(name, str_from(log_names[i])))
            continue;
        *out = (enum log_level)i;
        return 0;
    }
    return -ERR_PARSE;
}

void log_set_clock(uint64_t (*wall_ns)(void *ctx), void *ctx)
{
    atomic_store(&log_clock_ctx, ctx);
    atomic_store(&log_clock, wall_ns);
}

void log_set_sink(void (*sink)(void *ctx, struct str line), void *ctx)
{
    pthread_mutex_lock(&log_lock);
    log_sink = sink;
    log_sink_ctx = ctx;
    pthread_mutex_unlock(&log_lock);
}

void log_dump_ring(int fd)
{
    uint32_t next = atomic_load(&ring_next);
    for (uint32_t i = 0; i < LOG_RING_LINES; i++) {
        struct ring_line *slot = &ring_lines[(next + i) % LOG_RING_LINES];
        if (atomic_flag_test_and_set_explicit(&slot->busy, memory_order_acquire))
            continue;
        ssize_t written = slot->len > 0 ? write(fd, slot->text, slot->len) : 0;
        (void)written; /* the process is going down */
        atomic_flag_clear_explicit(&slot->busy, memory_order_release);
    }
}
