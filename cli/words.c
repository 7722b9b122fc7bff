/* What every verb does with its words: flags, usage, failure. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/verb.h"

const char *cli_flag(int argc, char **argv, int *at, const char *name)
{
    const char *arg = argv[*at];
    size_t len = strlen(name);
    if (strncmp(arg, name, len) != 0)
        return NULL;
    if (arg[len] == '=')
        return arg + len + 1;
    if (arg[len] != '\0')
        return NULL;
    if (*at + 1 >= argc) {
        fprintf(stderr, "gantry: %s needs a value\n", name);
        return NULL;
    }
    (*at)++;
    return argv[*at];
}

int cli_usage(const struct verb *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("gantry: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nusage: gantry %s\n", v->help);
    return CLI_USAGE;
}

int cli_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("gantry: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return CLI_FAILED;
}

int cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("error: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return CLI_FAILED;
}

void cli_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("warning: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int cli_error_of(const struct err *e)
{
    /* Nobody answered, or a server said it: those are whole sentences already. */
    bool whole = e->code == ERR_UNAVAILABLE || strncmp(e->msg, "Error from server", 17) == 0;
    if (!whole)
        return cli_error("%s", e->msg);
    (void)fprintf(stderr, "%s\n", e->msg);
    return CLI_FAILED;
}
