/* SHA-256 of bytes, by OpenSSL. Any thread; cannot fail. */
#ifndef NET_DIGEST_H
#define NET_DIGEST_H

#include <stdint.h>

#include "base/str.h"

#define DIGEST_SHA256_BYTES 32

void digest_sha256(struct str bytes, uint8_t out[DIGEST_SHA256_BYTES]);

/* The same over bytes that come in pieces; one thread at a time. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *d, struct str bytes);
void digest_get(struct digest *d, uint8_t out[DIGEST_SHA256_BYTES]); /* of all so far */
void digest_free(struct digest *d);                                  /* NULL-safe */

#endif
