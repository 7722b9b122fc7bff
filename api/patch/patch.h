/*
 * The three patch kinds over JSON trees.
 *
 * All take the current object as a tree, never change it, and return a new tree in the arena that
 * shares unchanged parts with both inputs. The caller decodes the result strictly, defaults,
 * validates and packs it. Object keys keep the order of the original; new ones follow.
 */
#ifndef API_PATCH_PATCH_H
#define API_PATCH_PATCH_H

#include "api/schema/json.h"
#include "api/schema/schema.h"

struct arena;
struct err;

/* Operations of one JSON patch, as upstream. */
#define PATCH_OPERATIONS_MAX 10000
/* What "copy" operations may add in all, as upstream. */
#define PATCH_COPY_BYTES_MAX (3u << 20)

/* RFC 6902. -ERR_INVALID (422) when an operation does not apply or a test fails,
 * -ERR_INVALID_ARGUMENT (400) when the patch itself is malformed, -ERR_TOO_LARGE beyond the limits.
 */
int patch_json(struct arena *a, const struct json *object, const struct json *patch,
               const struct json **out, struct err *e);
/* RFC 7386. */
int patch_merge(struct arena *a, const struct json *object, const struct json *patch,
                const struct json **out, struct err *e);
/* Kubernetes' strategic merge: merge keys from the schema, $patch, $retainKeys,
 * $setElementOrder/x, $deleteFromPrimitiveList/x. Directives never reach the result. */
int patch_strategic(struct arena *a, const struct schema *s, const struct json *object,
                    const struct json *patch, const struct json **out, struct err *e);

#endif
