/*
 * Entries and transactions from any bytes: never a crash, and what decodes encodes to the same
 * bytes. The first byte chooses: a whole entry, or one transaction.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/txn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_txn(struct str bytes)
{
    struct arena arena;
    struct store_txn txn;
    struct buf again;
    struct err e;
    arena_init(&arena);
    buf_init(&again);
    if (txn_decode(bytes, &arena, &txn, &e) == 0) {
        int rc = txn_encode(&txn, &again, &e);
        ASSERT(rc == 0);
        ASSERT(str_eq(buf_str(&again), bytes));
    }
    buf_deinit(&again);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct entry entry;
    struct str frame;
    struct err e;
    if (len == 0)
        return 0;
    struct str bytes = str_of(data + 1, len - 1);
    if (data[0] % 2 == 0) {
        try_txn(bytes);
    } else if (entry_decode(bytes, &entry, &e) == 0) {
        while (entry_next(&entry, &frame))
            try_txn(frame);
    }
    return 0;
}
