/* See the header. The words are kubectl's. */
#include "cli/edit_text.h"

#include <ctype.h>

#include "base/arena.h"
#include "cli/compose.h"

void edit_text_heading(struct buf *out, struct str reasons)
{
    buf_append_c(out,
                 "# Please edit the object below. Lines beginning with a '#' will be ignored,\n"
                 "# and an empty file will abort the edit. If an error occurs while saving this "
                 "file will be\n# reopened with the relevant failures.\n#\n");
    buf_append_str(out, reasons);
}

static void append_commented(struct buf *out, struct str text)
{
    struct str line;
    bool first = true;
    while (str_split(&text, '\n', &line)) {
        buf_append_c(out, first ? "" : "\n# ");
        buf_append_str(out, line);
        first = false;
    }
}

void edit_text_reason(struct buf *out, const char *head, struct str text)
{
    buf_printf(out, "# %s", head);
    append_commented(out, text);
    buf_append_c(out, "\n#\n");
}

void edit_text_invalid(struct buf *out, struct str type, struct str name, const struct json *status)
{
    const struct json *causes = NULL;
    size_t count = compose_items(json_get_c(json_get_c(status, "details"), "causes"), &causes);
    buf_printf(out, "# %.*s \"%.*s\" was not valid%s\n", STR_ARG(type), STR_ARG(name),
               count > 0 ? ":" : "");
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "# * %.*s: ", STR_ARG(json_str(json_get_c(&causes[i], "field"))));
        append_commented(out, json_str(json_get_c(&causes[i], "message")));
        buf_append_c(out, "\n");
    }
    buf_append_c(out, "#\n");
}

struct str edit_text_plain(struct arena *a, struct str text)
{
    struct buf b;
    struct str line;
    buf_init(&b);
    while (text.len > 0 && str_split(&text, '\n', &line)) {
        if (line.len > 0 && line.data[0] == '#')
            continue;
        buf_append_str(&b, line);
        buf_append_byte(&b, '\n');
    }
    struct str plain = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return plain;
}

bool edit_text_is_empty(struct str text)
{
    struct str line;
    while (str_split(&text, '\n', &line)) {
        size_t i = 0;
        while (i < line.len && isspace((unsigned char)line.data[i]))
            i++;
        if (i < line.len && line.data[i] != '#')
            return false;
    }
    return true;
}
