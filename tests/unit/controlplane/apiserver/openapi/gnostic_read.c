/* See the header. */
#include "tests/unit/controlplane/apiserver/openapi/gnostic_read.h"

#include "api/meta/peek.h"
#include "tests/unit/unit.h"

struct str entry_of(struct str bytes, unsigned number, const char *name)
{
    struct peek_field field;
    struct peek_field part;
    size_t at = 0;
    while (peek_next(bytes, &at, &field)) {
        if (field.number == number && peek_field(field.bytes, 1, &part) &&
            str_eq_c(part.bytes, name)) {
            assert_true(peek_field(field.bytes, 2, &part));
            return part.bytes;
        }
    }
    fail_msg("no %s", name);
    return str_lit("");
}

size_t count_of(struct str bytes, unsigned number)
{
    struct peek_field field;
    size_t count = 0;
    size_t at = 0;
    while (peek_next(bytes, &at, &field)) {
        count += field.number == number ? 1 : 0;
    }
    return count;
}

struct str at_path(struct str bytes, const uint8_t *path)
{
    struct str found = peek_string(bytes, path);
    assert_true(found.data != NULL);
    return found;
}
