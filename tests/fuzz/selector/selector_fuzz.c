/* Any text: a label selector parses or is refused, its canonical text parses to the same again;
 * field selectors likewise never fault. */
#include "api/meta/selector.h"
#include "base/arena.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct selector s;
    struct selector again;
    struct field_selector fields;
    struct err e = { 0 };
    struct str text = str_of(data, len);
    arena_init(&a);
    if (selector_parse(&a, text, &s, &e) == 0) {
        struct str canonical = selector_text(&a, &s);
        struct labels none = labels_none();
        ASSERT(selector_parse(&a, canonical, &again, &e) == 0);
        ASSERT(str_eq(canonical, selector_text(&a, &again)));
        ASSERT(selector_matches(&s, &none) == selector_matches(&again, &none));
    }
    (void)field_selector_parse(&a, text, &fields, &e); /* refusing is as good as parsing */
    arena_deinit(&a);
    return 0;
}
