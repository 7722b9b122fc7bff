/*
 * Words to write rules with: field paths that cost nothing until an error needs them, and one
 * function per kind of field error, phrased as upstream phrases it.
 */
#ifndef CONTROLPLANE_RESOURCES_RULES_H
#define CONTROLPLANE_RESOURCES_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/meta/names.h"
#include "api/meta/text.h"
#include "api/meta/time.h"
#include "base/str.h"

/* Values shown in errors are cut here: an error is for reading. */
#define RULE_VALUE_BYTES_MAX 4096

struct arena;
struct err_list;
struct schema;
struct IntOrString;
struct Time;

/* One step of a path; steps live on the stack and point at the one above. */
struct field_path {
    const struct field_path *up;
    const char *name; /* a field, or */
    const char *key;  /* a map key in brackets, or */
    size_t index;     /* a list index in brackets */
};

struct field_path path_field(const struct field_path *up, const char *name);
struct field_path path_key(const struct field_path *up, const char *key);
struct field_path path_index(const struct field_path *up, size_t index);
/* "spec.containers[0].image", in the arena. */
const char *path_text(struct arena *a, const struct field_path *p);

/* A string as Go's %q writes it. */
const char *text_quoted(struct arena *a, const char *s);

/* Without what strings.TrimSpace of Go takes off both ends: Unicode's White_Space. */
struct str text_trimmed(struct str s);

void rule_required(struct err_list *out, const struct field_path *p, const char *detail);
void rule_forbidden(struct err_list *out, const struct field_path *p, const char *detail);
/* value: as it is to be shown (quoted, a number, JSON). */
void rule_invalid(struct err_list *out, const struct field_path *p, const char *value,
                  const char *detail);
void rule_invalid_text(struct err_list *out, const struct field_path *p, const char *value,
                       const char *detail);
void rule_invalid_number(struct err_list *out, const struct field_path *p, int64_t value,
                         const char *detail);
/* Shows the texts as a JSON list. */
void rule_invalid_list(struct err_list *out, const struct field_path *p, char *const *list,
                       size_t count, const char *detail);
/* Shows a message as JSON. */
void rule_invalid_message(struct err_list *out, const struct field_path *p,
                          const struct schema *schema, const void *message, const char *detail);
/* Shows a protobuf-c map<string, string> as JSON, in the order of keys. */
void rule_invalid_map(struct err_list *out, const struct field_path *p, const void *entries,
                      size_t count, const char *detail);
void rule_duplicate(struct err_list *out, const struct field_path *p, const char *value);
void rule_not_found(struct err_list *out, const struct field_path *p, const char *value);
void rule_too_long(struct err_list *out, const struct field_path *p, size_t max);
/* allowed: NULL-terminated. */
void rule_not_supported(struct err_list *out, const struct field_path *p, const char *value,
                        const char *const *allowed);

/* Checks that add their own errors; true when all is well. */
bool check_name(struct err_list *out, const struct field_path *p, const char *value,
                bool (*syntax)(struct str value, struct name_messages *m));
bool check_not_negative(struct err_list *out, const struct field_path *p, int64_t value);
/* Too many items of a list. */
bool check_count(struct err_list *out, const struct field_path *p, size_t count, size_t max);
bool check_one_of(struct err_list *out, const struct field_path *p, const char *value,
                  const char *const *allowed);
bool check_port(struct err_list *out, const struct field_path *p, int64_t port);

/* A string as it is stored in structs: copied into the arena. */
char *text_new(struct arena *a, const char *s);
/* Sets *member when it is empty. */
void text_default(struct arena *a, char **member, const char *value);

/* A new zeroed message of a protobuf-c descriptor when *member is NULL; returns *member. */
void *message_ensure(struct arena *a, void *member, const void *descriptor);

struct IntOrString *int_or_string_of_int(struct arena *a, int32_t value);
struct IntOrString *int_or_string_of_text(struct arena *a, const char *value);
bool int_or_string_is_text(const struct IntOrString *v);
/* "25%" or 3 as it is shown: quoted or plain. */
const char *int_or_string_shown(struct arena *a, const struct IntOrString *v);

/* Sets a pointer Time to wall seconds. */
struct Time *time_new(struct arena *a, int64_t seconds);

#endif
