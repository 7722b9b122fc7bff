/* See the header. Nothing of a row is decoded before its hash was found right. */
#include "store/scrub.h"

#include <string.h>

#include "base/assert.h"
#include "store/key.h"
#include "store/mvcc.h"

static int check_row(struct kv_txn *t, struct str key, struct str cur, struct err *e)
{
    struct newest n;
    struct key rev;
    struct str row;

    newest_decode(cur, &n);
    if (n.tombstone)
        return 0;
    key_rev(&rev, n.place.revision, n.place.sub);
    if (!kv_get(t, KV_REV, key_str(&rev), &row))
        return err_set(e, ERR_CORRUPT,
                       "the row of key %.*s at revision %llu is gone from the state", STR_ARG(key),
                       (unsigned long long)n.place.revision);
    if (row_hash(KV_REV, key_str(&rev), row) != n.hash)
        return err_set(e, ERR_CORRUPT,
                       "the row of key %.*s at revision %llu is not as it was written",
                       STR_ARG(key), (unsigned long long)n.place.revision);
    return 0;
}

static void remember(struct scrub *s, struct str key)
{
    ASSERT(key.len <= sizeof(s->after));
    memcpy(s->after, key.data, key.len);
    s->after_bytes = key.len;
}

int scrub_step(struct scrub *s, struct kv_txn *t, struct env *env, struct err *e)
{
    uint64_t deadline = env_now_ns(env) + SCRUB_STEP_NS;
    struct str after = str_of(s->after, s->after_bytes);
    struct kv_cursor c;
    int rc = 0;

    kv_cursor_open(t, KV_CUR, &c);
    bool more = kv_seek(&c, after);
    if (more && after.len > 0 && str_eq(c.key, after))
        more = kv_next(&c);
    for (size_t rows = 0; more && rc == 0; rows++) {
        if (rows == SCRUB_STEP_ROWS || (rows > 0 && env_now_ns(env) >= deadline))
            break;
        rc = check_row(t, c.key, c.value, e);
        remember(s, c.key);
        s->rows++;
        more = kv_next(&c);
    }
    kv_cursor_close(&c);
    if (!more && rc == 0) {
        s->after_bytes = 0;
        s->passes++;
    }
    return rc;
}
