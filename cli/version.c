/* gantry version: of this program. */
#include "base/version.h"

#include <stdio.h>

#include "cli/verb.h"

static int version_run(struct cli *c, int argc, char **argv)
{
    (void)c;
    (void)argv;
    if (argc > 0)
        return cli_usage(&version_verb, "version takes no arguments");
    printf("gantry %s\n", GANTRY_VERSION);
    return CLI_OK;
}

const struct verb version_verb = { .name = "version",
                                   .summary = "this program's version",
                                   .help = "version",
                                   .offline = true,
                                   .run = version_run };
