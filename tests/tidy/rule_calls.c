/* Calls that are banned everywhere, and calls that only the seam may make. */
#include "tests/tidy/tidy.h"

struct ban {
    const char *name; /* ending in *: a prefix */
    const char *why;
};

static const struct ban everywhere[] = {
    { "strcpy", "unbounded" },     { "strcat", "unbounded" },       { "sprintf", "unbounded" },
    { "vsprintf", "unbounded" },   { "gets", "unbounded" },         { "strtok", "hidden state" },
    { "gmtime", "hidden state" },  { "localtime", "hidden state" }, { "rand", "use env_random" },
    { "srand", "use env_random" }, { "alloca", "unbounded" }
};

/* Outside base, tests, build tools and a program's main.c. */
static const struct ban seam_only[] = { { "atoi", "use str_to_i64" },
                                        { "strtol", "use str_to_i64" },
                                        { "time", "use env_wall_ns" },
                                        { "clock_gettime", "use env_now_ns" },
                                        { "gettimeofday", "use env_wall_ns" },
                                        { "nanosleep", "use a timer" },
                                        { "usleep", "use a timer" },
                                        { "sleep", "use a timer" },
                                        { "fopen", "use env_file_*" },
                                        { "open", "use env_file_open" },
                                        { "openat", "use env_file_open" },
                                        { "opendir", "use env_dir_list" },
                                        { "mkdir", "use env_dir_make" },
                                        { "socket", "use env_listen or env_connect" },
                                        { "getenv", "use env_variable" },
                                        { "setenv", "the environment is read only" },
                                        { "getrandom", "use env_random" },
                                        { "fork", "use env_process_start" },
                                        { "popen", "use env_process_start" },
                                        { "system", "use env_process_start" },
                                        { "flock", "use env_file_lock" },
                                        { "pthread_*", "threads are loops" },
                                        { "mtx_*", "threads are loops" },
                                        { "thrd_*", "threads are loops" },
                                        { "abort", "use ASSERT" },
                                        { "exit", "return to main" },
                                        { "_exit", "return to main" } };

/* In libraries: the command line's own folder may talk. */
static const struct ban library[] = { { "printf", "libraries return text" },
                                      { "vprintf", "libraries return text" },
                                      { "puts", "libraries return text" },
                                      { "putchar", "libraries return text" } };

static bool name_matches(struct str word, const char *name)
{
    struct str n = str_from(name);
    if (n.data[n.len - 1] == '*')
        return str_starts(word, str_slice(n, 0, n.len - 1));
    return str_eq(word, n);
}

static void check_word(const struct file *file, struct str word, int line, const struct ban *bans,
                       size_t count, struct findings *f)
{
    for (size_t i = 0; i < count; i++)
        if (name_matches(word, bans[i].name))
            report(f, "calls", file->path, line, "%.*s: %s", STR_ARG(word), bans[i].why);
}

static void check_call(const struct file *file, struct str word, int line, struct findings *f)
{
    struct str path = file->path;
    bool tool = path_under(path, "tests") || path_under(path, "bazel");
    bool program = tool || str_eq_c(path_name(path), "main.c");
    check_word(file, word, line, everywhere, sizeof(everywhere) / sizeof(everywhere[0]), f);
    if (!program && !path_under(path, "base"))
        check_word(file, word, line, seam_only, sizeof(seam_only) / sizeof(seam_only[0]), f);
    if (!program && !path_under(path, "cli"))
        check_word(file, word, line, library, sizeof(library) / sizeof(library[0]), f);
}

/* A call is a word before an opening parenthesis that no . or > precedes: not a member. */
static void check_file(const struct file *file, struct findings *f)
{
    struct str s = file->code;
    int line = 1;
    size_t i = 0;
    while (i < s.len) {
        if (s.data[i] == '\n')
            line++;
        if (!is_word_byte(s.data[i])) {
            i++;
            continue;
        }
        size_t start = i;
        while (i < s.len && is_word_byte(s.data[i]))
            i++;
        char before = start > 0 ? s.data[start - 1] : ' ';
        if (i < s.len && s.data[i] == '(' && before != '.' && before != '>' && before != '*')
            check_call(file, str_slice(s, start, i), line, f);
    }
}

void rule_calls(const struct tree *t, struct findings *f)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->files[i].is_c)
            check_file(&t->files[i], f);
}
