/*
 * Runs the self-proof, then every rule over the real tree.
 *
 *   tidy                 as a test: finds the tree behind the runfiles' .clang-format
 *   tidy ROOT            the same for a given tree
 *   tidy ROOT allow      prints the lines that would permit what is found now
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tidy/tidy.h"

/* Fewer C files than this: the tree was not found, and nothing was checked. */
#define FILES_SEEN_MIN 60

static bool find_root(const char *given, char out[PATH_MAX])
{
    if (realpath(given != NULL ? given : ".clang-format", out) == NULL)
        return false;
    char *slash = strrchr(out, '/');
    if (given == NULL && slash != NULL)
        *slash = '\0';
    return true;
}

static struct str list_of(const struct tree *t, const char *path)
{
    const struct file *f = tree_find(t, str_from(path));
    return f != NULL ? f->text : str_lit("");
}

/* untested.txt holds paths only: one rule. */
static struct str untested_lines(const struct tree *t)
{
    struct str rest = list_of(t, "tests/tidy/untested.txt");
    struct str out = str_lit("");
    struct str line;
    while (str_split(&rest, '\n', &line)) {
        bool skip = line.len == 0 || line.data[0] == '#';
        out =
            str_printf(t->a, "%.*s%s%.*s\n", STR_ARG(out), skip ? "" : "untested ", STR_ARG(line));
    }
    return out;
}

static void print_allow(const struct findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *x = &f->items[i];
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(f->items[k].rule, x->rule) == 0 && str_eq(f->items[k].path, x->path);
        if (!seen)
            printf("%s %.*s\n", x->rule, STR_ARG(x->path));
    }
}

static int check_tree(struct tree *t, const char *root, bool allow_only)
{
    struct findings f = { .a = t->a };
    size_t seen = 0;
    for (size_t i = 0; i < t->count; i++)
        seen += t->files[i].is_c;
    rule_text(t, &f);
    rule_calls(t, &f);
    rule_includes(t, &f);
    rule_tree(t, &f);
    if (!rule_format(t, root, &f))
        printf("tidy: clang-format-14 is not installed: formatting was not checked\n");
    if (allow_only) {
        print_allow(&f);
        return 0;
    }
    findings_allow(&f, str_lit("tests/tidy/allow.txt"), list_of(t, "tests/tidy/allow.txt"));
    findings_allow(&f, str_lit("tests/tidy/untested.txt"), untested_lines(t));
    for (size_t i = 0; i < f.count; i++)
        printf("%.*s:%d: %s: %.*s\n", STR_ARG(f.items[i].path), f.items[i].line, f.items[i].rule,
               STR_ARG(f.items[i].text));
    printf("tidy files=%zu findings=%zu\n", seen, f.count);
    if (seen < FILES_SEEN_MIN)
        printf("tidy: only %zu files: the tree was not found\n", seen);
    return f.count > 0 || seen < FILES_SEEN_MIN;
}

int main(int argc, char **argv)
{
    char root[PATH_MAX];
    if (self_proof() != 0)
        return 1;
    if (!find_root(argc > 1 ? argv[1] : NULL, root)) {
        printf("tidy: no tree found\n");
        return 1;
    }
    struct arena a;
    arena_init(&a);
    struct tree t = { .a = &a };
    const char *problem = tree_load(&t, root);
    if (problem != NULL)
        printf("tidy: %s\n", problem);
    int bad = problem != NULL || check_tree(&t, root, argc > 2 && strcmp(argv[2], "allow") == 0);
    arena_deinit(&a);
    return bad;
}
