/* The tree in memory, and how it is read. */
#include <stdlib.h>

#include "base/env.h"
#include "base/env_uv.h"
#include "tests/tidy/tidy.h"

void tree_add(struct tree *t, struct str path, struct str text)
{
    t->files = arena_grow(t->a, t->files, t->count, &t->capacity, sizeof(*t->files));
    struct file *f = &t->files[t->count++];
    *f = (struct file){ .path = path, .text = text };
    f->is_c = str_ends(path, str_lit(".c")) || str_ends(path, str_lit(".h"));
    if (f->is_c)
        f->code = source_code(t->a, text);
}

const struct file *tree_find(const struct tree *t, struct str path)
{
    for (size_t i = 0; i < t->count; i++)
        if (str_eq(t->files[i].path, path))
            return &t->files[i];
    return NULL;
}

static size_t name_start(struct str path)
{
    size_t at = path.len;
    while (at > 0 && path.data[at - 1] != '/')
        at--;
    return at;
}

struct str path_folder(struct str path)
{
    size_t at = name_start(path);
    return str_slice(path, 0, at > 0 ? at - 1 : 0);
}

struct str path_name(struct str path)
{
    return str_slice(path, name_start(path), path.len);
}

struct str path_stem(struct str path)
{
    struct str name = path_name(path);
    size_t at = name.len;
    while (at > 0 && name.data[at - 1] != '.')
        at--;
    return at > 0 ? str_slice(name, 0, at - 1) : name;
}

bool path_under(struct str path, const char *folder)
{
    struct str prefix = str_from(folder);
    if (!str_starts(path, prefix))
        return false;
    return prefix.len == 0 || path.len == prefix.len || path.data[prefix.len] == '/';
}

static bool is_wanted(struct str name)
{
    static const char *const endings[] = { ".c", ".h", ".bzl", ".proto", ".md" };
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (str_ends(name, str_from(endings[i])))
            return true;
    return str_eq_c(name, "BUILD") || str_eq_c(name, ".clang-format") ||
           str_eq_c(name, "allow.txt") || str_eq_c(name, "untested.txt");
}

static bool is_skipped_folder(struct str path)
{
    return str_starts(path, str_lit("bazel-")) || str_starts(path_name(path), str_lit("."));
}

struct loader {
    struct env *env;
    struct tree *tree;
    const char *root;
    struct err e;
};

static int load_folder(struct loader *l, struct str folder, int depth)
{
    struct arena *a = l->tree->a;
    struct str *names;
    size_t count;
    if (depth > TIDY_DEPTH_MAX)
        return err_set(&l->e, ERR_LIMIT, "%.*s: too deep", STR_ARG(folder));
    const char *full = str_printf(a, "%s/%.*s", l->root, STR_ARG(folder)).data;
    int rc = env_dir_list(l->env, a, full, &names, &count, &l->e);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct str path = folder.len == 0
                              ? names[i]
                              : str_printf(a, "%.*s/%.*s", STR_ARG(folder), STR_ARG(names[i]));
        struct env_stat st;
        full = str_printf(a, "%s/%.*s", l->root, STR_ARG(path)).data;
        rc = env_path_lstat(l->env, full, &st, &l->e);
        if (rc == 0 && st.is_dir && !is_skipped_folder(path)) {
            rc = load_folder(l, path, depth + 1);
        } else if (rc == 0 && st.is_file && is_wanted(names[i])) {
            struct str text;
            rc = env_file_read(l->env, a, full, TIDY_FILE_BYTES_MAX, &text, &l->e);
            if (rc == 0)
                tree_add(l->tree, path, text);
        }
    }
    return rc;
}

const char *tree_load(struct tree *t, const char *root)
{
    struct loader l = { .env = env_uv_new(), .tree = t, .root = root };
    int rc = load_folder(&l, str_lit(""), 0);
    env_uv_free(l.env);
    return rc == 0 ? NULL : str_dup(t->a, str_from(l.e.msg));
}
