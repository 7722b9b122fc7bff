/* The command line. */
#ifndef KUBELET_LITE_OPTIONS_H
#define KUBELET_LITE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct options {
    const char *node_name;
    const char *node_ip;
    const char *kubeconfig;
    const char *client_ca;
    const char *tls_cert;
    const char *tls_key;
    const char *cri_socket;
    const char *root;
    const char *cgroup_root;
    const char *listen;
    uint64_t max_pods;
    uint64_t lease_duration_s;
    uint64_t status_report_s;
    uint64_t status_update_s;
    uint64_t sync_s;
    bool help;
};

extern const char options_help[];

/* Strings are borrowed from argv. -ERR_INVALID_ARGUMENT with what to do about it. */
int options_parse(int argc, char **argv, struct options *out, struct err *e);

#endif
