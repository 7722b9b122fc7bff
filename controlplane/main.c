/*
 * gantryd: a control-plane member. The verbs: init (a cluster's identity, offline), join (a
 * new machine), run, restore (a member from a backup, offline), and recover (from one survivor,
 * offline).
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/env_uv.h"
#include "base/err.h"
#include "base/version.h"
#include "controlplane/init.h"
#include "controlplane/join.h"
#include "controlplane/recover.h"
#include "controlplane/restore.h"
#include "controlplane/run.h"

static void print_help(FILE *to)
{
    fprintf(to,
            "gantryd is one member of a Gantry control plane: replicated store, Kubernetes API,\n"
            "controllers, scheduler and event bus in one process.\n\n"
            "usage:\n"
            "  gantryd init --out FOLDER --member NAME=ADDRESS... [--member-server NAME=URL]...\n"
            "               [--node NAME=ADDRESS]...\n"
            "      makes a new cluster's certificates, member list and kubeconfigs\n\n"
            "  %s\n\n"
            "  %s\n\n"
            "  %s\n\n"
            "  %s\n\n"
            "  gantryd version\n",
            run_usage, join_usage, restore_usage, recover_usage);
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 2 || wants_help(argc, argv)) {
        print_help(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    if (strcmp(argv[1], "version") == 0) {
        printf("gantryd %s (Kubernetes %s)\n", GANTRY_VERSION, GANTRY_KUBERNETES_VERSION);
        return 0;
    }
    struct err e = { 0 };
    struct buf out;
    int rc;
    buf_init(&out);
    if (strcmp(argv[1], "init") == 0) {
        rc = init_command(env_uv_new(), argc - 2, argv + 2, &e);
    } else if (strcmp(argv[1], "run") == 0) {
        rc = run_command(env_uv_new(), argc - 2, argv + 2, &e);
    } else if (strcmp(argv[1], "restore") == 0) {
        rc = restore_command(env_uv_new(), argc - 2, argv + 2, &out, &e);
    } else if (strcmp(argv[1], "join") == 0) {
        rc = join_command(env_uv_new(), argc - 2, argv + 2, &out, &e);
    } else if (strcmp(argv[1], "recover") == 0) {
        rc = recover_command(env_uv_new(), argc - 2, argv + 2, &out, &e);
    } else {
        fprintf(stderr, "gantryd: no command '%s'\n", argv[1]);
        print_help(stderr);
        return 2;
    }
    printf("%.*s", STR_ARG(buf_str(&out)));
    (void)fflush(stdout); /* before what failed */
    if (rc != 0)
        fprintf(stderr, "gantryd: %s\n", e.msg);
    fflush(NULL);
    /* Threads of the process may still be about; everything that matters is on disk. */
    _exit(rc == 0 ? 0 : (rc == -ERR_INVALID_ARGUMENT ? 2 : 1));
}
