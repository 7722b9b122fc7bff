/* See the header. */
#include "tests/unit/kubelet-lite/fixture.h"

#include <string.h>

#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/assert.h"
#include "base/env.h"

int fixture_setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    arena_init(&f->a);
    f->view.sandboxes = f->sandboxes;
    f->view.containers = f->containers;
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    arena_deinit(&f->a);
    mem_free(f);
    return 0;
}

Pod *fixture_pod(struct fixture *f, const char *json)
{
    char *text = str_dup(&f->a, str_from(json));
    const struct json *tree;
    void *pod;
    struct err e = { 0 };
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    ASSERT(json_parse(&f->a, str_from(text), &tree, &e) == 0);
    ASSERT(schema_decode(&f->a, &schema_Pod, tree, SCHEMA_STRICT, &pod, NULL, &e) == 0);
    return pod;
}

Pod *fixture_simple(struct fixture *f, const char *restart_policy)
{
    return fixture_pod(
        f, str_printf(&f->a,
                      "{'metadata':{'name':'p','namespace':'n','uid':'u'},'spec':{'restartPolicy':"
                      "'%s','containers':[{'name':'c','image':'i'}]}}",
                      restart_policy)
               .data);
}

void fixture_sandbox(struct fixture *f, const char *id, uint32_t attempt, bool ready)
{
    ASSERT(f->view.sandbox_count < FIXTURE_SANDBOXES);
    f->sandboxes[f->view.sandbox_count++] = (struct seen_sandbox){ .id = id,
                                                                   .uid = "u",
                                                                   .attempt = attempt,
                                                                   .ready = ready,
                                                                   .ip = ready ? "10.0.0.9" : "",
                                                                   .ip_known = ready };
}

struct seen_container *fixture_container(struct fixture *f, const char *id, const char *name,
                                         uint32_t attempt, enum seen_state state, int exit_code)
{
    ASSERT(f->view.container_count < FIXTURE_CONTAINERS && f->view.sandbox_count > 0);
    struct seen_container *c = &f->containers[f->view.container_count++];
    *c = (struct seen_container){ .id = id,
                                  .sandbox_id = f->sandboxes[f->view.sandbox_count - 1].id,
                                  .name = name,
                                  .attempt = attempt,
                                  .state = state,
                                  .hash = "",
                                  .backoff_level = attempt,
                                  .grace_s = VIEW_GRACE_DEFAULT_S,
                                  .image = "docker.io/library/i:latest",
                                  .image_id = "sha256:1",
                                  .created_ns = (int64_t)(100 * ENV_S),
                                  .started_ns = (int64_t)(100 * ENV_S),
                                  .finished_ns = (int64_t)(110 * ENV_S),
                                  .exit_code = exit_code,
                                  .reason = "",
                                  .message = "" };
    return c;
}

static int read_source(struct source *s, struct arena *a, enum kind kind, const char *name,
                       struct source_entry **out, size_t *out_count, struct err *e)
{
    static struct source_entry map[] = { { STR("a"), STR("1") },
                                         { STR("b"), STR("two") },
                                         { STR("bad-key"), STR("x") } };
    static struct source_entry secret[] = { { STR("p"), STR("word") } };
    (void)s;
    (void)a;
    if (kind == KIND_CONFIG_MAP && strcmp(name, "cm") == 0) {
        *out = map;
        *out_count = 3;
        return 0;
    }
    if (kind == KIND_SECRET && strcmp(name, "sec") == 0) {
        *out = secret;
        *out_count = 1;
        return 0;
    }
    if (strcmp(name, "slow") == 0)
        return err_set(e, ERR_AGAIN, "not read yet");
    return err_set(e, ERR_NOT_FOUND, "not found");
}

struct source *fixture_source(void)
{
    static struct source source = { read_source };
    return &source;
}
