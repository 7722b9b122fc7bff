/* Selectors once parsed: building, matching, printing. */
#include "api/meta/selector.h"

#include <stdlib.h>

#include "api/meta/names.h"
#include "api/meta/selector_internal.h"
#include "api/proto/meta.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"

void requirement_draft_add(struct arena *a, struct requirement_draft *r, struct str value)
{
    r->values = arena_grow(a, r->values, r->count, &r->capacity, sizeof(*r->values));
    r->values[r->count++] = value;
}

static int value_cmp(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* The values in their order, each once. */
static size_t sort_values(struct str *values, size_t count)
{
    size_t kept = count > 0 ? 1 : 0;
    if (count > 1)
        qsort(values, count, sizeof(*values), value_cmp);
    for (size_t i = 1; i < count; i++) {
        if (!str_eq(values[kept - 1], values[i]))
            values[kept++] = values[i];
    }
    return kept;
}

/* Messages joined as upstream joins them. */
static void join_messages(const struct name_messages *m, struct buf *b)
{
    for (size_t i = 0; i < m->count; i++) {
        buf_append_c(b, i > 0 ? "; " : "");
        buf_append_c(b, m->text[i]);
    }
}

int requirement_bad_key(struct err *e, struct str key, const struct name_messages *messages)
{
    struct buf joined;
    buf_init(&joined);
    join_messages(messages, &joined);
    /* Upstream has no field path here and prints it so. */
    int rc = err_set(e, ERR_INVALID_ARGUMENT, "<nil>: Invalid value: \"%.*s\": %.*s",
                     STR_ARG(str_slice(key, 0, 128)), STR_ARG(buf_str(&joined)));
    buf_deinit(&joined);
    return rc;
}

static int check_value_count(const struct requirement_draft *r, struct err *e)
{
    switch (r->operator) {
    case SELECTOR_IN:
    case SELECTOR_NOT_IN:
        if (r->count == 0)
            return err_set(e, ERR_INVALID_ARGUMENT,
                           "values: Invalid value: []: for 'in', 'notin' operators, values set "
                           "can't be empty");
        return 0;
    case SELECTOR_EXISTS:
    case SELECTOR_NOT_EXISTS:
        if (r->count != 0)
            return err_set(e, ERR_INVALID_ARGUMENT,
                           "values: Invalid value: values set must be empty for exists and does "
                           "not exist");
        return 0;
    default:
        return 0; /* the parser gives these exactly one */
    }
}

static int check_values(const struct requirement_draft *r, struct err *e)
{
    bool number = r->operator== SELECTOR_GREATER || r->operator== SELECTOR_LESS;
    for (size_t i = 0; i < r->count; i++) {
        struct name_messages messages;
        int64_t ignored;
        struct str shown = str_slice(r->values[i], 0, 128);
        if (number && str_to_i64(r->values[i], &ignored) < 0)
            return err_set(e, ERR_INVALID_ARGUMENT,
                           "values[%zu]: Invalid value: \"%.*s\": for 'Gt', 'Lt' operators, the "
                           "value must be an integer",
                           i, STR_ARG(shown));
        if (!name_label_value(r->values[i], &messages))
            return err_set(e, ERR_INVALID_ARGUMENT,
                           "values[%zu][%.*s]: Invalid value: \"%.*s\": %s", i,
                           STR_ARG(str_slice(r->key, 0, 128)), STR_ARG(shown), messages.text[0]);
    }
    return 0;
}

int selector_draft_add(struct arena *a, struct selector_draft *d, const struct requirement_draft *r,
                       struct err *e)
{
    if (d->count >= SELECTOR_REQUIREMENTS_MAX)
        return err_set(e, ERR_LIMIT, "selector has more than %d requirements",
                       SELECTOR_REQUIREMENTS_MAX);
    struct requirement_draft sorted = *r;
    sorted.count = sort_values(r->values, r->count);
    int rc = check_value_count(&sorted, e);
    if (rc == 0)
        rc = check_values(&sorted, e);
    if (rc < 0)
        return rc;
    d->requirements =
        arena_grow(a, d->requirements, d->count, &d->capacity, sizeof(*d->requirements));
    d->requirements[d->count++] = (struct requirement){
        .key = r->key, .operator= r->operator, .values = r->values, .values_count = sorted.count
    };
    return 0;
}

static int by_key(const void *x, const void *y)
{
    const struct requirement *a = x;
    const struct requirement *b = y;
    int order = str_cmp(a->key, b->key);
    /* Equal keys keep an order that depends on the text alone. */
    return order != 0 ? order : (int)a->operator-(int) b->operator;
}

void selector_draft_finish(struct selector_draft *d, struct selector *out)
{
    if (d->count > 1)
        qsort(d->requirements, d->count, sizeof(*d->requirements), by_key);
    *out = (struct selector){ .requirements = d->requirements, .count = d->count };
}

static bool operator_of(const char *text, enum selector_operator *out)
{
    static const struct {
        const char *text;
        enum selector_operator operator;
    } operators[] = { { "In", SELECTOR_IN },
                      { "NotIn", SELECTOR_NOT_IN },
                      { "Exists", SELECTOR_EXISTS },
                      { "DoesNotExist", SELECTOR_NOT_EXISTS } };
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (str_eq_c(str_from(text), operators[i].text)) {
            *out = operators[i].operator;
            return true;
        }
    }
    return false;
}

static int add_expression(struct arena *a, struct selector_draft *d,
                          const LabelSelectorRequirement *expression, struct err *e)
{
    struct requirement_draft r = { .key = str_from(expression->key) };
    struct name_messages messages;
    if (!operator_of(expression->operator_, &r.operator))
        return err_set(e, ERR_INVALID_ARGUMENT, "\"%s\" is not a valid label selector operator",
                       expression->operator_ == NULL ? "" : expression->operator_);
    if (!name_qualified(r.key, &messages))
        return requirement_bad_key(e, r.key, &messages);
    for (size_t i = 0; i < expression->n_values; i++)
        requirement_draft_add(a, &r, str_from(expression->values[i]));
    return selector_draft_add(a, d, &r, e);
}

int selector_from_struct(struct arena *a, const struct LabelSelector *ls, struct selector *out,
                         struct err *e)
{
    struct selector_draft draft = { 0 };
    if (ls == NULL) {
        *out = (struct selector){ .nothing = true };
        return 0;
    }
    for (size_t i = 0; i < ls->n_match_labels; i++) {
        struct requirement_draft r = { .key = str_from(entries_key(ls->match_labels, i)),
                                       .operator= SELECTOR_EQUALS };
        struct name_messages messages;
        if (!name_qualified(r.key, &messages))
            return requirement_bad_key(e, r.key, &messages);
        requirement_draft_add(a, &r, str_from(entries_value(ls->match_labels, i)));
        int rc = selector_draft_add(a, &draft, &r, e);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < ls->n_match_expressions; i++) {
        int rc = add_expression(a, &draft, ls->match_expressions[i], e);
        if (rc < 0)
            return rc;
    }
    selector_draft_finish(&draft, out);
    return 0;
}

void selector_from_entries(struct arena *a, const void *entries, size_t count, struct selector *out)
{
    struct selector_draft draft = { 0 };
    draft.requirements = arena_array(a, count, sizeof(*draft.requirements));
    for (size_t i = 0; i < count; i++) {
        struct requirement_draft r = { .key = str_from(entries_key(entries, i)) };
        requirement_draft_add(a, &r, str_from(entries_value(entries, i)));
        draft.requirements[draft.count++] = (struct requirement){
            .key = r.key, .operator= SELECTOR_EQUALS, .values = r.values, .values_count = r.count
        };
    }
    selector_draft_finish(&draft, out);
}

static bool has_value(const struct requirement *r, struct str value)
{
    for (size_t i = 0; i < r->values_count; i++) {
        if (str_eq(r->values[i], value))
            return true;
    }
    return false;
}

static bool compare_matches(const struct requirement *r, struct str value)
{
    int64_t have;
    int64_t limit;
    if (str_to_i64(value, &have) < 0 || str_to_i64(r->values[0], &limit) < 0)
        return false;
    return r->operator== SELECTOR_GREATER ? have > limit : have<limit;
}

static bool requirement_matches(const struct requirement *r, const struct labels *l)
{
    struct str value = { 0 };
    bool has = labels_get(l, r->key, &value);
    switch (r->operator) {
    case SELECTOR_EQUALS:
    case SELECTOR_IN:
        return has && has_value(r, value);
    case SELECTOR_NOT_EQUALS:
    case SELECTOR_NOT_IN:
        return !has || !has_value(r, value);
    case SELECTOR_EXISTS:
        return has;
    case SELECTOR_NOT_EXISTS:
        return !has;
    case SELECTOR_GREATER:
    case SELECTOR_LESS:
        return has && compare_matches(r, value);
    }
    return false;
}

bool selector_matches(const struct selector *s, const struct labels *l)
{
    if (s->nothing)
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (!requirement_matches(&s->requirements[i], l))
            return false;
    }
    return true;
}

bool selector_everything(const struct selector *s)
{
    return !s->nothing && s->count == 0;
}

static void write_requirement(const struct requirement *r, struct buf *b)
{
    static const char *const before[] = {
        [SELECTOR_EQUALS] = "=",        [SELECTOR_NOT_EQUALS] = "!=", [SELECTOR_IN] = " in (",
        [SELECTOR_NOT_IN] = " notin (", [SELECTOR_EXISTS] = "",       [SELECTOR_NOT_EXISTS] = "",
        [SELECTOR_GREATER] = ">",       [SELECTOR_LESS] = "<"
    };
    bool set = r->operator== SELECTOR_IN || r->operator== SELECTOR_NOT_IN;
    buf_append_c(b, r->operator== SELECTOR_NOT_EXISTS ? "!" : "");
    buf_append_str(b, r->key);
    buf_append_c(b, before[r->operator]);
    for (size_t i = 0; i < r->values_count; i++) {
        buf_append_c(b, i > 0 ? "," : "");
        buf_append_str(b, r->values[i]);
    }
    /* A lone empty value needs its comma: "()" would be no value at all. */
    if (set)
        buf_append_c(b, r->values_count == 1 && r->values[0].len == 0 ? ",)" : ")");
}

struct str selector_text(struct arena *a, const struct selector *s)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < s->count; i++) {
        buf_append_c(&b, i > 0 ? "," : "");
        write_requirement(&s->requirements[i], &b);
    }
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}
