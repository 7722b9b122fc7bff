/*
 * Syntax of names, and names we make.
 *
 * Each check returns NULL when the text is valid, or upstream's constant message for it. Generated
 * suffixes come from a hash of the request id (design.md section 6), so that a retry of the same
 * request has the same name.
 */
#ifndef API_META_NAMES_H
#define API_META_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

#define NAME_LABEL_BYTES_MAX     63
#define NAME_SUBDOMAIN_BYTES_MAX 253
#define NAME_SUFFIX_BYTES        5
#define NAME_GENERATE_BASE_MAX   58 /* generateName is cut to this before the suffix */

/* Up to this many messages come back for one value (a qualified name may be wrong twice). */
#define NAME_MESSAGES_MAX 4

struct name_messages {
    const char *text[NAME_MESSAGES_MAX];
    size_t count;
};

/* Each clears *m and fills it; returns true when the value is valid. */
bool name_dns1123_subdomain(struct str value, struct name_messages *m);
bool name_dns1123_label(struct str value, struct name_messages *m);
bool name_dns1035_label(struct str value, struct name_messages *m);
bool name_qualified(struct str value, struct name_messages *m); /* label and annotation keys */
bool name_label_value(struct str value, struct name_messages *m);
bool name_config_key(struct str value, struct name_messages *m); /* ConfigMap and Secret keys */
bool name_env_var(struct str value, struct name_messages *m);
bool name_port(struct str value, struct name_messages *m); /* IANA service name */
bool name_path_segment(struct str value, struct name_messages *m);

/* Five characters of bcdfghjklmnpqrstvwxz2456789 from a hash of the request id and the attempt. */
void name_suffix(struct str request_id, uint32_t attempt, char out[NAME_SUFFIX_BYTES + 1]);
/* generateName cut to NAME_GENERATE_BASE_MAX plus the suffix, in the arena. */
struct str name_generate(struct arena *a, struct str base, struct str request_id, uint32_t attempt);

/* FNV-1a 32 of the bytes (and the collision count when >= 0), then every decimal digit mapped to
 * the safe alphabet: a pod-template-hash. */
struct str name_template_hash(struct arena *a, struct str template_bytes, int64_t collision_count);

#endif
