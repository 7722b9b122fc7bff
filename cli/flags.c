/* See the header. */
#include "cli/flags.h"

#include <string.h>

const struct flag cli_flags[] = {
    { .name = "kubeconfig",
      .at = offsetof(struct cli, kubeconfig),
      .help = "The kubeconfig to use; else $KUBECONFIG, else ~/.kube/config.",
      .values = VALUES_FILES },
    { .name = "context",
      .at = offsetof(struct cli, context),
      .help = "The kubeconfig's context to use; without it every member of the current context's "
              "cluster is tried.",
      .values = VALUES_CONTEXTS },
    { .name = "namespace",
      .letter = 'n',
      .at = offsetof(struct cli, namespace),
      .help = "The namespace to work in; else the context's, else default.",
      .values = VALUES_NAMESPACES },
    { .name = "server",
      .letter = 's',
      .at = offsetof(struct cli, server),
      .help = "The API server to ask instead of the kubeconfig's: https://HOST:PORT." },
    { .name = "request-timeout",
      .at = offsetof(struct cli, request_timeout),
      .value = "0",
      .help = "How long one answer may take: a number of seconds, or a number with a unit (1s, 2m, "
              "3h). Zero: as long as it takes." },
    { .name = "color",
      .at = offsetof(struct cli, color),
      .value = "auto",
      .help = "Colours: auto (on a terminal, unless $NO_COLOR is set), always or never.",
      .values = VALUES_CHOICE,
      .choice = "auto always never" },
    { 0 }
};

/* ---- rows ---- */

static void enter(struct flags_row *r)
{
    const struct flag *outer = r->outer;
    r->flag = outer->rows != NULL ? outer->rows : outer->name != NULL ? outer : NULL;
    r->at = r->flag == NULL ? 0 : outer->at + (outer->rows != NULL ? r->flag->at : 0);
}

struct flags_row flags_first(const struct flag *table)
{
    struct flags_row r = { .outer = table };
    if (table != NULL)
        enter(&r);
    return r;
}

void flags_next(struct flags_row *r)
{
    r->index++;
    if (r->outer->rows != NULL && r->flag[1].name != NULL) {
        r->flag++;
        r->at = r->outer->at + r->flag->at;
        return;
    }
    r->outer++;
    enter(r);
}

static struct flags_row find_in(const struct flag *table, struct str name)
{
    struct flags_row r = flags_first(table);
    while (r.flag != NULL && !str_eq_c(name, r.flag->name))
        flags_next(&r);
    return r;
}

const struct flag *flags_find(const struct verb *v, struct str name)
{
    const struct flag *f = v != NULL ? find_in(v->flags, name).flag : NULL;
    return f != NULL ? f : find_in(cli_flags, name).flag;
}

static const struct flag *find_letter_in(const struct flag *table, char letter)
{
    struct flags_row r = flags_first(table);
    while (r.flag != NULL && r.flag->letter != letter)
        flags_next(&r);
    return r.flag;
}

const struct flag *flags_find_letter(const struct verb *v, char letter)
{
    const struct flag *f = v != NULL ? find_letter_in(v->flags, letter) : NULL;
    return f != NULL ? f : find_letter_in(cli_flags, letter);
}

/* ---- values ---- */

static int set_bool(bool *out, const char *value, struct err *e)
{
    static const char *const truths[] = { "true", "1", "t", "T", "TRUE", "True" };
    static const char *const lies[] = { "false", "0", "f", "F", "FALSE", "False" };
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++) {
        if (strcmp(value, truths[i]) == 0 || strcmp(value, lies[i]) == 0) {
            *out = strcmp(value, truths[i]) == 0;
            return 0;
        }
    }
    return err_set(e, ERR_PARSE, "strconv.ParseBool: parsing \"%s\": invalid syntax", value);
}

static int add_text(struct flag_texts *texts, const char *value, struct err *e)
{
    if (texts->count == FLAGS_VALUES_MAX)
        return err_set(e, ERR_LIMIT, "more than %d values", FLAGS_VALUES_MAX);
    texts->items[texts->count++] = value;
    return 0;
}

static int add_list(struct cli *c, struct flag_texts *texts, const char *value, struct err *e)
{
    struct str rest = str_from(value);
    struct str one;
    int rc = 0;
    while (rc == 0 && str_split(&rest, ',', &one))
        rc = add_text(texts, str_dup(&c->arena, one), e);
    return rc;
}

static int set_value(struct cli *c, const struct flag *f, void *at, const char *value,
                     struct err *e)
{
    switch (f->type) {
    case FLAG_TEXT:
        *(const char **)at = value;
        return 0;
    case FLAG_BOOL:
        return set_bool(at, value, e);
    case FLAG_INT:
        return str_to_i64(str_from(value), at) == 0
                   ? 0
                   : err_set(e, ERR_PARSE, "strconv.ParseInt: parsing \"%s\": invalid syntax",
                             value);
    case FLAG_DURATION:
        return flags_duration(str_from(value), at, e);
    case FLAG_TEXTS:
        return add_text(at, value, e);
    case FLAG_LIST:
        return add_list(c, at, value, e);
    }
    return 0;
}

static int set_told(struct cli *c, const struct flag *f, void *at, const char *value, struct err *e)
{
    char names[80];
    int rc = set_value(c, f, at, value, e);
    if (f->letter != 0)
        (void)snprintf(names, sizeof names, "-%c, --%s", f->letter, f->name);
    else
        (void)snprintf(names, sizeof names, "--%s", f->name);
    return rc == 0 ? 0 : err_wrap(e, rc, "invalid argument \"%s\" for \"%s\" flag", value, names);
}

/* ---- words ---- */

struct reading {
    struct cli *cli;
    const struct verb *verb;
    void *options;
    int argc;
    char **argv;
    int at;
    uint64_t given;
    bool help;
    struct err *e;
};

static int take(struct reading *r, const struct flag *f, const char *value)
{
    const struct flag *table = r->verb != NULL ? r->verb->flags : NULL;
    const struct flags_row own = find_in(table, str_from(f->name));
    if (own.flag != f)
        return set_told(r->cli, f, (char *)r->cli + f->at, value, r->e);
    r->given |= 1ull << own.index;
    return set_told(r->cli, f, (char *)r->options + own.at, value, r->e);
}

static const char *bare_value(const struct flag *f)
{
    return f->bare != NULL ? f->bare : f->type == FLAG_BOOL ? "true" : NULL;
}

/* "--name", "--name=value", "--name" "value". */
static int read_long(struct reading *r, const char *arg)
{
    const char *equals = strchr(arg, '=');
    struct str name = equals != NULL ? str_of(arg, (size_t)(equals - arg)) : str_from(arg);
    const struct flag *f = flags_find(r->verb, name);
    if (f == NULL && str_eq_c(name, "help")) {
        r->help = true;
        return 0;
    }
    if (f == NULL)
        return err_set(r->e, ERR_INVALID_ARGUMENT, "unknown flag: --%.*s", STR_ARG(name));
    const char *value = equals != NULL ? equals + 1 : bare_value(f);
    if (value == NULL && r->at + 1 >= r->argc)
        return err_set(r->e, ERR_INVALID_ARGUMENT, "flag needs an argument: --%s", f->name);
    return take(r, f, value != NULL ? value : r->argv[++r->at]);
}

/* "-A", "-Aw", "-nvalue", "-n=value", "-n" "value". */
static int read_letters(struct reading *r, const char *arg)
{
    for (const char *at = arg; *at != '\0'; at++) {
        const struct flag *f = flags_find_letter(r->verb, *at);
        if (f == NULL && *at == 'h') {
            r->help = true;
            return 0;
        }
        if (f == NULL)
            return err_set(r->e, ERR_INVALID_ARGUMENT, "unknown shorthand flag: '%c' in -%s", *at,
                           at);
        if (at[1] == '=')
            return take(r, f, at + 2);
        const char *bare = bare_value(f);
        if (bare == NULL && at[1] != '\0')
            return take(r, f, at + 1);
        if (bare == NULL && r->at + 1 >= r->argc)
            return err_set(r->e, ERR_INVALID_ARGUMENT, "flag needs an argument: '%c' in -%s", *at,
                           at);
        int rc = take(r, f, bare != NULL ? bare : r->argv[++r->at]);
        if (rc != 0 || bare == NULL)
            return rc;
    }
    return 0;
}

static int read_flag(struct reading *r)
{
    const char *arg = r->argv[r->at];
    return arg[1] == '-' ? read_long(r, arg + 2) : read_letters(r, arg + 1);
}

static int set_defaults(struct cli *c, const struct flag *table, void *base, struct err *e)
{
    int rc = 0;
    for (struct flags_row r = flags_first(table); rc == 0 && r.flag != NULL; flags_next(&r))
        if (r.flag->value != NULL)
            rc = set_value(c, r.flag, (char *)base + r.at, r.flag->value, e);
    return rc;
}

int flags_parse_global(struct cli *c, int argc, char **argv, int *io_at, struct err *e)
{
    struct reading r = { .cli = c, .argc = argc, .argv = argv, .at = *io_at, .e = e };
    int rc = set_defaults(c, cli_flags, c, e);
    for (; rc == 0 && r.at < argc && argv[r.at][0] == '-' && argv[r.at][1] != '\0'; r.at++)
        rc = read_flag(&r);
    *io_at = r.at;
    return rc == 0 && r.help ? -ERR_CANCELED : rc;
}

bool flags_parse_one(struct cli *c, int argc, char **argv, int *io_at)
{
    struct reading r = { .cli = c, .argc = argc, .argv = argv, .at = *io_at };
    bool good = read_flag(&r) == 0 && !r.help;
    if (good)
        *io_at = r.at;
    return good;
}

int flags_parse(struct cli *c, const struct verb *v, int argc, char **argv, void **out_options,
                struct words *out, struct err *e)
{
    struct reading r = { .cli = c, .verb = v, .argc = argc, .argv = argv, .e = e };
    const char **items = arena_array(&c->arena, (size_t)argc + 1, sizeof *items);
    struct words w = { .items = items, .dash = -1, .verb = v };
    r.options = arena_alloc(&c->arena, v->options_bytes);
    int rc = set_defaults(c, v->flags, r.options, e);
    for (; rc == 0 && r.at < argc; r.at++) {
        const char *arg = argv[r.at];
        bool flag = !v->raw && w.dash < 0 && arg[0] == '-' && arg[1] != '\0';
        if (flag && strcmp(arg, "--") == 0)
            w.dash = (ptrdiff_t)w.count;
        else if (flag)
            rc = read_flag(&r);
        else
            items[w.count++] = arg;
    }
    if (rc != 0 || r.help)
        return rc != 0 ? rc : -ERR_CANCELED;
    w.given = r.given;
    *out = w;
    *out_options = r.options;
    return 0;
}

bool flags_given(const struct words *w, const char *name)
{
    const struct flags_row r = find_in(w->verb->flags, str_from(name));
    return r.flag != NULL && (w->given >> r.index & 1) != 0;
}

int flags_act(struct cli *c, const struct verb *v, int argc, char **argv)
{
    struct words w;
    struct err e;
    void *options;
    int rc = flags_parse(c, v, argc, argv, &options, &w, &e);
    if (rc == -ERR_CANCELED) {
        flags_help(stdout, v);
        return CLI_OK;
    }
    if (rc != 0)
        return cli_error("%s\nSee 'gantry %s --help' for usage.", e.msg, v->name);
    return v->act(c, options, &w);
}

/* ---- help ---- */

static void print_default(FILE *to, const struct flag *f)
{
    bool texts = f->type == FLAG_TEXTS || f->type == FLAG_LIST;
    if (texts)
        fprintf(to, "[%s]", f->value != NULL ? f->value : "");
    else if (f->type == FLAG_TEXT)
        fprintf(to, "'%s'", f->value != NULL ? f->value : "");
    else if (f->value != NULL)
        fputs(f->value, to);
    else
        fputs(f->type == FLAG_BOOL ? "false" : f->type == FLAG_INT ? "0" : "0s", to);
}

void flags_print(FILE *to, const struct flag *table)
{
    for (struct flags_row r = flags_first(table); r.flag != NULL; flags_next(&r)) {
        const struct flag *f = r.flag;
        if (f->letter != 0)
            fprintf(to, "    -%c, --%s=", f->letter, f->name);
        else
            fprintf(to, "    --%s=", f->name);
        print_default(to, f);
        fprintf(to, ":\n\t%s\n\n", f->help);
    }
}

void flags_help(FILE *to, const struct verb *v)
{
    fprintf(to, "%s\n\n", v->about != NULL ? v->about : v->summary);
    if (v->examples != NULL)
        fprintf(to, "Examples:\n%s\n\n", v->examples);
    if (flags_first(v->flags).flag != NULL) {
        fputs("Options:\n", to);
        flags_print(to, v->flags);
    }
    fprintf(to,
            "Usage:\n  gantry %s\n\nUse \"gantry options\" for the flags that every verb has.\n",
            v->help);
}
