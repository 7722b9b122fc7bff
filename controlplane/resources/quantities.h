/* Maps of resource names to quantities, as quotas and limit ranges have them. Private. */
#ifndef CONTROLPLANE_RESOURCES_QUANTITIES_H
#define CONTROLPLANE_RESOURCES_QUANTITIES_H

#include <stdbool.h>
#include <stddef.h>

#include "api/meta/quantity.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/rules.h"

/* Entries of any protobuf-c map<string, Quantity>: all have one layout. */
struct quantities {
    const void *entries;
    size_t count;
};

const char *quantities_key(const struct quantities *q, size_t i);
/* As it was written. */
const char *quantities_text(const struct quantities *q, size_t i);
/* False when the text is no quantity; an absent one is zero. */
bool quantities_value(const struct quantities *q, size_t i, struct quantity *out);
/* False when there is no such key (or it is no quantity). */
bool quantities_get(const struct quantities *q, const char *key, struct quantity *out);
/* The same for many keys: of the map's names, sorted. */
struct keys quantities_names(struct arena *a, const struct quantities *q);
bool quantities_find(const struct quantities *q, const struct keys *names, const char *key,
                     struct quantity *out);
/* Adds to *entries what it lacks of from: entries of the map's own type, given by its descriptor.
 * The quantities are shared. */
void quantities_add_missing(struct arena *a, void *entries, size_t *count, const void *descriptor,
                            const struct quantities *from);

/* Canonical text, in the arena. */
const char *quantity_shown(struct arena *a, const struct quantity *q);

/* A name any object may use: standard, or qualified by a domain. */
bool check_resource_name(struct err_list *out, const struct field_path *p, const char *name);
/* The same for what containers ask for. */
void check_container_resource_name(struct err_list *out, const struct field_path *p,
                                   const char *name);
/* The same for quotas, and the amount: not negative, whole where the resource is counted. */
void check_quota_resource(struct err_list *out, const struct field_path *p, const char *name,
                          const struct quantity *amount);
/* Counted in whole pieces: objects, and resources of other domains. */
bool resource_is_whole(const char *name);
bool resource_is_huge_pages(const char *name);
bool resource_is_quota(const char *name); /* a quota knows it by itself, without a domain */
/* May more be promised than there is? */
bool resource_overcommits(const char *name);

#endif
