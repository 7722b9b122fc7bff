/* The data maps of ConfigMaps and Secrets: keys, sizes, equality. Private. */
#ifndef CONTROLPLANE_RESOURCES_CONFIG_DATA_H
#define CONTROLPLANE_RESOURCES_CONFIG_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "controlplane/resources/keys.h"
#include "controlplane/resources/rules.h"

/* All values of one object together (upstream's MaxSecretSize). */
#define CONFIG_DATA_BYTES_MAX (1u << 20)

/* Entries of any protobuf-c map<string, bytes>: all have one layout. */
const char *config_key(const void *entries, size_t i);
struct str config_value(const void *entries, size_t i);
/* True and *out when the key is there. */
bool config_get(const void *entries, size_t count, const char *key, struct str *out);
struct keys config_names(struct arena *a, const void *entries, size_t count);
bool config_equal(struct arena *arena, const void *a, size_t a_count, const void *b,
                  size_t b_count);
/* Checks keys; returns the total size of the values. */
size_t config_validate_keys(const void *entries, size_t count, const struct field_path *path,
                            struct err_list *out);

#endif
