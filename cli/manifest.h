/*
 * Manifests: the objects of files, folders and stdin, named with -f.
 *
 * A text is one or more documents, in YAML (told apart by lines that begin with ---) or JSON (one
 * after the other). Lists are taken apart. Reading goes on after a source that is bad: what was
 * understood is there, and so is what went wrong, in the order in which it came up.
 */
#ifndef CLI_MANIFEST_H
#define CLI_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "cli/flags.h"
#include "cli/verb.h"

struct json;

/* Files of one command, folders walked. */
#define MANIFEST_FILES_MAX 10000
/* Levels of folders, and of lists in lists. */
#define MANIFEST_DEPTH_MAX 16
/* Bytes of one file or of stdin. */
#define MANIFEST_BYTES_MAX (32u << 20)
/* Objects of one command. */
#define MANIFEST_OBJECTS_MAX 100000

/* Of a verb's options: its flags have manifest_rows. */
struct manifest_flags {
    struct flag_texts files;
    bool recursive;
    const char *kustomize;
};

/* The rows of struct manifest_flags. */
extern const struct flag manifest_rows[];

struct manifest {
    const struct json *object; /* with apiVersion and kind, unless unchecked */
    struct str source;         /* "web.yaml", "STDIN" */
};

struct manifests {
    struct arena *arena;
    struct manifest *items;
    size_t count;
    size_t capacity;
    const char **errors; /* as kubectl says them, without "error: " */
    size_t errors_count;
    size_t errors_capacity;
    bool unchecked; /* --validate=false: what misses its kind is told otherwise */
};

bool manifest_named(const struct manifest_flags *f);

/* Reads everything named. What is wrong lands in out->errors. */
void manifests_read(struct cli *c, const struct manifest_flags *f, struct manifests *out);
/* The objects of one text. */
void manifests_parse(struct manifests *out, struct str text, struct str source);
/* Keeps those whose labels match; NULL: all. */
int manifests_select(struct manifests *m, const char *text, struct err *e);
/* All of a file descriptor, at most MANIFEST_BYTES_MAX. */
int manifest_read_fd(struct arena *a, int fd, struct str *out, struct err *e);

#endif
