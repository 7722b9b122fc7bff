/*
 * Style as a test: rules over the source tree.
 *
 * A struct tree holds every file of interest in memory; a rule is a function that looks at it and
 * reports findings (rule, path, line, text). Rules never touch the disk, so that the self-proof can
 * give them planted trees; only the formatter's rule runs a program.
 */
#ifndef TESTS_TIDY_TIDY_H
#define TESTS_TIDY_TIDY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

struct file {
    struct str path; /* from the tree's root */
    struct str text;
    struct str code; /* C only: text with comments, strings and directives blanked, same length */
    bool is_c;       /* .c or .h */
};

struct tree {
    struct arena *a;
    struct file *files; /* sorted by path */
    size_t count;
    size_t capacity;
};

struct finding {
    const char *rule;
    struct str path;
    int line; /* from 1; 0: the whole file */
    struct str text;
};

struct findings {
    struct arena *a;
    struct finding *items;
    size_t count;
    size_t capacity;
};

/* A deeper or larger tree than this is not ours. */
#define TIDY_DEPTH_MAX      12
#define TIDY_FILE_BYTES_MAX (4u << 20)

/* tree.c */
void tree_add(struct tree *t, struct str path, struct str text);
const struct file *tree_find(const struct tree *t, struct str path);
struct str path_folder(struct str path); /* "" for a file in the root */
struct str path_name(struct str path);
struct str path_stem(struct str path); /* the name without its last extension */
/* Is path in folder (or below it)? folder "" contains everything. */
bool path_under(struct str path, const char *folder);
/* Reads the tree below root; an error message or NULL. */
const char *tree_load(struct tree *t, const char *root);

/* source.c */
struct str source_code(struct arena *a, struct str text);
bool is_word_byte(char c);

/* report.c */
void report(struct findings *f, const char *rule, struct str path, int line, const char *format,
            ...) __attribute__((format(printf, 5, 6)));
/* Drops what an allow-list ("rule path" lines, # comments) permits; an unneeded line becomes a
 * finding itself. */
void findings_allow(struct findings *f, struct str allow_path, struct str allow_list);
bool findings_has(const struct findings *f, const char *rule);

/* rule_text.c */
/* Finds word where no letter, digit or _ touches it; *out_rest is what follows. */
bool find_word(struct str text, struct str word, struct str *out_rest);
void rule_text(const struct tree *t, struct findings *f);
/* rule_calls.c */
void rule_calls(const struct tree *t, struct findings *f);
/* rule_includes.c */
void rule_includes(const struct tree *t, struct findings *f);
/* rule_tree.c */
void rule_tree(const struct tree *t, struct findings *f);
/* rule_format.c: false when the formatter is not installed. */
bool rule_format(const struct tree *t, const char *root, struct findings *f);

/* self_proof.c: plants a bad file for every rule; the number of rules that did not notice. */
int self_proof(void);

#endif
