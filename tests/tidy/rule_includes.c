/*
 * Who may include what: our folders by the dependency direction, foreign headers by owner.
 *
 * The table says the same as the package groups in bazel/BUILD; with gcc these alone do not stop a
 * transitive or private header.
 */
#include <string.h>

#include "tests/tidy/tidy.h"

#define ALLOWED_MAX 8

struct layer {
    const char *folder;
    const char *allowed[ALLOWED_MAX]; /* folders, the own one included; NULL-ended */
};

/* The first row that holds a file decides: inner folders first. */
static const struct layer layers[] = {
    { "base", { "base" } },
    { "net", { "base", "net" } },
    { "api/proto", { "base", "api/proto", "api/schema" } },
    { "api/schema", { "base", "api/proto", "api/schema" } },
    { "api/patch", { "base", "api/proto", "api/schema", "api/patch" } },
    { "api/meta", { "base", "api/proto", "api/schema", "api/meta" } },
    { "api/client", { "base", "net", "api" } },
    { "store", { "base", "net", "store" } },
    { "controllers", { "base", "api", "controllers" } },
    { "kubelet-lite", { "base", "net", "api", "kubelet-lite" } },
    /* The backup file is a format of its own, not the store. */
    { "cli", { "base", "net", "api", "cli", "store/backup.h", "store/point.h" } },
    { "controlplane/resources", { "base", "api", "store", "controlplane/resources" } },
    { "controlplane/bus", { "base", "net", "api", "store", "controlplane/bus" } },
    { "controlplane/apiserver",
      { "base", "net", "api", "store", "controlplane/apiserver", "controlplane/resources" } },
    { "controlplane", { "base", "net", "api", "store", "controllers", "controlplane" } },
    { "bazel", { "base", "api", "bazel" } },
    { "docs/examples", { "base", "api" } },
    { "tests", { "" } }
};

struct foreign {
    const char *header; /* a prefix of what stands between the angle brackets */
    const char *allowed[ALLOWED_MAX];
};

static const struct foreign foreigns[] = { { "raft.h", { "store", "tests" } },
                                           { "raft/", { "store", "tests" } },
                                           { "lmdb.h", { "store", "tests" } },
                                           { "nghttp2/", { "net", "tests" } },
                                           { "openssl/", { "net", "tests" } },
                                           { "zlib.h", { "net", "tests" } },
                                           { "yaml.h", { "api/schema", "tests" } },
                                           { "uv.h", { "base", "tests" } },
                                           { "protobuf-c/",
                                             { "api", "net", "store", "controlplane",
                                               "kubelet-lite", "cli", "tests", "bazel" } },
                                           { "pthread.h", { "base", "tests" } },
                                           { "threads.h", { "base" } },
                                           { "cmocka.h", { "tests" } } };

static bool allows(const char *const *allowed, struct str path)
{
    for (size_t i = 0; i < ALLOWED_MAX && allowed[i] != NULL; i++)
        if (path_under(path, allowed[i]))
            return true;
    return false;
}

/* "store/raft" in the foreign table stands for the files store/raft*. */
static bool foreign_allows(const struct foreign *row, struct str path)
{
    for (size_t i = 0; i < ALLOWED_MAX && row->allowed[i] != NULL; i++)
        if (path_under(path, row->allowed[i]) ||
            (strchr(row->allowed[i], '/') != NULL && str_starts(path, str_from(row->allowed[i]))))
            return true;
    return false;
}

static void check_own(const struct file *file, struct str header, int line, struct findings *f)
{
    if (str_find_char(header, '/', 0) < 0) {
        report(f, "includes", file->path, line, "\"%.*s\": include from the root", STR_ARG(header));
        return;
    }
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        if (!path_under(file->path, layers[i].folder))
            continue;
        if (!allows(layers[i].allowed, header))
            report(f, "includes", file->path, line, "%s may not include %.*s", layers[i].folder,
                   STR_ARG(header));
        return;
    }
    report(f, "includes", file->path, line, "the folder is in no layer");
}

static void check_foreign(const struct file *file, struct str header, int line, struct findings *f)
{
    for (size_t i = 0; i < sizeof(foreigns) / sizeof(foreigns[0]); i++)
        if (str_starts(header, str_from(foreigns[i].header)) &&
            !foreign_allows(&foreigns[i], file->path))
            report(f, "includes", file->path, line, "<%.*s> is not for this folder",
                   STR_ARG(header));
}

static void check_line(const struct file *file, struct str line, int number, struct findings *f)
{
    if (!str_starts(line, str_lit("#include ")) || line.len < 11)
        return;
    bool own = line.data[9] == '"';
    ptrdiff_t end = str_find_char(line, own ? '"' : '>', 10);
    if (end < 0)
        return;
    struct str header = str_slice(line, 10, (size_t)end);
    if (own)
        check_own(file, header, number, f);
    else
        check_foreign(file, header, number, f);
}

void rule_includes(const struct tree *t, struct findings *f)
{
    for (size_t i = 0; i < t->count; i++) {
        if (!t->files[i].is_c)
            continue;
        struct str rest = t->files[i].text;
        struct str line;
        int number = 0;
        while (str_split(&rest, '\n', &line))
            check_line(&t->files[i], line, ++number, f);
    }
}
