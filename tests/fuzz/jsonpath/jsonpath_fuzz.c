/* A template, a NUL, a document: any template is refused or applied, and never faults. */
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "cli/jsonpath.h"

#define DOCUMENT "{\"a\":[{\"b\":1,\"c\":\"x\"},{\"b\":2.5}],\"d\":{\"e.f\":null},\"g\":true}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    const struct json *document;
    const struct jsonpath *path;
    struct str text = str_of(data, len);
    struct str relaxed;
    struct err e = { 0 };
    arena_init(&a);
    ptrdiff_t end = str_find_char(text, '\0', 0);
    struct str source = str_lit(DOCUMENT);
    struct str first = end < 0 ? text : str_slice(text, 0, (size_t)end);
    if (end >= 0)
        source = str_slice(text, (size_t)end + 1, text.len);
    if (json_parse(&a, source, &document, &e) == 0 && jsonpath_parse(&a, first, &path, &e) == 0) {
        for (int missing = 0; missing < 2; missing++) {
            struct buf out;
            buf_init(&out);
            int rc = jsonpath_print(&a, path, document, missing != 0, &out, &e);
            ASSERT(rc == 0 || e.msg[0] != '\0');
            (void)jsonpath_print_json(&a, path, document, missing != 0, &out, &e);
            buf_deinit(&out);
        }
    }
    (void)jsonpath_relaxed(&a, text, &relaxed, &e); /* refusing is as good */
    arena_deinit(&a);
    return 0;
}
