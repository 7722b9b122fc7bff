/*
 * gantry __complete WORD...: what may stand in the place of the last word, a line each; ":files"
 * where that is a file's name. Asked by the scripts of `gantry completion`; nothing goes wrong
 * aloud.
 */
#include <stdio.h>
#include <string.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"
#include "cli/fetch.h"
#include "cli/flags.h"
#include "cli/tree.h"

/* A shell waits for it. */
#define COMPLETE_TIMEOUT_MS 3000

struct completing {
    struct cli *cli;
    const struct verb *verb;
    const char *const *words;
    size_t count; /* the last one is being typed */
    const char *positional[FLAGS_VALUES_MAX];
    size_t positional_count;
    const struct flag *pending; /* the flag whose value is typed */
};

/* ---- what is offered ---- */

/* prefix stands before what is typed and what is offered. */
static void offer(struct str prefix, struct str typed, struct str candidate, const char *end)
{
    if (str_starts(candidate, typed))
        printf("%.*s%.*s%s\n", STR_ARG(prefix), STR_ARG(candidate), end);
}

static void offer_words(struct str prefix, struct str typed, const char *words)
{
    struct str rest = str_from(words);
    struct str word;
    while (str_split(&rest, ' ', &word))
        if (word.len > 0)
            offer(prefix, typed, word, "");
}

static void offer_verbs(struct completing *x, struct str typed)
{
    const struct verb_table *t = x->cli->verbs;
    for (size_t i = 0; t != NULL && i < t->count; i++)
        if (!t->verbs[i]->hidden)
            offer(str_lit(""), typed, str_from(t->verbs[i]->name), "");
}

static void offer_flags(const struct flag *table, struct str typed)
{
    for (struct flags_row r = flags_first(table); r.flag != NULL; flags_next(&r)) {
        const struct flag *f = r.flag;
        bool needs = f->type != FLAG_BOOL && f->bare == NULL;
        offer(str_lit("--"), str_slice(typed, 2, typed.len), str_from(f->name), needs ? "=" : "");
    }
}

static bool reach(struct completing *x)
{
    struct err e;
    if (x->cli->connect != NULL && x->cli->connect(x->cli, &e) != 0)
        return false;
    x->cli->connect = NULL;
    if (x->cli->request_timeout_ms == 0)
        x->cli->request_timeout_ms = COMPLETE_TIMEOUT_MS;
    return true;
}

static void offer_types(struct completing *x, struct str prefix, struct str typed, const char *end)
{
    const struct objects_list *list;
    struct err e;
    if (!reach(x) || objects_load(x->cli, &list, &e) != 0)
        return;
    for (size_t i = 0; i < list->count; i++) {
        const struct objects_resource *r = &list->items[i];
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || str_eq(list->items[k].plural, r->plural);
        if (!again && objects_has(r->verbs, "get"))
            offer(prefix, typed, r->plural, end);
    }
}

static void offer_names(struct completing *x, struct str type, struct str prefix, struct str typed)
{
    struct objects_target target = { .name = str_lit("") };
    struct fetch_options o = { .accept = FETCH_TABLE };
    struct objects_resource r;
    struct fetch f;
    struct err e;
    if (!reach(x) || objects_find(x->cli, type, &r, &e) != 0)
        return;
    o.ns = x->cli->ns;
    target.resource = &r;
    if (fetch_all(x->cli, &target, 1, &o, &f, &e) != 0)
        return;
    for (size_t i = 0; i < f.count; i++) {
        const struct json *rows = json_get_c(f.items[i].root, "rows");
        for (size_t k = 0; k < tree_count(rows); k++)
            offer(prefix, typed, tree_text(tree_item(rows, k), "object", "metadata", "name", NULL),
                  "");
    }
}

/* ---- what is being typed ---- */

static void complete_value(struct completing *x, const struct flag *f, struct str prefix,
                           struct str typed)
{
    if (f->values == VALUES_CHOICE)
        offer_words(prefix, typed, f->choice);
    else if (f->values == VALUES_NAMESPACES)
        offer_names(x, str_lit("namespaces"), prefix, typed);
    else if (f->values == VALUES_FILES)
        printf(":files\n");
}

static void complete_flag(struct completing *x, struct str typed)
{
    ptrdiff_t equals = str_find_char(typed, '=', 0);
    if (equals < 0) {
        if (typed.len < 2)
            typed = str_lit("--");
        offer_flags(x->verb != NULL ? x->verb->flags : NULL, typed);
        offer_flags(cli_flags, typed);
        offer(str_lit("--"), str_slice(typed, 2, typed.len), str_lit("help"), "");
        return;
    }
    const struct flag *f = flags_find(x->verb, str_slice(typed, 2, (size_t)equals));
    if (f != NULL)
        complete_value(x, f, str_slice(typed, 0, (size_t)equals + 1),
                       str_slice(typed, (size_t)equals + 1, typed.len));
}

/* "pods/we", "pods,serv", "pods", or a name after it. */
static void complete_object(struct completing *x, struct str typed)
{
    bool pairs = x->positional_count > 0 && strchr(x->positional[0], '/') != NULL;
    ptrdiff_t slash = str_find_char(typed, '/', 0);
    struct str none = str_lit("");
    if (slash >= 0) {
        offer_names(x, str_slice(typed, 0, (size_t)slash), str_slice(typed, 0, (size_t)slash + 1),
                    str_slice(typed, (size_t)slash + 1, typed.len));
    } else if (x->positional_count > 0 && !pairs) {
        offer_names(x, str_from(x->positional[0]), none, typed);
    } else {
        size_t comma = typed.len;
        while (comma > 0 && typed.data[comma - 1] != ',')
            comma--;
        offer_types(x, str_slice(typed, 0, comma), str_slice(typed, comma, typed.len),
                    pairs ? "/" : "");
    }
}

static void complete_word(struct completing *x, struct str typed)
{
    bool first = x->positional_count == 0;
    switch (x->verb->completes) {
    case WORDS_OBJECTS:
        complete_object(x, typed);
        return;
    case WORDS_PODS:
        if (first && str_find_char(typed, '/', 0) >= 0)
            complete_object(x, typed);
        else if (first)
            offer_names(x, str_lit("pods"), str_lit(""), typed);
        return;
    case WORDS_RESOURCES:
        if (first)
            offer_types(x, str_lit(""), typed, "");
        return;
    case WORDS_SHELLS:
        if (first)
            offer_words(str_lit(""), typed, "bash zsh fish");
        return;
    case WORDS_VERBS:
        if (first)
            offer_verbs(x, typed);
        return;
    case WORDS_NONE:
        return;
    }
}

/* ---- what was typed before ---- */

static const struct verb *verb_named(const struct completing *x, const char *name)
{
    const struct verb_table *t = x->cli->verbs;
    for (size_t i = 0; t != NULL && i < t->count; i++)
        if (strcmp(t->verbs[i]->name, name) == 0)
            return t->verbs[i];
    return NULL;
}

/* A flag among the words before; *io_at moves to its value. */
static void pass_flag(struct completing *x, int *io_at)
{
    char **words = (char **)(uintptr_t)x->words;
    const char *word = words[*io_at];
    int last = (int)x->count - 1;
    bool is_long = word[1] == '-';
    if (strchr(word, '=') == NULL && (is_long || word[2] == '\0')) {
        const struct flag *f =
            is_long ? flags_find(x->verb, str_from(word + 2)) : flags_find_letter(x->verb, word[1]);
        if (f != NULL && f->type != FLAG_BOOL && f->bare == NULL && *io_at + 1 == last) {
            x->pending = f;
            return;
        }
        if (!flags_parse_one(x->cli, last, words, io_at) && f != NULL && f->type != FLAG_BOOL &&
            f->bare == NULL)
            (*io_at)++;
        return;
    }
    (void)flags_parse_one(x->cli, last, words, io_at); /* else it is the verb's own */
}

static int complete_act(struct cli *c, const void *options, const struct words *w)
{
    struct completing x = { .cli = c, .words = w->items, .count = w->count };
    (void)options;
    if (w->count == 0)
        return CLI_OK;
    for (int i = 0; i + 1 < (int)w->count; i++) {
        const char *word = w->items[i];
        if (strcmp(word, "--") == 0)
            return CLI_OK;
        if (word[0] == '-' && word[1] != '\0')
            pass_flag(&x, &i);
        else if (x.verb != NULL && x.positional_count < FLAGS_VALUES_MAX)
            x.positional[x.positional_count++] = word;
        else if (x.verb == NULL && (x.verb = verb_named(&x, word)) == NULL)
            return CLI_OK;
    }
    struct str typed = str_from(w->items[w->count - 1]);
    if (x.pending != NULL)
        complete_value(&x, x.pending, str_lit(""), typed);
    else if (typed.len > 0 && typed.data[0] == '-')
        complete_flag(&x, typed);
    else if (x.verb == NULL)
        offer_verbs(&x, typed);
    else
        complete_word(&x, typed);
    return CLI_OK;
}

const struct verb complete_verb = { .name = "__complete",
                                    .summary = "what may stand in the place of the last word",
                                    .help = "__complete WORD...",
                                    .offline = true,
                                    .hidden = true,
                                    .raw = true,
                                    .act = complete_act };
