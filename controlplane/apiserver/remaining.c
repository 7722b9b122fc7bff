/* See remaining.h. */
#include "controlplane/apiserver/remaining.h"

#include "base/err.h"
#include "store/store.h"

void remaining_init(struct remaining *m)
{
    *m = (struct remaining){ .count = -1 };
    buf_init(&m->at);
}

void remaining_deinit(struct remaining *m)
{
    buf_deinit(&m->at);
}

void remaining_begin(struct remaining *m, struct str after)
{
    buf_append_str(&m->at, after);
    m->count = 0;
    m->counting = true;
}

int remaining_slice(struct remaining *m, struct store_group *g, uint64_t revision,
                    struct str prefix)
{
    struct store_read read;
    uint64_t count = 0;
    bool more = false;
    int rc = store_read_begin(g, revision, &read);
    if (rc == 0) {
        rc = store_read_count(&read, prefix, &m->at, &count, &more);
        store_read_end(&read);
    }
    m->count = rc == 0 ? m->count + (int64_t)count : -1;
    m->counting = rc == 0 && more;
    return rc == -ERR_EXPIRED ? 0 : rc != 0 ? rc : more ? 1 : 0;
}
