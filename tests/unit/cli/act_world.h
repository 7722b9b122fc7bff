/* cli_world with a discovery of a few resources in front, and manifests in files. */
#ifndef TESTS_UNIT_CLI_ACT_WORLD_H
#define TESTS_UNIT_CLI_ACT_WORLD_H

#include "tests/unit/cli/cli_world.h"

/* configmaps, pods, namespaces; deployments of apps; widgets of x.y, which have no schema here. */
extern const char act_world_api[];
extern const char act_world_apis[];

/* The answers after discovery's two, one after the other; ends with a status of 0. */
struct act_answer {
    int status;
    const char *body;
};
void act_world_answers(struct cli_world *w, const struct act_answer *answers);
/* Runs the verb; the exit code. */
int act_world_run(struct cli_world *w, const struct verb *v, const struct act_answer *answers,
                  const char *const *words);
/* A file with the text; the path lives in the cli's arena. */
const char *act_world_file(struct cli_world *w, const char *name, const char *text);

#define ACT_STATUS(reason, text)                                                                   \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"" reason       \
    "\",\"message\":\"" text "\"}"

#endif
