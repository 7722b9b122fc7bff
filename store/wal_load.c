/*
 * The load, and why it may drop a tail.
 *
 * What the writer does (wal_disk.c, wal.c):
 *   W1  Group n + 1 is begun only when group n is flushed. A group lies in one file.
 *   W2  A record names its group and the group's extent [start, end) in the file; its head has a
 *       checksum of its own, seeded with log and file. Groups follow each other without a gap, in
 *       one file by place, from file to file by the next file's head {before_at, before_group}.
 *   W3  A file's head is written with its first group, by the same write and flush.
 *   W4  A file is put into place under its name, durably, before it is written; its old content,
 *       when it is recycled, has another file's seed and lower group numbers.
 *   W5  What a load dropped stays where it is, but the writer goes on in the next file, whose head
 *       says where the log left this one; a file that lost its first group is removed, durably,
 *       before anything is written.
 *   W6  A group's number is reused only by the group that replaces the dropped one: when n is the
 *       first number not whole at load, the next group is n again.
 *
 * The load walks the records in order and stops at the first that does not verify, at place P of
 * file F. Let n be the first group that is not whole: the one P lies in, or the one after the last
 * whole group when that ends at P.
 *
 * Claim: if group n was ever durable and anything was written after it, a head of a group above n
 * stands behind P, in F or a later file; if n never was durable, no such head exists anywhere.
 *   The second half is W1, and W6 for what earlier loads dropped: that has numbers up to the n of
 *   then, which is at most the n of now. So after a crash the tail is dropped, whatever
 *   sectors of it survived, in whatever order: all heads found are of group n.
 *   The first half is W2: the following group's heads are where they were, unless they rotted too.
 * So a head above n is proof that durable bytes are gone: -ERR_CORRUPT. Files are covered alike: a
 * file whose head does not verify before one whose head does, or with heads above n inside, was
 * durable (W3); a missing one breaks the run of sequences (W4).
 *
 * What cannot be told: rot within the last group from a torn write of it. Both drop the group.
 * The owner has more to go by: a last index below what its state machine has applied.
 *
 * What remains of a dropped group cannot come back. With a head of group n behind P the tail is
 * closed (W5). Without one nothing of it verifies now, and a head that verifies later was written
 * later: its bytes are checked by its body's checksum, which they can only match by being equal.
 *
 * A load may read what a dead process wrote and never flushed, or tried to: after a failed flush
 * the kernel shows those bytes and takes them for clean, so that no later flush writes them. They
 * can only be of the last group (W1). wal_mend writes it again and flushes before anybody is told.
 *
 * A snapshot and the log: the snapshot is durable before the record that empties the log, and the
 * comparison here decides the same when that record is missing. Entries below the snapshot may be
 * missing (files let go), entries between it and the log may not.
 */
#include "store/wal_load.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "store/wal_meta.h"

#define SNAPSHOT_NAME "snapshot"
#define META_NAME     "metadata"
#define FILE_MODE     0600

struct place {
    uint32_t file;
    uint32_t at;
};

struct walk {
    struct env *env;
    const char *folder;
    struct wal_loaded *out;
    uint64_t *sequences; /* of the log files, ascending */
    struct wal_file_head *heads;
    size_t files_count;
    size_t born; /* how many of them, from the front, have a head */
    char path[WAL_PATH_BYTES];
    uint8_t *bytes; /* of the file at path */
    uint64_t len;
    uint32_t seed;
    /* The log so far: entries [first, last], the last group and its extent. */
    uint64_t first;
    uint64_t last;
    uint64_t group;
    uint64_t start;
    uint64_t end;
    uint64_t at;
    struct place *places; /* of the entry first + i */
    size_t places_count;
    size_t places_capacity;
};

/* ---- names ---- */

static void leave(struct walk *w, struct str name)
{
    struct wal_loaded *l = w->out;
    l->leftovers[l->leftovers_count++] = name;
}

static bool is_leftover(struct str name)
{
    bool atomic =
        str_starts(name, str_lit(SNAPSHOT_NAME ".")) || str_starts(name, str_lit(META_NAME "."));
    return atomic || str_eq_c(name, WAL_FRESH_NAME);
}

static int list_names(struct walk *w, struct err *e)
{
    struct wal_loaded *l = w->out;
    struct str *names = NULL;
    size_t count = 0;
    int rc = env_dir_list(w->env, l->arena, w->folder, &names, &count, e);
    if (rc != 0)
        return rc;
    l->leftovers = arena_array(l->arena, count + 1, sizeof(l->leftovers[0]));
    w->sequences = arena_array(l->arena, count + 1, sizeof(w->sequences[0]));
    w->heads = arena_array(l->arena, count + 1, sizeof(w->heads[0]));
    for (size_t i = 0; i < count; i++) {
        uint64_t sequence = wal_name_sequence(names[i], WAL_LOG_NAME);
        uint64_t spare = wal_name_sequence(names[i], WAL_SPARE_NAME);
        if (sequence != 0)
            w->sequences[w->files_count++] = sequence; /* names are sorted */
        else if (spare != 0 && l->spares_count < WAL_SPARES_MAX)
            l->spares[l->spares_count++] = spare;
        else if (spare != 0 || is_leftover(names[i]))
            leave(w, names[i]);
    }
    return 0;
}

/* ---- the snapshot ---- */

int wal_snapshot_read(struct env *env, const char *folder, uint64_t id, struct wal_snapshot *out,
                      struct err *e)
{
    char path[WAL_PATH_BYTES];
    struct arena arena;
    struct str bytes;
    struct err why = { 0 };
    wal_path(path, folder, SNAPSHOT_NAME);
    *out = (struct wal_snapshot){ 0 };
    if (!env_path_exists(env, path))
        return 0;
    arena_init(&arena);
    int rc = env_file_read(env, &arena, path, WAL_SNAPSHOT_MAX, &bytes, e);
    if (rc == -ERR_LIMIT || rc == -ERR_TOO_LARGE) {
        rc = wal_corrupt(e, path, 0, "larger than any snapshot's manifest");
    } else if (rc == 0) {
        rc = wal_snapshot_decode(bytes, id, out, &why);
        if (rc == -ERR_CORRUPT)
            rc = wal_corrupt(e, path, 0, "%s", why.msg);
        else if (rc != 0)
            rc = err_set(e, why.code, "%s: %s", path, why.msg);
    }
    arena_deinit(&arena);
    return rc;
}

int wal_snapshot_write(struct env *env, const char *folder, uint64_t id,
                       const struct wal_snapshot *s, struct err *e)
{
    char path[WAL_PATH_BYTES];
    struct buf bytes;
    wal_path(path, folder, SNAPSHOT_NAME);
    buf_init(&bytes);
    wal_snapshot_encode(s, id, &bytes);
    int rc = env_file_write(env, path, buf_str(&bytes), FILE_MODE, e);
    buf_deinit(&bytes);
    return rc;
}

/* ---- files ---- */

static int open_file(struct walk *w, size_t file, struct env_file **out, struct err *e)
{
    struct env_stat st;
    wal_path_of(w->path, w->folder, WAL_LOG_NAME, w->sequences[file]);
    w->seed = wal_seed(w->out->slot.id, w->sequences[file]);
    int rc = env_file_open(w->env, w->path, ENV_FILE_READ, 0, out, e);
    if (rc != 0)
        return rc;
    rc = env_file_stat(*out, &st, e);
    if (rc == 0 && st.size > WAL_FILE_BYTES_MAX)
        rc = wal_corrupt(e, w->path, st.size, "larger than any file of a log");
    if (rc != 0)
        env_file_close(*out);
    w->len = st.size;
    return rc;
}

static int read_bytes(struct walk *w, size_t file, uint64_t len_max, struct err *e)
{
    struct env_file *f = NULL;
    size_t len = 0;
    int rc = open_file(w, file, &f, e);
    if (rc != 0)
        return rc;
    if (w->len > len_max)
        w->len = len_max;
    w->bytes = mem_realloc(w->bytes, w->len + 1);
    rc = env_file_pread(f, 0, w->bytes, w->len, &len, e);
    w->len = len;
    env_file_close(f);
    return rc;
}

/* Which files have a head: those before the first that has none. */
static int read_heads(struct walk *w, struct err *e)
{
    for (size_t i = 0; i < w->files_count; i++) {
        int rc = read_bytes(w, i, WAL_FILE_HEAD_BYTES, e);
        if (rc != 0)
            return rc;
        rc = w->len < WAL_FILE_HEAD_BYTES
                 ? -ERR_NOT_FOUND
                 : wal_file_head_get(w->bytes, w->out->slot.id, w->sequences[i], &w->heads[i]);
        if (rc == -ERR_UNIMPLEMENTED)
            return err_set(e, ERR_UNIMPLEMENTED, "%s: the format is of a newer build", w->path);
        if (rc != 0)
            continue;
        if (w->born < i) {
            wal_path_of(w->path, w->folder, WAL_LOG_NAME, w->sequences[w->born]);
            return wal_corrupt(e, w->path, 0, "its head does not verify, and a file follows it");
        }
        if (i > 0 && w->sequences[i] != w->sequences[i - 1] + 1)
            return wal_corrupt(e, w->path, 0, "the file before it is missing");
        w->born = i + 1;
    }
    return 0;
}

/* ---- records ---- */

static void keep_place(struct walk *w, size_t file)
{
    if (w->places_count == w->places_capacity) {
        w->places_capacity = w->places_capacity == 0 ? 1024 : w->places_capacity * 2;
        w->places = mem_realloc(w->places, w->places_capacity * sizeof(w->places[0]));
    }
    w->places[w->places_count++] = (struct place){ .file = (uint32_t)file, .at = (uint32_t)w->at };
}

static void cut_files(struct walk *w, uint64_t end)
{
    for (size_t i = 0; i < w->out->files_count; i++)
        if (w->out->files[i].end > end)
            w->out->files[i].end = end;
}

static void truncate_to(struct walk *w, uint64_t index)
{
    if (index <= w->first) {
        w->first = index; /* its entries' earlier versions were let go with their file */
        w->places_count = 0;
    } else {
        w->places_count = index - w->first;
    }
    w->last = index - 1;
    wal_terms_cut(&w->out->terms, index);
    cut_files(w, index);
}

static int take_record(struct walk *w, size_t file, const struct wal_record *r, struct err *e)
{
    if (r->term > w->out->slot.term)
        return wal_corrupt(e, w->path, w->at, "term %llu, but metadata has term %llu",
                           (unsigned long long)r->term, (unsigned long long)w->out->slot.term);
    if (r->kind == WAL_ENTRY) {
        if (r->index != w->last + 1)
            return wal_corrupt(e, w->path, w->at, "entry %llu after entry %llu",
                               (unsigned long long)r->index, (unsigned long long)w->last);
        keep_place(w, file);
        w->last = r->index;
        wal_terms_add(&w->out->terms, r->index, r->term);
        w->out->files[file].end = r->index + 1;
    } else if (r->kind == WAL_TRUNCATE) {
        if (r->index == 0 || r->index > w->last + 1)
            return wal_corrupt(e, w->path, w->at, "truncation to %llu after entry %llu",
                               (unsigned long long)r->index, (unsigned long long)w->last);
        truncate_to(w, r->index);
    } else {
        w->first = r->index + 1;
        w->last = r->index;
        w->places_count = 0;
        wal_terms_cut(&w->out->terms, 0);
        cut_files(w, 0);
    }
    return 0;
}

/* A record that verifies must be where its group says. */
static int check_group(struct walk *w, const struct wal_record *r, struct err *e)
{
    bool whole = w->at == w->end;
    if (r->group != w->group + (whole ? 1 : 0))
        return wal_corrupt(e, w->path, w->at, "group %llu after group %llu",
                           (unsigned long long)r->group, (unsigned long long)w->group);
    if (r->start != (whole ? w->at : w->start) || (!whole && r->end != w->end) || r->end > w->len ||
        w->at + wal_record_span(r->length) > r->end)
        return wal_corrupt(e, w->path, w->at, "a record outside its group");
    w->group = r->group;
    w->start = r->start;
    w->end = r->end;
    return 0;
}

/* Takes records up to limit, or to the first that does not verify. */
static int walk_file(struct walk *w, size_t file, uint64_t limit, struct err *e)
{
    w->at = WAL_BLOCK_BYTES;
    w->start = WAL_BLOCK_BYTES;
    w->end = WAL_BLOCK_BYTES;
    while (w->at + WAL_RECORD_BYTES <= limit) {
        struct wal_record r;
        const uint8_t *p = w->bytes + w->at;
        if (!wal_record_get(p, w->seed, &r) || w->at + wal_record_span(r.length) > limit ||
            !wal_record_body_ok(p, &r))
            break;
        int rc = check_group(w, &r, e);
        if (rc == 0)
            rc = take_record(w, file, &r, e);
        if (rc != 0)
            return rc;
        w->at += wal_record_span(r.length);
    }
    return 0;
}

/* The next group's number: after a whole group the one above, else the same. */
static uint64_t next_group(const struct walk *w)
{
    return w->at == w->end ? w->group + 1 : w->group;
}

/* Does the next file's head continue what was walked? */
static int check_link(struct walk *w, const struct wal_file_head *next, struct err *e)
{
    if (w->at != next->before_at || w->group != next->before_group ||
        next_group(w) != next->group || w->last != next->last)
        return wal_corrupt(e, w->path, w->at,
                           "group %llu ends here, the next file continues group %llu at %llu",
                           (unsigned long long)w->group, (unsigned long long)next->before_group,
                           (unsigned long long)next->before_at);
    return 0;
}

static int walk_files(struct walk *w, struct err *e)
{
    struct wal_loaded *l = w->out;
    l->files = mem_alloc((w->born + 1) * sizeof(l->files[0]));
    for (size_t i = 0; i < w->born; i++) {
        int rc = read_bytes(w, i, WAL_FILE_BYTES_MAX, e);
        if (rc != 0)
            return rc;
        if (i == 0) {
            w->last = w->heads[0].last;
            w->first = w->last + 1;
        }
        w->group = w->heads[i].group - 1; /* whole, wherever it was */
        l->files[l->files_count++] =
            (struct wal_disk_file){ .sequence = w->sequences[i], .bytes = w->len };
        uint64_t limit = i + 1 < w->born ? w->heads[i + 1].before_at : w->len;
        if (limit > w->len || w->len < WAL_BLOCK_BYTES)
            return wal_corrupt(e, w->path, w->len, "shorter than what was written to it");
        rc = walk_file(w, i, limit, e);
        if (rc == 0 && i + 1 < w->born)
            rc = check_link(w, &w->heads[i + 1], e);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- the end of the log ---- */

/* Looks for heads behind from. Above group: corrupt; of group: dropped, up to *out_end. */
static int search(struct walk *w, uint64_t from, uint64_t group, uint64_t *out_end, struct err *e)
{
    for (uint64_t at = from; at + WAL_RECORD_BYTES <= w->len; at += WAL_RECORD_ALIGN) {
        struct wal_record r;
        at = wal_past_zeros(w->bytes, at, w->len);
        if (!wal_record_get(w->bytes + at, w->seed, &r))
            continue;
        if (r.group > group)
            return wal_corrupt(
                e, w->path, from, "damage where group %llu was, group %llu follows at %llu",
                (unsigned long long)group, (unsigned long long)r.group, (unsigned long long)at);
        if (r.group == group && r.end > *out_end)
            *out_end = r.end;
    }
    return 0;
}

static int end_log(struct walk *w, struct err *e)
{
    struct wal_loaded *l = w->out;
    bool whole = w->at == w->end;
    uint64_t dropped = w->at < w->end ? w->end : w->at;
    int rc = search(w, w->at, next_group(w), &dropped, e);
    l->tail = (struct wal_tail){ .sequence = w->sequences[w->born - 1],
                                 .at = w->at,
                                 .group = next_group(w),
                                 .before_group = w->group,
                                 .last = w->last,
                                 .closed = !whole || dropped > w->at };
    /* A file's head is of its first group. */
    l->mend_from = w->start > WAL_BLOCK_BYTES ? w->start : 0;
    l->state.torn = dropped - w->at;
    return rc;
}

/* Files without a head: prepared and not begun, or with a first group that was cut short. */
static int check_unborn(struct walk *w, struct err *e)
{
    struct wal_loaded *l = w->out;
    for (size_t i = w->born; i < w->files_count; i++) {
        uint64_t dropped = WAL_BLOCK_BYTES;
        int rc = read_bytes(w, i, WAL_FILE_BYTES_MAX, e);
        if (rc == 0)
            rc = search(w, WAL_BLOCK_BYTES, l->tail.group, &dropped, e);
        if (rc != 0)
            return rc;
        l->state.torn += dropped - WAL_BLOCK_BYTES;
        if (dropped == WAL_BLOCK_BYTES && w->len > WAL_BLOCK_BYTES &&
            w->sequences[i] == l->tail.sequence + 1)
            l->next = w->sequences[i];
        else
            leave(w, str_printf(l->arena, WAL_LOG_NAME "-%016llx",
                                (unsigned long long)w->sequences[i]));
    }
    return 0;
}

static int begin_log(struct walk *w, struct err *e)
{
    struct wal_loaded *l = w->out;
    w->first = 1;
    l->tail.group = 1;
    if (w->files_count > 0 && w->sequences[0] != 1) {
        wal_path_of(w->path, w->folder, WAL_LOG_NAME, w->sequences[0]);
        return wal_corrupt(e, w->path, 0, "its head does not verify");
    }
    if (l->state.snapshot.index > 0) {
        wal_path(w->path, w->folder, SNAPSHOT_NAME);
        return wal_corrupt(e, w->path, 0, "there is no log beside it");
    }
    /* Sequences begin anew: nothing of an earlier run may verify in them. */
    for (size_t i = 0; i < l->spares_count; i++)
        leave(w, str_printf(l->arena, WAL_SPARE_NAME "-%016llx", (unsigned long long)l->spares[i]));
    l->spares_count = 0;
    return 0;
}

/* ---- the log and its snapshot ---- */

static int compare_snapshot(struct walk *w, struct err *e)
{
    struct wal_loaded *l = w->out;
    const struct wal_snapshot *s = &l->state.snapshot;
    if (w->first > s->index + 1) {
        wal_path_of(w->path, w->folder, WAL_LOG_NAME, w->sequences[0]);
        return wal_corrupt(e, w->path, 0, "begins with entry %llu, the snapshot ends with %llu",
                           (unsigned long long)w->first, (unsigned long long)s->index);
    }
    bool differs =
        s->index >= w->first && s->index <= w->last && wal_terms_at(&l->terms, s->index) != s->term;
    if (s->index > w->last || differs) {
        l->reset = true;
        w->places_count = 0;
        w->first = s->index + 1;
        w->last = s->index;
        wal_terms_cut(&l->terms, 0);
        cut_files(w, 0);
    }
    return 0;
}

static int visit_entries(struct walk *w, void (*visit)(void *ctx, const struct wal_entry *entry),
                         void *ctx, struct err *e)
{
    size_t file = SIZE_MAX;
    for (size_t i = 0; i < w->places_count && visit != NULL; i++) {
        const struct place *p = &w->places[i];
        struct wal_record r;
        if (p->file != file) {
            int rc = read_bytes(w, p->file, WAL_FILE_BYTES_MAX, e);
            if (rc != 0)
                return rc;
            file = p->file;
        }
        if (p->at + WAL_RECORD_BYTES > w->len || !wal_record_get(w->bytes + p->at, w->seed, &r) ||
            p->at + wal_record_span(r.length) > w->len || !wal_record_body_ok(w->bytes + p->at, &r))
            return wal_corrupt(e, w->path, p->at, "changed while it was read");
        visit(ctx, &(struct wal_entry){
                       .index = r.index,
                       .term = r.term,
                       .type = r.type,
                       .bytes = str_of(w->bytes + p->at + WAL_RECORD_BYTES, r.length) });
    }
    return 0;
}

/* ---- all of it ---- */

static int read_meta(struct walk *w, struct err *e)
{
    char path[WAL_PATH_BYTES];
    struct wal_loaded *l = w->out;
    int rc = wal_meta_read(w->env, w->folder, &l->slot, e);
    if (rc != -ERR_NOT_FOUND)
        return rc;
    wal_path(path, w->folder, SNAPSHOT_NAME);
    if (w->files_count == 0 && l->spares_count == 0 && !env_path_exists(w->env, path))
        return 0;
    wal_path(path, w->folder, META_NAME);
    return wal_corrupt(e, path, 0, "missing beside a log");
}

static int load(struct walk *w, void (*visit)(void *ctx, const struct wal_entry *entry), void *ctx,
                struct err *e)
{
    struct wal_loaded *l = w->out;
    int rc = list_names(w, e);
    if (rc == 0)
        rc = read_meta(w, e);
    if (rc == 0)
        rc = wal_snapshot_read(w->env, w->folder, l->slot.id, &l->state.snapshot, e);
    if (rc == 0)
        rc = read_heads(w, e);
    if (rc == 0)
        rc = w->born > 0 ? walk_files(w, e) : begin_log(w, e);
    if (rc == 0 && w->born > 0)
        rc = end_log(w, e);
    if (rc == 0)
        rc = check_unborn(w, e);
    if (rc == 0)
        rc = compare_snapshot(w, e);
    if (rc == 0)
        rc = visit_entries(w, visit, ctx, e);
    l->state.term = l->slot.term;
    l->state.vote = l->slot.vote;
    l->state.first = w->first;
    l->state.last = w->last;
    l->state.fresh = l->slot.term == 0 && w->born == 0;
    return rc;
}

int wal_load(struct env *env, const char *folder,
             void (*visit)(void *ctx, const struct wal_entry *entry), void *ctx,
             struct wal_loaded *out, struct err *e)
{
    struct walk w = { .env = env, .folder = folder, .out = out };
    *out = (struct wal_loaded){ .arena = mem_alloc(sizeof(struct arena)) };
    arena_init(out->arena);
    wal_terms_init(&out->terms);
    int rc = load(&w, visit, ctx, e);
    mem_free(w.bytes);
    mem_free(w.places);
    if (rc != 0)
        wal_loaded_deinit(out);
    return rc;
}

void wal_loaded_deinit(struct wal_loaded *l)
{
    wal_terms_deinit(&l->terms);
    mem_free(l->files);
    arena_deinit(l->arena);
    mem_free(l->arena);
}

/* The last group once more, so that it is on disk whatever became of its own flush. */
static int write_again(struct env_file *f, struct wal_loaded *l, struct err *e)
{
    size_t len = (size_t)(l->tail.at - l->mend_from);
    uint8_t *bytes = mem_alloc(len);
    size_t got = 0;
    int rc = env_file_pread(f, l->mend_from, bytes, len, &got, e);
    ASSERT(rc != 0 || got == len); /* nobody else has it open */
    if (rc == 0)
        rc = env_file_pwrite(f, l->mend_from, str_of((const char *)bytes, len), e);
    mem_free(bytes);
    return rc != 0 ? rc : env_file_sync(f, e);
}

int wal_mend(struct env *env, const char *folder, struct wal_loaded *l, struct err *e)
{
    char path[WAL_PATH_BYTES];
    int rc = 0;
    if (l->tail.sequence != 0) {
        struct env_file *f = NULL;
        wal_path_of(path, folder, WAL_LOG_NAME, l->tail.sequence);
        rc = env_file_open(env, path, ENV_FILE_READ | ENV_FILE_WRITE, 0, &f, e);
        if (rc == 0)
            rc = write_again(f, l, e);
        env_file_close(f);
    }
    for (size_t i = 0; i < l->leftovers_count && rc == 0; i++) {
        wal_path(path, folder, str_dup(l->arena, l->leftovers[i]));
        rc = env_path_remove(env, path, e);
    }
    return rc != 0 ? rc : env_dir_sync(env, folder, e);
}
