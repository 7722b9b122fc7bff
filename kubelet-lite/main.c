/* kubelet-lite: one worker node's agent. */
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/env_uv.h"
#include "base/log.h"
#include "base/version.h"
#include "kubelet-lite/agent.h"
#include "kubelet-lite/options.h"

static void on_stopped(void *ctx)
{
    env_loop_stop(ctx);
}

struct life {
    struct env_loop *loop;
    struct agent *agent;
};

static void on_signal(void *ctx, int signal)
{
    struct life *life = ctx;
    struct agent *agent = life->agent;
    log_info("stopping; containers run on", KVN("signal", signal));
    life->agent = NULL;
    if (agent != NULL)
        agent_stop(agent, on_stopped, life->loop);
}

int main(int argc, char **argv)
{
    struct options options;
    struct err e = { 0 };
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("kubelet-lite %s\n", GANTRY_VERSION);
        return 0;
    }
    if (options_parse(argc, argv, &options, &e) != 0) {
        fprintf(stderr, "kubelet-lite: %s\n", e.msg);
        return 2;
    }
    if (options.help) {
        fputs(options_help, stdout);
        return 0;
    }
    struct env *env = env_uv_new();
    struct life life = { .loop = env_loop_new(env, "agent") };
    if (agent_new(life.loop, &options, &life.agent, &e) != 0) {
        fprintf(stderr, "kubelet-lite: %s\n", e.msg);
        return 1;
    }
    env_on_terminate(life.loop, on_signal, &life);
    env_loop_run(life.loop);
    env_loop_free(life.loop);
    env_uv_free(env);
    return 0;
}
