/*
 * The codecs: every way between JSON, protobuf-c structs and stored protobuf.
 *
 *   JSON/YAML text → json_parse / yaml_parse → struct json → schema_decode → struct
 *   struct → schema_pack → stored protobuf → schema_encode_json → JSON text (no tree)
 *   stored protobuf → schema_unpack → struct
 *
 * Stored protobuf is the bytes upstream would write: value fields always, pointers when set, maps
 * sorted, unknown fields kept. Structs live in the arena given and are plain data: change them by
 * assignment (strings from the arena, NUL-terminated), never free them. Every walk is bounded by
 * SCHEMA_DEPTH_MAX. Nothing here blocks, logs or keeps state: any thread.
 */
#ifndef API_SCHEMA_CODEC_H
#define API_SCHEMA_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "api/schema/json.h"
#include "api/schema/schema.h"
#include "base/str.h"

struct arena;
struct buf;
struct err;
struct err_list;

/* ---- JSON → struct ---- */

enum schema_strictness {
    SCHEMA_IGNORE, /* unknown and duplicate fields are dropped silently */
    SCHEMA_WARN,   /* collected in warnings */
    SCHEMA_STRICT  /* collected, then refused: 'strict decoding error: unknown field "spec.foo"' */
};

/* Upstream stops collecting here. */
#define SCHEMA_WARNINGS_MAX 100

struct schema_warnings {
    const char **texts; /* 'unknown field "spec.foo"', 'duplicate field "spec.bar"' */
    size_t count;
};

/* Decodes an object; kind and apiVersion are accepted where the schema has them and dropped.
 * -ERR_INVALID_ARGUMENT with upstream's text for a wrong type and for strict refusals. warnings may
 * be NULL. The result does not point into the tree. */
int schema_decode(struct arena *a, const struct schema *s, const struct json *j,
                  enum schema_strictness strictness, void **out, struct schema_warnings *warnings,
                  struct err *e);

/* Strategic patches and applies come to structs through Go's converter from maps, which has words
 * of its own and takes whole numbers such as 2.0 for integers. After schema_decode refused a tree:
 * false and why, or true and in *out (the tree itself when nothing differs) what to decode instead.
 */
bool schema_restore(struct arena *a, const struct schema *s, const struct json *j,
                    const struct json **out, struct str *why);

/* ---- protobuf → struct ---- */

/* The only unpack: checks depth, NUL in strings, UTF-8 and embedded JSON before protobuf-c sees a
 * byte. -ERR_INVALID_ARGUMENT with the path. The result copies everything it needs. */
int schema_unpack(struct arena *a, const struct schema *s, struct str bytes, void **out,
                  struct err *e);
/* The checks alone. */
int schema_scan(const struct schema *s, struct str bytes, struct err *e);

/* ---- struct → protobuf ---- */

/* Appends the message. The struct must be well formed (from here, or filled by our code). */
void schema_pack(struct buf *b, const struct schema *s, const void *message);
/* The same into an arena. */
struct str schema_pack_arena(struct arena *a, const struct schema *s, const void *message);

/* ---- the k8s\0 envelope (runtime.Unknown) ---- */

struct envelope {
    struct str api_version;
    struct str kind;
    struct str raw; /* the message's bytes */
};

bool envelope_is(struct str bytes); /* starts with "k8s\0" */
int envelope_open(struct str bytes, struct envelope *out, struct err *e);

/* What to write into an object going out. Empty strings: kind and apiVersion absent, the stored
 * resourceVersion kept. */
struct encoding {
    struct str api_version;
    struct str kind;
    struct str resource_version; /* spliced into metadata.resourceVersion */
};

/* Envelope around stored bytes; resourceVersion spliced in. */
void envelope_write(struct buf *b, const struct schema *s, struct str stored,
                    const struct encoding *encoding);
/* The envelope in two parts, for a message of raw_bytes that is not in one piece: the caller puts
 * its bytes between them. Nothing is spliced. */
void envelope_begin(struct buf *b, const struct encoding *encoding, size_t raw_bytes);
void envelope_end(struct buf *b);
/* An item of a list: the stored bytes as field `number`, with resourceVersion spliced in if it is
 * not empty. */
void schema_splice_item(struct buf *b, uint32_t number, const struct schema *s, struct str stored,
                        struct str resource_version);

/* ---- protobuf → JSON ---- */

/* Stored bytes → compact JSON, in struct order with upstream's omissions. Bytes must have passed
 * schema_scan once (what the store holds has). encoding may be NULL: no kind, no splice.
 * -ERR_CORRUPT if the bytes are not the message after all; b then holds garbage after its old end.
 */
int schema_encode_json(struct buf *b, const struct schema *s, struct str stored,
                       const struct encoding *encoding, struct err *e);
/* struct → JSON: pack, then the above. */
int schema_struct_to_json(struct buf *b, const struct schema *s, const void *message,
                          const struct encoding *encoding, struct err *e);
/* Stored bytes → tree, for patches. */
int schema_to_dom(struct arena *a, const struct schema *s, struct str stored,
                  const struct encoding *encoding, const struct json **out, struct err *e);

/* ---- over structs ---- */

/* Fills unset fields that have a +default, recursively through what is present. */
void schema_default(struct arena *a, const struct schema *s, void *message);
/* Structural rules: +required. path may be "". Semantic rules are the kinds'. */
void schema_validate(const struct schema *s, const void *message, const char *path,
                     struct err_list *errors);
void *schema_copy(struct arena *a, const struct schema *s, const void *message);
/* Equal as stored: nil and empty are the same; quantities by amount. */
bool schema_equal(const struct schema *s, const void *x, const void *y);
/* After an object went through JSON (a patch, a PUT of text): gives to the unknown protobuf fields
 * of from, message by message. Items of lists are matched by their keys, those without keys by all
 * that is known of them; a time, a quantity and their like only when unchanged. What to has itself
 * stays. */
void schema_carry_unknown(struct arena *a, const struct schema *s, const void *from, void *to);

#endif
