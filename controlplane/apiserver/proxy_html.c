/* As much of HTML's tokenizer as it takes to find start tags and their attributes. */
#include "controlplane/apiserver/proxy_html.h"

#include <string.h>

#include "base/arena.h"

/* Attributes that hold a URL, of HTML 4.01 and later: "name" or "name name". */
static const struct {
    const char *tag;
    const char *attributes;
} links[] = {
    { "a", "href" },
    { "applet", "codebase" },
    { "area", "href" },
    { "audio", "src" },
    { "base", "href" },
    { "blockquote", "cite" },
    { "body", "background" },
    { "button", "formaction" },
    { "command", "icon" },
    { "del", "cite" },
    { "embed", "src" },
    { "form", "action" },
    { "frame", "longdesc src" },
    { "head", "profile" },
    { "html", "manifest" },
    { "iframe", "longdesc src" },
    { "img", "longdesc src usemap" },
    { "input", "formaction src usemap" },
    { "ins", "cite" },
    { "link", "href" },
    { "object", "classid codebase data usemap" },
    { "q", "cite" },
    { "script", "src" },
    { "source", "src" },
    { "video", "poster src" },
};

/* Elements whose content is text up to their end tag. */
static const char *const raw_ends[] = { "</script", "</style", "</textarea", "</title" };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

void proxy_html_init(struct proxy_html *h, const struct proxy_path *path, struct str host,
                     struct str authority)
{
    *h = (struct proxy_html){ .path = path, .host = host, .authority = authority };
    buf_init(&h->held);
}

void proxy_html_deinit(struct proxy_html *h)
{
    buf_deinit(&h->held);
}

static void release(struct proxy_html *h, struct buf *out)
{
    buf_append_str(out, buf_str(&h->held));
    buf_clear(&h->held);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

/* ---- one tag ---- */

/* The end of a name that begins at `at`. */
static size_t name_end(struct str tag, size_t at)
{
    while (at < tag.len && !is_space(tag.data[at]) && strchr("=/>", tag.data[at]) == NULL) {
        at++;
    }
    return at;
}

static size_t skip_spaces(struct str tag, size_t at)
{
    while (at < tag.len && is_space(tag.data[at])) {
        at++;
    }
    return at;
}

static const char *links_of(struct str name)
{
    for (size_t i = 0; i < COUNT(links); i++) {
        if (str_eq_nocase(name, str_from(links[i].tag))) {
            return links[i].attributes;
        }
    }
    return NULL;
}

static bool is_link(const char *attributes, struct str name)
{
    struct str rest = str_from(attributes);
    struct str one;
    while (rest.data != NULL && str_split(&rest, ' ', &one)) {
        if (str_eq_nocase(one, name)) {
            return true;
        }
    }
    return false;
}

/* The attribute's value, quotes excluded; where the next attribute begins. */
static size_t take_value(struct str tag, size_t at, struct str *out)
{
    char quote = at < tag.len ? tag.data[at] : '\0';
    size_t from = at;
    if (quote == '"' || quote == '\'') {
        ptrdiff_t end = str_find_char(tag, quote, at + 1);
        size_t to = end < 0 ? tag.len : (size_t)end;
        *out = str_slice(tag, at + 1, to);
        return to < tag.len ? to + 1 : to;
    }
    while (at < tag.len && !is_space(tag.data[at]) && tag.data[at] != '>') {
        at++;
    }
    *out = str_slice(tag, from, at);
    return at;
}

static void write_tag(const struct proxy_html *h, struct str tag, const char *attributes,
                      struct buf *out)
{
    struct arena a;
    size_t written = 0;
    size_t at = name_end(tag, 1);
    arena_init(&a);
    while (at < tag.len) {
        size_t begin = at;
        size_t end = name_end(tag, begin);
        at = skip_spaces(tag, end);
        if (at >= tag.len || tag.data[at] != '=') {
            at = end > begin ? at : begin + 1; /* no value, or what is no name */
            continue;
        }
        struct str value;
        at = take_value(tag, skip_spaces(tag, at + 1), &value);
        if (is_link(attributes, str_slice(tag, begin, end))) {
            size_t place = (size_t)(value.data - tag.data);
            buf_append_str(out, str_slice(tag, written, place));
            buf_append_str(out, proxy_rewrite_url(&a, value, h->path, h->host, h->authority));
            written = place + value.len;
        }
    }
    buf_append_str(out, str_slice(tag, written, tag.len));
    arena_deinit(&a);
}

/* The held tag is whole. */
static void end_tag(struct proxy_html *h, struct buf *out)
{
    struct str tag = buf_str(&h->held);
    struct str name = str_slice(tag, 1, name_end(tag, 1));
    const char *attributes = links_of(name);
    h->state = PROXY_HTML_TEXT;
    for (size_t i = 0; i < COUNT(raw_ends); i++) {
        if (str_eq_nocase(name, str_from(raw_ends[i] + 2))) {
            h->state = PROXY_HTML_RAW;
            h->raw_end = raw_ends[i];
            h->raw_matched = 0;
        }
    }
    if (attributes == NULL) {
        release(h, out);
        return;
    }
    write_tag(h, tag, attributes, out);
    buf_clear(&h->held);
}

/* ---- bytes ---- */

/* Does c end the tag? Follows where quotes begin and end. */
static bool follow_tag(struct proxy_html *h, char c)
{
    if (h->quote != '\0') {
        h->quote = c == h->quote ? '\0' : h->quote;
        return false;
    }
    if (h->after_equals && (c == '"' || c == '\'')) {
        h->quote = c;
    }
    h->after_equals = c == '=' || (h->after_equals && is_space(c));
    return c == '>';
}

static void on_open(struct proxy_html *h, char c, struct buf *out)
{
    if (c == '<') {
        release(h, out);
        buf_append_byte(&h->held, (uint8_t)c);
        return;
    }
    buf_append_byte(&h->held, (uint8_t)c);
    if (is_letter(c)) {
        h->state = PROXY_HTML_TAG;
        h->quote = '\0';
        h->after_equals = false;
    } else if (c == '!') {
        h->state = PROXY_HTML_DECLARE;
    } else {
        h->state = PROXY_HTML_TEXT;
        release(h, out);
    }
}

static void on_declare(struct proxy_html *h, char c, struct buf *out)
{
    static const char comment[] = "<!--";
    buf_append_byte(&h->held, (uint8_t)c);
    if (h->held.len == sizeof(comment) - 1 && c == '-') {
        h->state = PROXY_HTML_COMMENT;
        h->dashes = 2;
        release(h, out);
    } else if (c != '-') {
        h->state = PROXY_HTML_TEXT;
        release(h, out);
    }
}

static void on_comment(struct proxy_html *h, char c)
{
    if (c == '>' && h->dashes >= 2) {
        h->state = PROXY_HTML_TEXT;
    }
    h->dashes = c != '-' ? 0 : h->dashes < 2 ? h->dashes + 1 : 2;
}

static void on_tag(struct proxy_html *h, char c, struct buf *out)
{
    buf_append_byte(&h->held, (uint8_t)c);
    if (follow_tag(h, c)) {
        end_tag(h, out);
    } else if (h->held.len == PROXY_HTML_TAG_BYTES_MAX) {
        h->state = PROXY_HTML_PASS;
        release(h, out);
    }
}

static void on_raw(struct proxy_html *h, char c)
{
    bool next = lower(c) == h->raw_end[h->raw_matched];
    h->raw_matched = next ? h->raw_matched + 1 : c == '<' ? 1 : 0;
    if (h->raw_end[h->raw_matched] == '\0') {
        h->state = PROXY_HTML_TEXT;
    }
}

/* States that hold nothing back: the byte leaves at once. */
static void on_passing(struct proxy_html *h, char c, struct buf *out)
{
    if (h->state == PROXY_HTML_TEXT && c == '<') {
        h->state = PROXY_HTML_OPEN;
        buf_append_byte(&h->held, (uint8_t)c);
        return;
    }
    buf_append_byte(out, (uint8_t)c);
    if (h->state == PROXY_HTML_COMMENT) {
        on_comment(h, c);
    } else if (h->state == PROXY_HTML_RAW) {
        on_raw(h, c);
    } else if (h->state == PROXY_HTML_PASS && follow_tag(h, c)) {
        h->state = PROXY_HTML_TEXT;
    }
}

void proxy_html_feed(struct proxy_html *h, struct str bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes.len; i++) {
        switch (h->state) {
        case PROXY_HTML_OPEN:
            on_open(h, bytes.data[i], out);
            break;
        case PROXY_HTML_DECLARE:
            on_declare(h, bytes.data[i], out);
            break;
        case PROXY_HTML_TAG:
            on_tag(h, bytes.data[i], out);
            break;
        default:
            on_passing(h, bytes.data[i], out);
        }
    }
}

void proxy_html_end(struct proxy_html *h, struct buf *out)
{
    release(h, out);
    h->state = PROXY_HTML_TEXT;
}
