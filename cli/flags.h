/*
 * Flags by table, read as kubectl reads its own: --name VALUE, --name=VALUE, -n VALUE, -nVALUE,
 * -Aw; anywhere among the words; after "--" everything is a word.
 *
 * A table's rows say where in the verb's options struct a value goes. What several verbs have is
 * one table, which stands in theirs as a row. The global flags (cli_flags) go into struct cli and
 * are understood with every verb.
 */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/verb.h"

/* Of one table: their marks fit a word. */
#define FLAGS_MAX 64
/* Values of one flag that may be repeated. */
#define FLAGS_VALUES_MAX 64

enum flag_type {
    FLAG_TEXT,     /* const char *; NULL unless there is a default */
    FLAG_BOOL,     /* bool */
    FLAG_INT,      /* int64_t */
    FLAG_DURATION, /* int64_t nanoseconds; "1m30s" */
    FLAG_TEXTS,    /* struct flag_texts, one value each time it is given */
    FLAG_LIST      /* struct flag_texts, several values with commas between */
};

/* What completion offers for a flag's value. */
enum flag_values { VALUES_NONE, VALUES_NAMESPACES, VALUES_FILES, VALUES_CHOICE, VALUES_CONTEXTS };

struct flag_texts {
    const char *items[FLAGS_VALUES_MAX];
    size_t count;
};

struct flag {
    const char *name;
    char letter; /* 0: none */
    enum flag_type type;
    size_t at;         /* offsetof the options struct */
    const char *value; /* the default as it would be written; NULL: "", false, 0, none */
    const char *bare;  /* the value when given as --name alone; NULL: it needs one */
    const char *help;
    enum flag_values values;
    const char *choice; /* of VALUES_CHOICE: "json yaml wide" */
    /* Without a name: these rows (none of which has rows), their `at` added to this one's. */
    const struct flag *rows;
};

/* A walk over a table's rows, and the rows of the tables in it. */
struct flags_row {
    const struct flag *flag; /* NULL: behind the last */
    size_t at;               /* in the options struct */
    size_t index;
    const struct flag *outer;
};

struct flags_row flags_first(const struct flag *table); /* NULL: none */
void flags_next(struct flags_row *r);

/* What remains when the flags are taken out. */
struct words {
    const char *const *items;
    size_t count;
    ptrdiff_t dash;          /* how many of them stood before "--"; -1: there was none */
    uint64_t given;          /* bit i: the flag of that index was given */
    const struct verb *verb; /* whose they are */
};

/* The global flags; `at` is in struct cli. */
extern const struct flag cli_flags[];

/* *out_options is zeroed memory in c->arena with defaults and values in it. -ERR_CANCELED: help was
 * asked for. Else e is what pflag would say. v NULL: global flags only, and the first word ends it
 * (*io_at is where). */
int flags_parse(struct cli *c, const struct verb *v, int argc, char **argv, void **out_options,
                struct words *out, struct err *e);
int flags_parse_global(struct cli *c, int argc, char **argv, int *io_at, struct err *e);
/* argv[*io_at] is a global flag with its value: taken, *io_at at its last word. */
bool flags_parse_one(struct cli *c, int argc, char **argv, int *io_at);
bool flags_given(const struct words *w, const char *name);
/* Parses words and acts, or tells what is wrong with them: for tests, and main. */
int flags_act(struct cli *c, const struct verb *v, int argc, char **argv);

/* The rows of both tables by name or by letter; NULL: none. */
const struct flag *flags_find(const struct verb *v, struct str name);
const struct flag *flags_find_letter(const struct verb *v, char letter);

/* Go's time.ParseDuration, in nanoseconds. */
int flags_duration(struct str text, int64_t *out, struct err *e);

/* --help of an everyday verb. */
void flags_help(FILE *to, const struct verb *v);
void flags_print(FILE *to, const struct flag *table);

#endif
