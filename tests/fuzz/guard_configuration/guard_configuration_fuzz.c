/* Configurations in log entries from any bytes: never a crash, and what is taken keeps its limits
 * and encodes to something that decodes to the same. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "store/guard_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct raft_buffer in = { (void *)(uintptr_t)data, len };
    struct raft_configuration c;
    struct raft_configuration again;
    struct raft_buffer out;
    int rv;

    if (!guard_configuration_decode(&in, &c))
        return 0;
    ASSERT(c.n > 0 && c.n <= GUARD_SERVERS_MAX);
    rv = raft_configuration_encode(&c, &out);
    ASSERT(rv == 0);
    ASSERT(guard_configuration_decode(&out, &again));
    ASSERT(again.n == c.n);
    for (unsigned i = 0; i < c.n; i++) {
        ASSERT(strlen(c.servers[i].address) < GUARD_ADDRESS_BYTES_MAX);
        ASSERT(again.servers[i].id == c.servers[i].id);
        ASSERT(again.servers[i].role == c.servers[i].role);
        ASSERT(strcmp(again.servers[i].address, c.servers[i].address) == 0);
    }
    raft_configuration_close(&again);
    raft_configuration_close(&c);
    raft_free(out.base);
    return 0;
}
