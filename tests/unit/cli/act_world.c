/* See the header. */
#include "tests/unit/cli/act_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

#define RESOURCE(plural, one, kind, scope, group, version)                                         \
    "{\"resource\":\"" plural "\",\"singularResource\":\"" one "\",\"scope\":\"" scope             \
    "\",\"responseKind\":{\"group\":\"" group "\",\"version\":\"" version "\",\"kind\":\"" kind    \
    "\"},\"verbs\":[\"get\",\"list\",\"watch\",\"delete\"]}"

const char act_world_api[] =
    "{\"items\":[{\"metadata\":{\"name\":\"\"},\"versions\":[{\"version\":\"v1\",\"resources\":"
    "[" RESOURCE("configmaps", "configmap", "ConfigMap", "Namespaced", "", "v1") "," RESOURCE(
        "pods", "pod", "Pod", "Namespaced", "",
        "v1") "," RESOURCE("namespaces", "namespace", "Namespace", "Cluster", "", "v1") "]}]}]}";

const char act_world_apis[] =
    "{\"items\":[{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\","
    "\"resources\":[" RESOURCE(
        "deployments", "deployment", "Deployment", "Namespaced", "apps",
        "v1") "]}]},"
              "{\"metadata\":{\"name\":\"x.y\"},\"versions\":[{\"version\":\"v1\",\"resources\":"
              "[" RESOURCE("widgets", "widget", "Widget", "Namespaced", "x.y", "v1") "]}]}]}";

void act_world_answers(struct cli_world *w, const struct act_answer *answers)
{
    cli_world_reset(w);
    w->answers[0].status = w->answers[1].status = 200;
    w->answers[0].body = act_world_api;
    w->answers[1].body = act_world_apis;
    for (size_t i = 0; answers[i].status != 0; i++) {
        w->answers[2 + i].status = answers[i].status;
        w->answers[2 + i].body = answers[i].body;
    }
}

int act_world_run(struct cli_world *w, const struct verb *v, const struct act_answer *answers,
                  const char *const *words)
{
    w->cli.ns = str_lit("default");
    act_world_answers(w, answers);
    return cli_world_run(w, v, words);
}

const char *act_world_file(struct cli_world *w, const char *name, const char *text)
{
    const char *folder = getenv("TEST_TMPDIR");
    struct str path = str_printf(&w->cli.arena, "%s/%s", folder != NULL ? folder : "/tmp", name);
    FILE *f = fopen(path.data, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return path.data;
}
