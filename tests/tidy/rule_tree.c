/* Rules over the tree's shape: README of each folder, no dead file, one unit test per source. */
#include "tests/tidy/tidy.h"

#define README_LINES_MAX 40

/* Examples are tried from outside, as their readers would. */
static bool is_library(struct str path)
{
    return !path_under(path, "tests") && !path_under(path, "bazel") && !path_under(path, "docs");
}

static void check_readme(const struct tree *t, const struct file *file, struct findings *f)
{
    struct str folder = path_folder(file->path);
    struct str rest;
    const struct file *readme = tree_find(t, str_printf(t->a, "%.*s/README.md", STR_ARG(folder)));
    if (readme == NULL)
        report(f, "readme", file->path, 0, "its folder has no README.md");
    else if (!find_word(readme->text, path_stem(file->path), &rest))
        report(f, "readme", file->path, 0, "its folder's README.md does not mention it");
}

static void check_readme_length(const struct file *file, struct findings *f)
{
    struct str rest = file->text;
    struct str line;
    int lines = -1; /* what follows the last newline is no line */
    while (str_split(&rest, '\n', &line))
        lines++;
    if (lines > README_LINES_MAX)
        report(f, "readme", file->path, 0, "%d lines, at most %d", lines, README_LINES_MAX);
}

/* Is the file in the BUILD of the nearest folder that has one? Tests may be listed by stem there:
 * srcs = [name + "_test.c"] over a list of names. */
static void check_build(const struct tree *t, const struct file *file, struct findings *f)
{
    struct str folder = path_folder(file->path);
    const struct file *build = NULL;
    while (build == NULL && folder.len > 0) {
        build = tree_find(t, str_printf(t->a, "%.*s/BUILD", STR_ARG(folder)));
        if (build == NULL)
            folder = path_folder(folder);
    }
    if (build == NULL) {
        report(f, "build", file->path, 0, "no folder above it has a BUILD");
        return;
    }
    struct str name = str_slice(file->path, folder.len + 1, file->path.len);
    if (str_find(build->text, str_printf(t->a, "\"%.*s\"", STR_ARG(name))) >= 0)
        return;
    static const char *const endings[] = { "_test.c", "_fuzz.c", ".c" };
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        struct str ending = str_from(endings[i]);
        if (!str_ends(name, ending))
            continue;
        struct str stem = str_slice(name, 0, name.len - ending.len);
        if (str_find(build->text, ending) >= 0 &&
            str_find(build->text, str_printf(t->a, "\"%.*s\"", STR_ARG(stem))) >= 0)
            return;
    }
    report(f, "build", file->path, 0, "a dead file: BUILD does not list it");
}

static void check_tested(const struct tree *t, const struct file *file, struct findings *f)
{
    if (!str_ends(file->path, str_lit(".c")) || str_eq_c(path_name(file->path), "main.c"))
        return;
    struct str stem = str_slice(file->path, 0, file->path.len - 2);
    struct str test = str_printf(t->a, "tests/unit/%.*s_test.c", STR_ARG(stem));
    if (tree_find(t, test) == NULL)
        report(f, "untested", file->path, 0, "there is no %.*s", STR_ARG(test));
}

void rule_tree(const struct tree *t, struct findings *f)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct file *file = &t->files[i];
        if (file->is_c)
            check_build(t, file, f);
        if (file->is_c && is_library(file->path)) {
            check_readme(t, file, f);
            check_tested(t, file, f);
        }
        /* The root's README is the product's page, not a folder's table. */
        if (str_eq_c(path_name(file->path), "README.md") && path_folder(file->path).len > 0 &&
            is_library(file->path))
            check_readme_length(file, f);
    }
}
