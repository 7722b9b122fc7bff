/* Field selectors: `a=b,c!=d` with backslash escapes of the three characters that have a meaning.
 */
#include "api/meta/selector.h"
#include "base/arena.h"

/* Cuts the next term at a comma that is not escaped. False at the end. */
static bool next_term(struct str text, size_t *at, struct str *out)
{
    if (*at > text.len)
        return false;
    size_t end = *at;
    while (end < text.len && text.data[end] != ',')
        end += text.data[end] == '\\' ? 2 : 1;
    *out = str_slice(text, *at, end);
    *at = end + 1;
    return true;
}

/* Finds the operator: the first of `!=`, `==`, `=`. */
static bool cut_term(struct str term, struct field_requirement *r, struct str *escaped)
{
    for (size_t i = 0; i < term.len; i++) {
        size_t width = 0;
        bool next_equals = i + 1 < term.len && term.data[i + 1] == '=';
        if (term.data[i] == '!' && next_equals)
            width = 2;
        else if (term.data[i] == '=')
            width = next_equals ? 2 : 1;
        if (width == 0)
            continue;
        r->field = str_slice(term, 0, i);
        r->negated = term.data[i] == '!';
        *escaped = str_slice(term, i + width, term.len);
        return true;
    }
    return false;
}

static int unescape(struct arena *a, struct str escaped, struct str *out, struct err *e)
{
    char *text = arena_alloc(a, escaped.len);
    size_t len = 0;
    for (size_t i = 0; i < escaped.len; i++) {
        char c = escaped.data[i];
        if (c == '\\') {
            c = i + 1 < escaped.len ? escaped.data[++i] : '\0';
            if (c != '\\' && c != ',' && c != '=')
                return err_set(e, ERR_INVALID_ARGUMENT,
                               "invalid field selector: invalid escape sequence: \\%.*s", c != '\0',
                               &c);
        } else if (c == '=') {
            return err_set(e, ERR_INVALID_ARGUMENT,
                           "invalid field selector: unescaped character in value: %d", c);
        }
        text[len++] = c;
    }
    *out = str_of(text, len);
    return 0;
}

int field_selector_parse(struct arena *a, struct str text, struct field_selector *out,
                         struct err *e)
{
    struct field_requirement *requirements = NULL;
    size_t count = 0;
    size_t capacity = 0;
    size_t at = 0;
    struct str term;
    if (text.len > SELECTOR_BYTES_MAX)
        return err_set(e, ERR_LIMIT, "field selector is longer than %u bytes", SELECTOR_BYTES_MAX);
    while (next_term(text, &at, &term)) {
        struct field_requirement r = { 0 };
        struct str escaped;
        if (term.len == 0)
            continue;
        if (!cut_term(term, &r, &escaped))
            return err_set(e, ERR_INVALID_ARGUMENT,
                           "invalid selector: '%.*s'; can't understand '%.*s'",
                           STR_ARG(str_slice(text, 0, 128)), STR_ARG(str_slice(term, 0, 128)));
        int rc = unescape(a, escaped, &r.value, e);
        if (rc < 0)
            return rc;
        if (count >= SELECTOR_REQUIREMENTS_MAX)
            return err_set(e, ERR_LIMIT, "field selector has more than %d terms",
                           SELECTOR_REQUIREMENTS_MAX);
        requirements = arena_grow(a, requirements, count, &capacity, sizeof(*requirements));
        requirements[count++] = r;
    }
    *out = (struct field_selector){ .requirements = requirements, .count = count };
    return 0;
}

bool field_selector_matches(const struct field_selector *s,
                            struct str (*get)(void *ctx, struct str field), void *ctx)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct field_requirement *r = &s->requirements[i];
        if (str_eq(get(ctx, r->field), r->value) == r->negated)
            return false;
    }
    return true;
}

bool field_selector_exact(const struct field_selector *s, const char *field, struct str *out_value)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct field_requirement *r = &s->requirements[i];
        if (!r->negated && str_eq_c(r->field, field)) {
            *out_value = r->value;
            return true;
        }
    }
    return false;
}
