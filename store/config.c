/* See the header. */
#include "store/config.h"

#include <string.h>

bool config_has_peers(const struct store_config *c)
{
    return c->ca_file != NULL || c->simulation != NULL;
}

int config_check(const struct store_config *c, struct err *e)
{
    if (c->members_count == 0 || c->members_count > STORE_MEMBERS_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "%zu members", c->members_count);
    for (size_t i = 0; i < c->members_count; i++) {
        if (c->members[i].id == 0 || c->members[i].name[0] == '\0')
            return err_set(e, ERR_INVALID_ARGUMENT, "member %zu has no good id or name", i);
        for (size_t j = 0; j < i; j++)
            if (c->members[i].id == c->members[j].id ||
                strcmp(c->members[i].name, c->members[j].name) == 0)
                return err_set(e, ERR_INVALID_ARGUMENT, "two members are %s", c->members[i].name);
    }
    if (!config_has_peers(c) && c->members_count > 1)
        return err_set(e, ERR_INVALID_ARGUMENT, "members need certificates");
    return config_self(c) != NULL
               ? 0
               : err_set(e, ERR_INVALID_ARGUMENT, "member id %llu is not configured",
                         (unsigned long long)c->member_id);
}

const struct store_member *config_self(const struct store_config *c)
{
    for (size_t i = 0; i < c->members_count; i++)
        if (c->members[i].id == c->member_id)
            return &c->members[i];
    return NULL;
}
