/* Flags and what they mean. */
#include "kubelet-lite/options.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"

const char options_help[] =
    "kubelet-lite: the agent of one Gantry worker node. It registers the node, watches the pods\n"
    "assigned to it, and runs them through a container runtime (CRI v1).\n"
    "\n"
    "usage: kubelet-lite --node-name NAME --node-ip IP --kubeconfig FILE --cri-socket unix:PATH\n"
    "                    --root FOLDER --client-ca FILE --tls-cert FILE --tls-key FILE [...]\n"
    "\n"
    "Who it is, and whom it serves:\n"
    "  --node-name NAME      the Node object's name\n"
    "  --node-ip IP          its InternalIP, and hostIP of its pods\n"
    "  --kubeconfig FILE     certificate and servers; with several clusters all are tried in turn\n"
    "Its own HTTPS port, where the API server fetches logs:\n"
    "  --listen ADDRESS      tcp:IP:PORT (default: tcp:NODE-IP:10250)\n"
    "  --client-ca FILE      who shows no certificate of this CA is answered 401\n"
    "  --tls-cert, --tls-key FILE\n"
    "The machine:\n"
    "  --cri-socket unix:PATH   the runtime's socket (containerd, CRI-O)\n"
    "  --root FOLDER            pods' volumes and logs; must be seen by the runtime as well\n"
    "  --cgroup-root PATH       parent of the pods' cgroups, below each hierarchy (/kubepods)\n"
    "How much, how often (seconds):\n"
    "  --max-pods N                       most pods the scheduler gives it (110)\n"
    "  --lease-duration N                 of the node's Lease; renewed every quarter (40)\n"
    "  --node-status-update-frequency N   how often conditions are looked at (10)\n"
    "  --node-status-report-frequency N   how often an unchanged status is written (300)\n"
    "  --sync-frequency N                 how often every pod is looked at again (60)\n"
    "  --log-level debug|info|warn|error\n"
    "\n"
    "Killing the agent leaves containers running: what it knows is in the runtime's labels, and a\n"
    "new one goes on from there. SIGTERM ends it in order.\n";

struct text_flag {
    const char *name;
    const char **out;
    bool needed;
};

struct number_flag {
    const char *name;
    uint64_t *out;
};

static int take(const struct text_flag *texts, size_t text_count, const struct number_flag *numbers,
                size_t number_count, const char *name, const char *value, struct err *e)
{
    enum log_level level;
    for (size_t i = 0; i < text_count; i++)
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].out = value;
            return 0;
        }
    for (size_t i = 0; i < number_count; i++) {
        if (strcmp(numbers[i].name, name) != 0)
            continue;
        if (str_to_u64(str_from(value), numbers[i].out) == 0 && *numbers[i].out > 0 &&
            *numbers[i].out <= 1000000)
            return 0;
        return err_set(e, ERR_INVALID_ARGUMENT, "%s: '%s' is no number from 1 to 1000000", name,
                       value);
    }
    if (strcmp(name, "--log-level") == 0) {
        if (log_level_parse(str_from(value), &level) != 0)
            return err_set(e, ERR_INVALID_ARGUMENT, "--log-level: '%s' is no level", value);
        log_set_level(level);
        return 0;
    }
    return err_set(e, ERR_INVALID_ARGUMENT, "unknown flag '%s'; --help shows all", name);
}

int options_parse(int argc, char **argv, struct options *out, struct err *e)
{
    *out = (struct options){ .cgroup_root = "/kubepods",
                             .max_pods = 110,
                             .lease_duration_s = 40,
                             .status_update_s = 10,
                             .status_report_s = 300,
                             .sync_s = 60 };
    const struct text_flag texts[] = {
        { "--node-name", &out->node_name, true },      { "--node-ip", &out->node_ip, true },
        { "--kubeconfig", &out->kubeconfig, true },    { "--client-ca", &out->client_ca, true },
        { "--tls-cert", &out->tls_cert, true },        { "--tls-key", &out->tls_key, true },
        { "--cri-socket", &out->cri_socket, true },    { "--root", &out->root, true },
        { "--cgroup-root", &out->cgroup_root, false }, { "--listen", &out->listen, false }
    };
    const struct number_flag numbers[] = {
        { "--max-pods", &out->max_pods },
        { "--lease-duration", &out->lease_duration_s },
        { "--node-status-update-frequency", &out->status_update_s },
        { "--node-status-report-frequency", &out->status_report_s },
        { "--sync-frequency", &out->sync_s }
    };
    const size_t text_count = sizeof texts / sizeof texts[0];
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            out->help = true;
            return 0;
        }
        if (i + 1 >= argc)
            return err_set(e, ERR_INVALID_ARGUMENT, "%s needs a value", argv[i]);
        int rc = take(texts, text_count, numbers, sizeof numbers / sizeof numbers[0], argv[i],
                      argv[i + 1], e);
        if (rc != 0)
            return rc;
    }
    for (size_t i = 0; i < text_count; i++)
        if (texts[i].needed && *texts[i].out == NULL)
            return err_set(e, ERR_INVALID_ARGUMENT, "%s is needed; --help shows all",
                           texts[i].name);
    return 0;
}
