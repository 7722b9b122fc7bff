/* C strings that may be NULL; see the header. */
#include "api/meta/text.h"

#include <stddef.h>
#include <string.h>

const char *text_of(const char *s)
{
    return s == NULL ? "" : s;
}

bool text_empty(const char *s)
{
    return s == NULL || s[0] == '\0';
}

bool text_eq(const char *a, const char *b)
{
    return strcmp(text_of(a), text_of(b)) == 0;
}
