/* Life of a group's state half, its published point, the retention clock and the manifest. */
#include "store/group.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/group_metrics.h"
#include "store/group_state.h"
#include "store/txn.h"

/* How often the age of revisions is noted. */
#define SAMPLE_NS        (4 * ENV_S)
#define COMPACT_AGAIN_NS (10 * ENV_S) /* what was proposed and did not happen is proposed again */

/* manifest: "GNTM", le32 format, le32 group, le32 level, le64 index, term, revision, digest,
 * compacted, zeros. */
#define MANIFEST_MAGIC  0x4d544e47u
#define MANIFEST_FORMAT 1

int group_open(const struct group_config *config, struct store_group **out, struct err *e)
{
    struct store_group *g = mem_alloc(sizeof *g);
    g->config = *config;
    int rc = group_env_open(g, e);
    if (rc == 0) {
        rc = fsm_init_level(&g->fsm, g->kv,
                            config->level_max > 0 ? config->level_max : STORE_FEATURE_LEVEL, e);
        if (rc == 0 && config->kv == NULL)
            rc = folder_sweep(config->env, g->folder, g->fsm.point.index, e);
        if (rc != 0)
            group_env_close(g);
    }
    if (rc != 0) {
        mem_free(g);
        return rc;
    }
    group_metrics_register();
    metrics_register(applier_metrics);
    metrics_register(read_metrics);
    g->ring = ring_new(config->ring_bytes, g->fsm.point.revision);
    g->fsm.ring = g->ring;
    group_publish(g, &g->fsm.point);
    atomic_store(&g->handed, g->fsm.point.index);
    g->loop = config->apply_loop;
    if (g->loop == NULL) {
        g->loop = env_loop_new(config->env, config->id == STORE_BUS ? "apply-bus" : "apply");
        g->loop_owned = true;
    }
    usage_init(g, config->kv == NULL ? config->folder : NULL);
    applier_init(g);
    if (g->loop_owned)
        env_loop_start(g->loop);
    g->config.folder = NULL; /* borrowed for the call */
    *out = g;
    return 0;
}

static void group_free(struct store_group *g)
{
    group_env_close(g);
    ring_free(g->ring);
    fsm_deinit(&g->fsm);
    mem_free(g);
}

void group_close(struct store_group *g)
{
    if (g == NULL)
        return;
    ASSERT(g->loop_owned);
    applier_stop(g);
    env_loop_free(g->loop);
    group_free(g);
}

void group_abandon(struct store_group *g)
{
    if (g == NULL)
        return;
    ASSERT(!g->loop_owned);
    applier_drop(g);
    group_free(g);
}

void group_point(struct store_group *g, struct point *out)
{
    const struct published *p = &g->published;
    uint64_t before;
    do {
        before = atomic_load(&p->sequence);
        out->index = atomic_load(&p->index);
        out->term = atomic_load(&p->term);
        out->revision = atomic_load(&p->revision);
        out->digest = atomic_load(&p->digest);
        out->compacted = atomic_load(&p->compacted);
        out->level = atomic_load(&p->level);
        out->alarm = atomic_load(&p->alarm);
        out->timers = atomic_load(&p->timers);
        out->next_deadline_ms = atomic_load(&p->next_deadline_ms);
        out->clock_ms = atomic_load(&p->clock_ms);
    } while ((before & 1) != 0 || atomic_load(&p->sequence) != before);
}

static bool covers(struct store_group *g, uint64_t index)
{
    uint64_t handed = atomic_load(&g->handed);
    return atomic_load(&g->published.index) >= (index < handed ? index : handed);
}

bool group_covers(struct store_group *g, uint64_t index)
{
    if (covers(g, index))
        return true;
    /* The applier publishes, then looks at the mark; here the mark is set, then looked again. */
    atomic_store(&g->durable_wanted, 1);
    if (covers(g, index))
        return true;
    applier_hurry(g);
    return false;
}

uint64_t group_queue_bytes(struct store_group *g)
{
    uint64_t bytes = atomic_load(&g->queue_bytes);
    if (bytes <= APPLIER_QUEUE_BYTES_MAX)
        return bytes;
    atomic_store(&g->durable_wanted, 1); /* as above */
    return atomic_load(&g->queue_bytes);
}

void group_load(struct store_group *g, struct group_load *out)
{
    *out = (struct group_load){ .queue_bytes = atomic_load(&g->queue_bytes),
                                .queue_entries = atomic_load(&g->queue_entries),
                                .reads_open = atomic_load(&g->reads_open),
                                .longest_read_ns = atomic_exchange(&g->reads_longest_ns, 0) };
}

uint64_t store_published(struct store_group *g)
{
    return atomic_load(&g->published.revision);
}

uint64_t store_compacted(struct store_group *g)
{
    return atomic_load(&g->published.compacted);
}

uint32_t store_feature_level(struct store_group *g)
{
    return atomic_load(&g->published.level);
}

void store_subscribe(struct store_group *g, struct store_subscriber *s)
{
    s->group = g;
    s->next = atomic_load(&g->subscribers);
    while (!atomic_compare_exchange_weak(&g->subscribers, &s->next, s))
        ;
}

void store_subscribe_prefix(struct store_group *g, struct store_subscriber *s, const char *prefix)
{
    s->prefix = prefix;
    store_subscribe(g, s);
}

void group_pin(struct store_group *g, uint64_t index)
{
    atomic_store(&g->pinned, index);
    atomic_store(&g->pinned_ns, env_now_ns(g->config.env));
}

uint64_t group_pinned(struct store_group *g)
{
    uint64_t age_ns = env_now_ns(g->config.env) - atomic_load(&g->pinned_ns);
    return age_ns <= GROUP_PIN_MS * ENV_MS ? atomic_load(&g->pinned) : 0;
}

bool group_digest(struct store_group *g, uint64_t index, uint64_t *out_digest)
{
    return fsm_digest_at(&g->fsm, index, out_digest);
}

size_t group_alarms(struct store_group *g, struct alarm_member out[ALARM_MEMBERS_MAX])
{
    return fsm_alarms(&g->fsm, out);
}

uint32_t group_level_max(const struct store_group *g)
{
    return g->fsm.level_max;
}

void group_mismatch(struct store_group *g, struct fsm_mismatch *out)
{
    *out = g->fsm.mismatch; /* the halted applier changes nothing any more */
}

void group_set_raft(struct store_group *g, void *raft)
{
    g->raft = raft;
}

void *group_raft(struct store_group *g)
{
    return g->raft;
}

enum store_group_id group_id(const struct store_group *g)
{
    return g->config.id;
}

#define ANEW "it is in quarantine; remove it, delete its data folder and join anew"

const char *group_halt_text(enum group_halt why)
{
    static const char *const texts[] = {
        [GROUP_HALT_UPGRADE] = "upgrade this member: its group cannot go on",
        [GROUP_HALT_DIVERGED] = "this member's state differs from the others': " ANEW,
        [GROUP_HALT_CORRUPT] = "this member's log is damaged: " ANEW,
        [GROUP_HALT_ROTTEN] = "this member's state is damaged on its disk: " ANEW
    };
    ASSERT(why >= GROUP_HALT_UPGRADE && why <= GROUP_HALT_ROTTEN);
    return texts[why];
}

/* ---- retention ---- */

/* The newest revision known to be at least age_ms old; 0: none yet. */
static uint64_t revision_aged(const struct store_group *g, uint64_t now, uint64_t age_ms)
{
    uint64_t aged = 0;
    size_t oldest = g->samples_count > GROUP_SAMPLES_MAX ? g->samples_count - GROUP_SAMPLES_MAX : 0;
    for (size_t i = oldest; i < g->samples_count; i++) {
        const struct sample *s = &g->samples[i % GROUP_SAMPLES_MAX];
        if (now - s->at_ns >= age_ms * ENV_MS)
            aged = s->revision;
    }
    return aged;
}

uint64_t group_retain_ms(const struct store_group *g)
{
    return g->config.retain_ms > 0 ? g->config.retain_ms : STORE_RETAIN_MS;
}

static bool is_compacted(struct store_group *g, struct str prefix, uint64_t revision)
{
    struct store_read r;
    bool done = false;
    if (prefix.len == 0)
        return store_compacted(g) >= revision; /* that of all keys alone, not a short window's */
    if (store_read_begin(g, 0, &r) != 0)
        return false; /* every reader slot is taken */
    done = store_read_compacted(&r, prefix) >= revision;
    store_read_end(&r);
    return done;
}

/* Once for each target, and again when it was lost on its way. */
static bool compact_due(struct store_group *g, struct compact_asked *a, struct str prefix,
                        uint64_t target, uint64_t now)
{
    if (target <= a->revision) {
        if (a->done || a->revision == 0 || now - a->at_ns < COMPACT_AGAIN_NS)
            return false;
        target = a->revision;
    }
    *a = (struct compact_asked){ .revision = target,
                                 .at_ns = now,
                                 .done = is_compacted(g, prefix, target) };
    return !a->done;
}

size_t group_compact_ops(struct store_group *g, struct store_op *out_ops, size_t max)
{
    const struct group_config *config = &g->config;
    uint64_t now = env_now_ns(config->env);
    uint64_t newest = store_published(g);
    size_t last = g->samples_count;
    if (last == 0 || now - g->samples[(last - 1) % GROUP_SAMPLES_MAX].at_ns >= SAMPLE_NS)
        g->samples[g->samples_count++ % GROUP_SAMPLES_MAX] = (struct sample){ now, newest };

    uint64_t keep =
        config->retain_revisions > 0 ? config->retain_revisions : STORE_RETAIN_REVISIONS;
    uint64_t target = revision_aged(g, now, group_retain_ms(g));
    if (newest < keep)
        target = 0;
    else if (target > newest - keep)
        target = newest - keep;
    size_t count = 0;
    if (max > 0 && compact_due(g, &g->asked[0], str_lit(""), target, now))
        out_ops[count++] =
            (struct store_op){ .type = STORE_OP_COMPACT, .revision = g->asked[0].revision };
    target = revision_aged(g, now, STORE_SHORT_RETAIN_MS);
    for (size_t i = 0; config->short_history_prefixes != NULL && i < STORE_SHORT_PREFIXES_MAX;
         i++) {
        const char *prefix = config->short_history_prefixes[i];
        if (prefix == NULL)
            break;
        if (count < max && compact_due(g, &g->asked[i + 1], str_from(prefix), target, now))
            out_ops[count++] = (struct store_op){ .type = STORE_OP_COMPACT,
                                                  .key = str_from(prefix),
                                                  .revision = g->asked[i + 1].revision };
    }
    return count;
}

/* ---- manifest ---- */

void manifest_encode(const struct point *p, enum store_group_id id, uint8_t out[MANIFEST_BYTES])
{
    memset(out, 0, MANIFEST_BYTES);
    store_le32(out, MANIFEST_MAGIC);
    store_le32(out + 4, MANIFEST_FORMAT);
    store_le32(out + 8, (uint32_t)id);
    store_le32(out + 12, p->level);
    store_le64(out + 16, p->index);
    store_le64(out + 24, p->term);
    store_le64(out + 32, p->revision);
    store_le64(out + 40, p->digest);
    store_le64(out + 48, p->compacted);
}

int manifest_decode(struct str bytes, enum store_group_id id, struct point *out, struct err *e)
{
    struct reader r;
    reader_init(&r, bytes);
    uint32_t magic = reader_le32(&r);
    uint32_t format = reader_le32(&r);
    uint32_t group = reader_le32(&r);
    struct point p = { .level = reader_le32(&r) };
    p.index = reader_le64(&r);
    p.term = reader_le64(&r);
    p.revision = reader_le64(&r);
    p.digest = reader_le64(&r);
    p.compacted = reader_le64(&r);
    if (!reader_ok(&r) || bytes.len != MANIFEST_BYTES || magic != MANIFEST_MAGIC)
        return err_set(e, ERR_CORRUPT, "a snapshot's manifest does not decode");
    if (format != MANIFEST_FORMAT)
        return err_set(e, ERR_UNIMPLEMENTED, "manifest format %u: upgrade this member", format);
    if (group != (uint32_t)id)
        return err_set(e, ERR_CORRUPT, "a snapshot of group %u, not %u", group, (uint32_t)id);
    *out = p;
    return 0;
}
