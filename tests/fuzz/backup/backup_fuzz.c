/*
 * A backup's header from any bytes: never a crash, bounded, and what decodes encodes to a header
 * that decodes to the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "store/backup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct backup b;
    struct backup again;
    struct buf bytes;
    struct buf twice;
    struct err e;
    if (backup_decode(str_of(data, len), &b, &e) != 0)
        return 0;
    ASSERT(b.groups_count <= BACKUP_GROUPS_MAX);
    buf_init(&bytes);
    buf_init(&twice);
    backup_encode(&b, &bytes);
    int rc = backup_decode(buf_str(&bytes), &again, &e);
    ASSERT(rc == 0);
    /* A varint may have been longer than it need be: so not the bytes given, but these again. */
    backup_encode(&again, &twice);
    ASSERT(str_eq(buf_str(&bytes), buf_str(&twice)));
    buf_deinit(&bytes);
    buf_deinit(&twice);
    return 0;
}
