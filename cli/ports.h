/* port-forward's words: which ports of a pod are meant, and where to listen for them. */
#ifndef CLI_PORTS_H
#define CLI_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/schema/json.h"
#include "base/err.h"
#include "cli/flags.h"

struct ports_pair {
    uint16_t local; /* 0: any that is free */
    uint16_t remote;
};

/* "LOCAL:REMOTE", ":REMOTE", "REMOTE", remote by number or name: of the pod's containers, or of
 * the Service (object of kind Service), which gives the port behind its own. Errors are kubectl's.
 */
int ports_read(struct arena *a, const char *const *words, size_t count, const struct json *object,
               const struct json *pod, struct ports_pair *out, struct err *e);

struct ports_address {
    const char *host; /* "127.0.0.1", "::1" */
    bool v6;
    bool of_localhost; /* one of its addresses is enough */
};

/* --address, "localhost" as both of its addresses, in the order of their text.
 * -ERR_INVALID_ARGUMENT. out: twice as many as given. */
int ports_addresses(struct arena *a, const struct flag_texts *given, struct ports_address *out,
                    size_t *out_count, struct err *e);

#endif
