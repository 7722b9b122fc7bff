/* What every verb does with its words: flags, usage, failure. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/escaped.h"
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

static void say(const char *before, const char *format, va_list args)
{
    struct buf b;
    char *text = NULL;
    int len = vasprintf(&text, format, args);
    buf_init(&b);
    if (len >= 0)
        escaped_write(&b, str_of(text, (size_t)len));
    (void)fprintf(stderr, "%s%.*s\n", before, STR_ARG(buf_str(&b)));
    buf_deinit(&b);
    free(text);
}

int cli_usage(const struct verb *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("gantry: ", format, args);
    va_end(args);
    fprintf(stderr, "usage: gantry %s\n", v->help);
    return CLI_USAGE;
}

int cli_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("gantry: ", format, args);
    va_end(args);
    return CLI_FAILED;
}

int cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("error: ", format, args);
    va_end(args);
    return CLI_FAILED;
}

void cli_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("warning: ", format, args);
    va_end(args);
}

int cli_tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("", format, args);
    va_end(args);
    return CLI_FAILED;
}

int cli_error_of(const struct err *e)
{
    /* Nobody answered, or a server said it: those are whole sentences already. */
    bool whole = e->code == ERR_UNAVAILABLE || strncmp(e->msg, "Error from server", 17) == 0;
    return whole ? cli_tell("%s", e->msg) : cli_error("%s", e->msg);
}
