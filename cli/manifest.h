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

/* Of a verb's options: rows of its flags with MANIFEST_FLAGS. */
struct manifest_flags {
    struct flag_texts files;
    bool recursive;
    const char *kustomize;
};

/* The rows of struct manifest_flags in a table of flags; base: offsetof the verb's options. */
#define MANIFEST_FLAGS(base, what)                                                                 \
    { "filename",                                                                                  \
      'f',                                                                                         \
      FLAG_LIST,                                                                                   \
      (base) + offsetof(struct manifest_flags, files),                                             \
      NULL,                                                                                        \
      NULL,                                                                                        \
      "The files or directories that contain the " what "; - is standard input.",                  \
      VALUES_FILES,                                                                                \
      NULL },                                                                                      \
        { "recursive",                                                                             \
          'R',                                                                                     \
          FLAG_BOOL,                                                                               \
          (base) + offsetof(struct manifest_flags, recursive),                                     \
          NULL,                                                                                    \
          NULL,                                                                                    \
          "Process the directory used in -f, --filename recursively.",                             \
          VALUES_NONE,                                                                             \
          NULL },                                                                                  \
    {                                                                                              \
        "kustomize", 'k', FLAG_TEXT, (base) + offsetof(struct manifest_flags, kustomize), NULL,    \
            NULL, "Not done by gantry: build the directory first, then use -f -.", VALUES_FILES,   \
            NULL                                                                                   \
    }

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
/* All of a file descriptor, at most MANIFEST_BYTES_MAX. */
int manifest_read_fd(struct arena *a, int fd, struct str *out, struct err *e);

#endif
