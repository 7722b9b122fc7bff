/* A check that checks nothing is worse than none: each rule must notice a file planted for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tidy/tidy.h"

#define GOOD_HEADER "/* Doc. */\n#ifndef BASE_X_H\n#define BASE_X_H\n\n#endif\n"

struct plant {
    const char *rule; /* NULL: nothing may be found */
    const char *path;
    const char *text;
    const char *build;  /* BUILD of its folder */
    const char *readme; /* README.md of its folder */
};

static const struct plant plants[] = {
    { NULL, "base/x.h", GOOD_HEADER, "\"x.h\"", "`x`" },
    { NULL, "base/x.h",
      "/* sprintf( and TO"
      "DO #12 in a comment are fine */\n#ifndef BASE_X_H\n#define BASE_X_H\n",
      "\"x.h\"", "x.h" },
    { "guard", "base/x.h", "/* Doc. */\n#ifndef X_H\n#define X_H\n#endif\n", "\"x.h\"", "x" },
    { "header-comment", "base/x.h", "#ifndef BASE_X_H\n#define BASE_X_H\n#endif\n", "\"x.h\"",
      "x" },
    { "comment-style", "base/x.h", GOOD_HEADER "int a; // note\n", "\"x.h\"", "x" },
    { "words", "base/x.h",
      GOOD_HEADER "/* TO"
                  "DO: later */\n",
      "\"x.h\"", "x" },
    { "build", "base/x.h", GOOD_HEADER, "\"y.h\"", "x" },
    { "readme", "base/x.h", GOOD_HEADER, "\"x.h\"", "xx and x_y only" },
    { "untested", "base/x.c", "/* Doc. */\n", "\"x.c\"", "x" },
    { "calls", "base/x.h", GOOD_HEADER "int a = sprintf(b, c);\n", "\"x.h\"", "x" },
    { "calls", "store/x.c", "/* Doc. */\nint a = clock_gettime(b, c);\n", "\"x.c\"", "x" },
    { "calls", "net/x.c", "/* Doc. */\nint a = pthread_mutex_lock(b);\n", "\"x.c\"", "x" },
    { "calls", "api/meta/x.c", "/* Doc. */\nint a = printf(b);\n", "\"x.c\"", "x" },
    { "calls", "net/x.c", "/* Doc. */\nint a = time(0);\n", "\"x.c\"", "x" },
    { "includes", "base/x.c", "/* Doc. */\n#include \"net/tls.h\"\n", "\"x.c\"", "x" },
    { "includes", "store/x.c", "/* Doc. */\n#include \"api/meta/key.h\"\n", "\"x.c\"", "x" },
    { "includes", "controllers/x.c", "/* Doc. */\n#include \"store/store.h\"\n", "\"x.c\"", "x" },
    { "includes", "kubelet-lite/x.c", "/* Doc. */\n#include \"controlplane/run.h\"\n", "\"x.c\"",
      "x" },
    { "includes", "net/x.c", "/* Doc. */\n#include <raft.h>\n", "\"x.c\"", "x" },
    { "includes", "store/x.c", "/* Doc. */\n#include <uv.h>\n", "\"x.c\"", "x" },
    { "includes", "base/x.c", "/* Doc. */\n#include <openssl/ssl.h>\n", "\"x.c\"", "x" },
    { "includes", "base/x.c", "/* Doc. */\n#include \"x.h\"\n", "\"x.c\"", "x" }
};

static void run_rules(const struct tree *t, struct findings *f)
{
    rule_text(t, f);
    rule_calls(t, f);
    rule_includes(t, f);
    rule_tree(t, f);
}

static int expect(const struct findings *f, const char *rule, const char *what)
{
    bool ok = rule == NULL ? f->count == 0 : findings_has(f, rule);
    if (!ok)
        printf("self-proof: %s: %s\n", what,
               rule != NULL ? rule : "found something in a good file");
    return ok ? 0 : 1;
}

static int check_plant(const struct plant *p)
{
    struct arena a;
    arena_init(&a);
    struct tree t = { .a = &a };
    struct findings f = { .a = &a };
    struct str folder = path_folder(str_from(p->path));
    tree_add(&t, str_from(p->path), str_from(p->text));
    tree_add(&t, str_printf(&a, "%.*s/BUILD", STR_ARG(folder)), str_from(p->build));
    tree_add(&t, str_printf(&a, "%.*s/README.md", STR_ARG(folder)), str_from(p->readme));
    run_rules(&t, &f);
    int bad = expect(&f, p->rule, p->path);
    arena_deinit(&a);
    return bad;
}

/* count copies of line between a head and a tail. */
static struct str repeated(struct arena *a, const char *head, const char *line, int count,
                           const char *tail)
{
    size_t line_len = strlen(line);
    size_t head_len = strlen(head);
    size_t tail_len = strlen(tail);
    char *text = arena_alloc(a, head_len + line_len * (size_t)count + tail_len + 1);
    memcpy(text, head, head_len);
    for (int i = 0; i < count; i++)
        memcpy(text + head_len + line_len * (size_t)i, line, line_len);
    memcpy(text + head_len + line_len * (size_t)count, tail, tail_len);
    return str_from(text);
}

/* The caps, at the limit and one beyond it. */
static int check_caps(void)
{
    static const struct {
        const char *rule, *path, *head, *line, *tail;
        int at_limit;
    } rows[] = { { "columns", "tests/x.c", "/* ", "x", " */\n", 100 - 6 },
                 { "function-lines", "tests/x.c", "/* Doc. */\nint f(void)\n{\n", "    g();\n",
                   "}\n", 68 },
                 { "file-lines", "tests/x.c", "/* Doc. */\n", "int a;\n", "", 599 },
                 { "readme", "net/README.md", "", "line\n", "", 40 } };
    int bad = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int beyond = 0; beyond < 2; beyond++) {
            struct arena a;
            arena_init(&a);
            struct tree t = { .a = &a };
            struct findings f = { .a = &a };
            tree_add(
                &t, str_from(rows[i].path),
                repeated(&a, rows[i].head, rows[i].line, rows[i].at_limit + beyond, rows[i].tail));
            tree_add(&t, str_lit("tests/BUILD"), str_lit("\"x.c\""));
            run_rules(&t, &f);
            bad += expect(&f, beyond != 0 ? rows[i].rule : NULL, "caps");
            arena_deinit(&a);
        }
    }
    return bad;
}

static int check_allow_list(void)
{
    struct arena a;
    arena_init(&a);
    struct findings f = { .a = &a };
    report(&f, "calls", str_lit("net/x.c"), 1, "one");
    report(&f, "calls", str_lit("net/x.c"), 2, "two");
    findings_allow(&f, str_lit("allow.txt"), str_lit("# why\ncalls net/x.c\n"));
    int bad = expect(&f, NULL, "allow-list");
    findings_allow(&f, str_lit("allow.txt"), str_lit("calls net/x.c\n"));
    bad += expect(&f, "allow", "unneeded line");
    arena_deinit(&a);
    return bad;
}

static int check_format(void)
{
    struct arena a;
    arena_init(&a);
    char folder[] = "/tmp/tidy-XXXXXX";
    if (mkdtemp(folder) == NULL)
        return 1;
    const char *path = str_printf(&a, "%s/x.c", folder).data;
    const char *style = str_printf(&a, "%s/.clang-format", folder).data;
    FILE *file = fopen(path, "we");
    FILE *style_file = fopen(style, "we");
    fputs("int   x ;\n", file);
    fputs("BasedOnStyle: LLVM\n", style_file);
    (void)fclose(file);       /* a lost write shows as a failed proof */
    (void)fclose(style_file); /* as above */
    struct tree t = { .a = &a };
    struct findings f = { .a = &a };
    tree_add(&t, str_lit("x.c"), str_lit("int   x ;\n"));
    int bad = rule_format(&t, folder, &f) ? expect(&f, "format", "planted file") : 0;
    (void)unlink(path);
    (void)unlink(style);
    (void)rmdir(folder);
    arena_deinit(&a);
    return bad;
}

int self_proof(void)
{
    int bad = 0;
    for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++)
        bad += check_plant(&plants[i]);
    return bad + check_caps() + check_allow_list() + check_format();
}
