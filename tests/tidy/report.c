/* Findings, and the lists that permit some of them for now. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/tidy/tidy.h"

void report(struct findings *f, const char *rule, struct str path, int line, const char *format,
            ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* long texts are cut */
    va_end(args);
    f->items = arena_grow(f->a, f->items, f->count, &f->capacity, sizeof(*f->items));
    f->items[f->count++] = (struct finding){ rule, path, line, str_copy(f->a, str_from(text)) };
}

/* Removes every finding of rule in path; were there any? */
static bool drop(struct findings *f, struct str rule, struct str path)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        bool match = str_eq_c(rule, f->items[i].rule) && str_eq(path, f->items[i].path);
        if (!match)
            f->items[kept++] = f->items[i];
    }
    bool dropped = kept < f->count;
    f->count = kept;
    return dropped;
}

void findings_allow(struct findings *f, struct str allow_path, struct str allow_list)
{
    struct str line;
    int number = 0;
    while (str_split(&allow_list, '\n', &line)) {
        number++;
        line = str_trim(line);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        struct str rest = line;
        struct str rule;
        (void)str_split(&rest, ' ', &rule); /* a line is not empty here */
        if (!drop(f, rule, str_trim(rest)))
            report(f, "allow", allow_path, number, "not needed any more: %.*s", STR_ARG(line));
    }
}

bool findings_has(const struct findings *f, const char *rule)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->items[i].rule, rule) == 0)
            return true;
    return false;
}
