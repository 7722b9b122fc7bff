/* Any bytes as a request's YAML body: refused with a reason, or a tree whose keys are sorted, each
 * once, that says as JSON what it says here. */
#include <string.h>

#include "api/schema/yaml.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Larger inputs only cost time. */
#define INPUT_BYTES_MAX (64u << 10)

/* Trees are bounded in depth by the parser. */
static void check_keys(const struct json *j)
{
    for (uint32_t i = 0; j->type == JSON_ARRAY && i < j->count; i++)
        check_keys(&j->u.items[i]);
    for (uint32_t i = 0; j->type == JSON_OBJECT && i < j->count; i++) {
        if (i > 0)
            ASSERT(str_cmp(j->u.members[i - 1].key, j->u.members[i].key) < 0);
        check_keys(&j->u.members[i].value);
    }
}

static void check_text(struct arena *a, const struct json *tree)
{
    struct buf text;
    struct err e = { 0 };
    const struct json *again = NULL;
    buf_init(&text);
    json_write(&text, tree, false);
    ASSERT(json_parse(a, buf_str(&text), &again, &e) == 0);
    ASSERT(json_equal(tree, again));
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct err e = { 0 };
    struct err plain_e = { 0 };
    struct yaml_duplicates duplicates = { 0 };
    const struct json *tree = NULL;
    const struct json *plain = NULL;
    if (len > INPUT_BYTES_MAX)
        return 0;
    arena_init(&a);
    struct str text = str_of(len == 0 ? NULL : data, len); /* no bytes at all have no address */
    int rc = yaml_parse_body(&a, text, &tree, &duplicates, &e);
    ASSERT((yaml_parse(&a, text, &plain, &plain_e) == 0) == (rc == 0));
    if (rc == 0) {
        ASSERT(duplicates.count <= YAML_DUPLICATES_MAX);
        check_keys(tree);
        check_text(&a, tree);
    } else {
        ASSERT(e.msg[0] != '\0');
    }
    arena_deinit(&a);
    return 0;
}
