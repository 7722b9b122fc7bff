/* SHA-256 of bytes, by OpenSSL. Any thread; cannot fail. */
#ifndef NET_DIGEST_H
#define NET_DIGEST_H

#include <stdint.h>

#include "base/str.h"

#define DIGEST_SHA256_BYTES 32

void digest_sha256(struct str bytes, uint8_t out[DIGEST_SHA256_BYTES]);

#endif
