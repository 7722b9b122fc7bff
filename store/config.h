/* What a store is opened with, looked at; any thread. */
#ifndef STORE_CONFIG_H
#define STORE_CONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "store/store.h"

/* 0, or ERR_INVALID_ARGUMENT: members without id or name or twice, none of them this one, or
 * several without certificates. */
int config_check(const struct store_config *c, struct err *e);

/* Whether it talks with others at all. */
bool config_has_peers(const struct store_config *c);

/* This member's line; part of c. NULL: it has none. */
const struct store_member *config_self(const struct store_config *c);

#endif
