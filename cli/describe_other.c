/* describe of a kind that has no page of its own: every field, by name (see describe.h). */
#include <ctype.h>
#include <string.h>

#include "api/schema/json.h"
#include "cli/describe.h"
#include "cli/tree.h"

/* Shown above, or of no use to people. */
static const char *const skipped[] = { ".metadata.managedFields", ".metadata.name",
                                       ".metadata.namespace", ".metadata.labels",
                                       ".metadata.annotations" };

static bool is_skipped(struct str path)
{
    for (size_t i = 0; i < sizeof skipped / sizeof skipped[0]; i++)
        if (str_eq_c(path, skipped[i]))
            return true;
    return false;
}

static bool is_acronym(struct str word)
{
    return str_eq_nocase(word, str_lit("api")) || str_eq_nocase(word, str_lit("url")) ||
           str_eq_nocase(word, str_lit("uid")) || str_eq_nocase(word, str_lit("guid"));
}

/* A word of a field's name; one all in small letters begins with a large one. */
static void append_word(struct buf *b, struct str word)
{
    bool small = true;
    for (size_t i = 0; i < word.len; i++)
        small = small && !isupper((unsigned char)word.data[i]);
    if (b->len > 0)
        buf_append_byte(b, ' ');
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.data[i];
        bool up = is_acronym(word) || (small && i == 0);
        buf_append_byte(b, (uint8_t)(up ? toupper(c) : c));
    }
}

/* Where the word that begins here ends: "HTTPServer" is "HTTP" "Server". */
static size_t word_end(struct str s, size_t at)
{
    size_t end = at + 1;
    if (!isupper((unsigned char)s.data[at])) {
        while (end < s.len && !isupper((unsigned char)s.data[end]))
            end++;
        return end;
    }
    while (end < s.len && isupper((unsigned char)s.data[end]))
        end++;
    if (end == s.len)
        return end;
    if (end - at > 1)
        return end - 1;
    while (end < s.len && !isupper((unsigned char)s.data[end]))
        end++;
    return end;
}

/* "podCIDR" is "Pod CIDR", "a_b" stays what it is. */
static struct str label_of(struct page *p, struct str field)
{
    struct buf b;
    for (size_t i = 0; i < field.len; i++)
        if (!isalpha((unsigned char)field.data[i]) && field.data[i] != '-')
            return field;
    buf_init(&b);
    for (size_t at = 0; at < field.len;) {
        size_t end = word_end(field, at);
        append_word(&b, str_slice(field, at, end));
        at = end;
    }
    struct str out = str_copy(&p->cli->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static struct str value_text(struct page *p, const struct json *value)
{
    return value->type == JSON_NULL ? str_lit("<nil>") : tree_scalar(&p->cli->arena, value);
}

/* As deep as JSON may be. */
static void write_fields(struct page *p, int level, const struct json *object, struct str path)
{
    for (uint32_t i = 0; i < object->count; i++) {
        struct str field = object->u.members[i].key;
        const struct json *value = &object->u.members[i].value;
        struct str here = str_printf(&p->cli->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(field));
        struct str label = label_of(p, field);
        if (is_skipped(here))
            continue;
        if (value->type != JSON_OBJECT && value->type != JSON_ARRAY) {
            page_write(p, level, "%.*s:\t%.*s\n", STR_ARG(label), STR_ARG(value_text(p, value)));
            continue;
        }
        page_write(p, level, "%.*s:\n", STR_ARG(label));
        if (value->type == JSON_OBJECT)
            write_fields(p, level + 1, value, here);
        for (uint32_t k = 0; value->type == JSON_ARRAY && k < value->count; k++) {
            const struct json *item = &value->u.items[k];
            if (item->type == JSON_OBJECT)
                write_fields(p, level + 1, item, here);
            else
                page_write(p, level + 1, "%.*s\n", STR_ARG(value_text(p, item)));
        }
    }
}

void describe_other(struct page *p)
{
    struct json sorted = tree_sorted(&p->cli->arena, p->object);
    page_head(p);
    page_meta(p);
    write_fields(p, 0, &sorted, str_lit(""));
    page_events(p, true);
}
