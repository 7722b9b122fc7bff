/*
 * YAML 1.1 as Kubernetes reads and prints it: libyaml's events to a JSON tree, and back.
 *
 * Plain scalars resolve by the YAML 1.1 table (yes, on, ~, 0777, 0x1f ...); keys become strings;
 * merge keys (<<) are applied; aliases share their node and count in full against YAML_NODES_MAX.
 * Duplicate keys stay in the tree, where schema_decode reports them. Everything lives in the arena.
 */
#ifndef API_SCHEMA_YAML_H
#define API_SCHEMA_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "api/schema/json.h"

/* Nodes one stream may expand to, aliases included (billion laughs). */
#define YAML_NODES_MAX 1000000u
/* The same where one document is read: libyaml's time of a node is that of the flow brackets around
 * it too, and an API server reads none with more. */
#define YAML_DOCUMENT_NODES_MAX 500000u
/* Bytes of the scalars that aliases stand for: whoever writes the tree copies each. */
#define YAML_ALIASED_BYTES_MAX (8u << 20)
/* Documents of one stream. */
#define YAML_DOCUMENTS_MAX 10000u
/* Anchors of one document. */
#define YAML_ANCHORS_MAX 1000u
/* Directives of one document: libyaml compares each with all, and each tag with all. */
#define YAML_DIRECTIVES_MAX 32u

/* Duplicate keys that are told; more only count. */
#define YAML_DUPLICATES_MAX 1000u

/* 'line 3: key "a" already set in map', in the order in which go-yaml finds them. */
struct yaml_duplicates {
    const char **texts;
    size_t count;
};

/* The first document of the text; an empty one gives null. */
int yaml_parse(struct arena *a, struct str text, const struct json **out, struct err *e);
/* The same as an API server takes a body: keys sorted by bytes, the last of duplicates alone stays
 * and the others are told in *out. */
int yaml_parse_body(struct arena *a, struct str text, const struct json **out,
                    struct yaml_duplicates *out_duplicates, struct err *e);
/* Every document, in order; empty ones are left out. */
int yaml_parse_all(struct arena *a, struct str text, const struct json ***out_documents,
                   size_t *out_count, struct err *e);
/* Keys sorted as go-yaml sorts them, block style, two spaces; ends with a line feed. Appended. */
int yaml_write(struct buf *b, const struct json *j, struct err *e);

#endif
