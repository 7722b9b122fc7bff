/* What kubectl says of an answer that refuses: the texts its users and their scripts know. */
#include <stdio.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"

static const struct json *status_of(struct cli *c, const struct ask_answer *answer)
{
    const struct json *root;
    if (json_parse(&c->arena, answer->body, &root, NULL) != 0)
        return NULL;
    return str_eq_c(json_str(json_get_c(root, "kind")), "Status") ? root : NULL;
}

static struct str text_in(const struct json *object, const char *name)
{
    return json_str(json_get_c(object, name));
}

static struct str cause_text(struct cli *c, const struct json *cause)
{
    return str_printf(&c->arena, "%.*s: %.*s", STR_ARG(text_in(cause, "field")),
                      STR_ARG(text_in(cause, "message")));
}

/* One cause stands in the line, several below it; what is said twice is shown once. */
static void append_causes(struct cli *c, struct buf *b, const struct json *causes)
{
    struct str *seen = arena_array(&c->arena, causes->count, sizeof *seen);
    size_t count = 0;
    for (uint32_t i = 0; i < causes->count; i++) {
        struct str text = cause_text(c, &causes->u.items[i]);
        size_t at = 0;
        while (at < count && !str_eq(seen[at], text))
            at++;
        if (at == count)
            seen[count++] = text;
    }
    if (count == 1) {
        buf_append_str(b, seen[0]);
        return;
    }
    for (size_t i = 0; i < count; i++)
        buf_printf(b, "\n* %.*s", STR_ARG(seen[i]));
}

static struct str invalid_text(struct cli *c, const struct json *status)
{
    const struct json *details = json_get_c(status, "details");
    const struct json *causes = json_get_c(details, "causes");
    struct str kind = text_in(details, "kind");
    struct str name = text_in(details, "name");
    struct str message = text_in(status, "message");
    bool some = causes != NULL && causes->type == JSON_ARRAY && causes->count > 0;
    struct buf b;
    buf_init(&b);
    if (kind.len > 0 || name.len > 0)
        buf_printf(&b, "The %.*s \"%.*s\" is invalid", STR_ARG(kind), STR_ARG(name));
    else
        buf_append_c(&b, "The request is invalid");
    if (kind.len == 0 && name.len == 0 && message.len > 0 && !some)
        buf_printf(&b, ": %.*s", STR_ARG(message));
    if (some) {
        buf_append_c(&b, ": ");
        append_causes(c, &b, causes);
    }
    struct str out = str_copy(&c->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

struct str ask_refused(struct cli *c, const struct ask_answer *answer)
{
    struct arena *a = &c->arena;
    const struct json *status = status_of(c, answer);
    struct str reason = text_in(status, "reason");
    struct str message = text_in(status, "message");
    struct str rest = answer->body;
    struct str line = { NULL, 0 };
    if (status == NULL) {
        (void)str_split(&rest, '\n', &line); /* nothing was said: the line stays empty */
        return line.len > 0
                   ? str_printf(a, "Error from server: %.*s", STR_ARG(line))
                   : str_printf(a, "Error from server: it answered with status %d", answer->status);
    }
    if (str_eq_c(reason, "Invalid"))
        return invalid_text(c, status);
    if (str_eq_c(reason, "Unauthorized"))
        return str_printf(a, "error: You must be logged in to the server (%.*s)", STR_ARG(message));
    if (reason.len == 0)
        return str_printf(a, "Error from server: %.*s", STR_ARG(message));
    return str_printf(a, "Error from server (%.*s): %.*s", STR_ARG(reason), STR_ARG(message));
}

struct str ask_message(struct cli *c, const struct ask_answer *answer)
{
    return text_in(status_of(c, answer), "message");
}

int ask_tell(struct cli *c, const struct ask_answer *answer)
{
    return cli_tell("%.*s", STR_ARG(ask_refused(c, answer)));
}

bool ask_good(const struct ask_answer *answer)
{
    return answer->status / 100 == 2;
}

bool ask_reason(struct cli *c, const struct ask_answer *a, const char *reason)
{
    return str_eq_c(text_in(status_of(c, a), "reason"), reason);
}
