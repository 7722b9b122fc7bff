/* Is every C file as clang-format would write it? */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "tests/tidy/tidy.h"

/* Files a call; a shell's argument has room for many more. */
#define FORMAT_BATCH 200

static void read_diagnostics(FILE *out, struct arena *a, struct findings *f)
{
    char line[4096];
    while (fgets(line, sizeof(line), out) != NULL) {
        struct str rest = str_from(line);
        struct str path;
        struct str number;
        uint64_t at = 0;
        if (str_find(rest, str_lit("clang-formatted")) < 0 || !str_split(&rest, ':', &path) ||
            !str_split(&rest, ':', &number) || str_to_u64(number, &at) != 0)
            continue;
        report(f, "format", str_copy(a, path), (int)at, "not as clang-format-14 writes it");
    }
}

bool rule_format(const struct tree *t, const char *root, struct findings *f)
{
    size_t i = 0;
    while (i < t->count) {
        struct buf command;
        buf_init(&command);
        buf_printf(&command, "cd '%s' && clang-format-14 --style=file --dry-run", root);
        size_t batch = 0;
        for (; i < t->count && batch < FORMAT_BATCH; i++)
            if (t->files[i].is_c && ++batch > 0)
                buf_printf(&command, " '%.*s'", STR_ARG(t->files[i].path));
        buf_printf(&command, " 2>&1");
        buf_append_byte(&command, 0);
        FILE *out = batch > 0 ? popen((const char *)command.data, "re") : NULL;
        buf_deinit(&command);
        if (out == NULL)
            continue;
        read_diagnostics(out, t->a, f);
        int status = pclose(out);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
            return false;
    }
    return true;
}
