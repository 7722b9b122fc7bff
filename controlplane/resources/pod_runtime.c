/* Resources, probes and lifecycle hooks of a container. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/quantities.h"

static void validate_amount(const struct quantities *l, size_t i, const struct field_path *list,
                            struct err_list *out)
{
    const char *name = quantities_key(l, i);
    struct field_path p = path_key(list, name);
    struct quantity q;
    check_container_resource_name(out, &p, name);
    if (!quantities_value(l, i, &q)) {
        rule_invalid_text(out, &p, "", "must be a quantity");
        return;
    }
    if (q.nanos < 0)
        rule_invalid_text(out, &p, quantity_shown(out->arena, &q),
                          "must be greater than or equal to 0");
    if (strchr(name, '/') != NULL && quantity_milli(&q) % 1000 != 0)
        rule_invalid_text(out, &p, quantity_shown(out->arena, &q), "must be an integer");
}

static void validate_request(const struct quantities *requests, size_t i,
                             const struct quantities *limits, const struct field_path *p,
                             struct err_list *out)
{
    const char *name = quantities_key(requests, i);
    struct arena *a = out->arena;
    struct quantity request;
    struct quantity limit;
    if (!quantities_value(requests, i, &request))
        return;
    if (!quantities_get(limits, name, &limit)) {
        if (!resource_overcommits(name)) {
            struct field_path at = path_field(p->up, "limits");
            rule_required(out, &at, "Limit must be set for non overcommitable resources");
        }
        return;
    }
    const char *form = NULL;
    if (!resource_overcommits(name) && quantity_cmp(&request, &limit) != 0)
        form = "must be equal to %s limit of %s";
    else if (resource_overcommits(name) && quantity_cmp(&request, &limit) > 0)
        form = "must be less than or equal to %s limit of %s";
    if (form != NULL) {
        struct str detail = str_printf(a, form, name, quantity_shown(a, &limit));
        rule_invalid_text(out, p, quantity_shown(a, &request), str_dup(a, detail));
    }
}

static void validate_resources(const ResourceRequirements *r, const struct field_path *up,
                               struct err_list *out)
{
    if (r == NULL)
        return;
    struct field_path p = path_field(up, "resources");
    struct field_path limits_path = path_field(&p, "limits");
    struct field_path requests_path = path_field(&p, "requests");
    const struct quantities limits = { .entries = r->limits, .count = r->n_limits };
    const struct quantities requests = { .entries = r->requests, .count = r->n_requests };
    for (size_t i = 0; i < limits.count; i++)
        validate_amount(&limits, i, &limits_path, out);
    for (size_t i = 0; i < requests.count; i++) {
        validate_amount(&requests, i, &requests_path, out);
        validate_request(&requests, i, &limits, &requests_path, out);
    }
}

static void validate_target_port(const IntOrString *port, const struct field_path *up,
                                 struct err_list *out)
{
    struct field_path p = path_field(up, "port");
    if (port != NULL && int_or_string_is_text(port))
        (void)check_name(out, &p, text_of(port->str_val), name_port);
    else
        (void)check_port(out, &p, port == NULL ? 0 : port->int_val);
}

/* A handler's parts, as probes and hooks share them. */
struct handler {
    const ExecAction *exec;
    const HTTPGetAction *http_get;
    const TCPSocketAction *tcp_socket;
    const GRPCAction *grpc;
    const SleepAction *sleep;
};

static void validate_http_get(const HTTPGetAction *get, const struct field_path *up,
                              struct err_list *out)
{
    static const char *const schemes[] = { "HTTP", "HTTPS", NULL };
    struct field_path p = path_field(up, "httpGet");
    struct field_path path = path_field(&p, "path");
    struct field_path scheme = path_field(&p, "scheme");
    if (text_empty(get->path))
        rule_required(out, &path, "");
    validate_target_port(get->port, &p, out);
    (void)check_one_of(out, &scheme, get->scheme, schemes);
}

static void validate_handler(const struct handler *h, const struct field_path *p,
                             struct err_list *out)
{
    const struct {
        bool set;
        const char *name;
    } kinds[] = { { h->exec != NULL, "exec" },
                  { h->http_get != NULL, "httpGet" },
                  { h->tcp_socket != NULL, "tcpSocket" },
                  { h->grpc != NULL, "grpc" },
                  { h->sleep != NULL, "sleep" } };
    int count = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct field_path at = path_field(p, kinds[i].name);
        if (kinds[i].set && count++ > 0)
            rule_forbidden(out, &at, "may not specify more than 1 handler type");
    }
    if (count == 0)
        rule_required(out, p, "must specify a handler type");
    if (h->exec != NULL && h->exec->n_command == 0) {
        struct field_path exec = path_field(p, "exec");
        struct field_path command = path_field(&exec, "command");
        rule_required(out, &command, "");
    }
    if (h->http_get != NULL)
        validate_http_get(h->http_get, p, out);
    if (h->tcp_socket != NULL) {
        struct field_path tcp = path_field(p, "tcpSocket");
        validate_target_port(h->tcp_socket->port, &tcp, out);
    }
    if (h->grpc != NULL) {
        struct field_path grpc = path_field(p, "grpc");
        struct field_path port = path_field(&grpc, "port");
        (void)check_port(out, &port, h->grpc->port);
    }
}

static void validate_probe(const Probe *probe, const char *name, bool one_success,
                           const struct field_path *up, struct err_list *out)
{
    if (probe == NULL)
        return;
    struct field_path p = path_field(up, name);
    const ProbeHandler *handler = probe->handler;
    struct handler h = { 0 };
    if (handler != NULL)
        h = (struct handler){ handler->exec, handler->http_get, handler->tcp_socket, handler->grpc,
                              NULL };
    validate_handler(&h, &p, out);
    const struct {
        const char *name;
        int32_t value;
    } numbers[] = { { "initialDelaySeconds", probe->initial_delay_seconds },
                    { "timeoutSeconds", probe->timeout_seconds },
                    { "periodSeconds", probe->period_seconds },
                    { "successThreshold", probe->success_threshold },
                    { "failureThreshold", probe->failure_threshold } };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct field_path at = path_field(&p, numbers[i].name);
        (void)check_not_negative(out, &at, numbers[i].value);
    }
    if (one_success && probe->success_threshold != 1) {
        struct field_path at = path_field(&p, "successThreshold");
        rule_invalid_number(out, &at, probe->success_threshold, "must be 1");
    }
}

static void validate_hook(const LifecycleHandler *hook, const char *name,
                          const struct field_path *up, struct err_list *out)
{
    if (hook == NULL)
        return;
    struct field_path p = path_field(up, name);
    struct handler h = { hook->exec, hook->http_get, hook->tcp_socket, NULL, hook->sleep };
    validate_handler(&h, &p, out);
}

/* A container that runs once and ends has nobody to probe it. */
static void forbid_probes(const Container *c, const struct field_path *p, struct err_list *out)
{
    const struct {
        const void *set;
        const char *name;
    } members[] = { { c->lifecycle, "lifecycle" },
                    { c->liveness_probe, "livenessProbe" },
                    { c->readiness_probe, "readinessProbe" },
                    { c->startup_probe, "startupProbe" } };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct field_path at = path_field(p, members[i].name);
        if (members[i].set != NULL)
            rule_forbidden(out, &at,
                           "may not be set for init containers without restartPolicy=Always");
    }
}

void pod_container_runtime_validate(const struct Container *c, bool run_to_completion,
                                    const struct field_path *p, struct err_list *out)
{
    if (run_to_completion) {
        forbid_probes(c, p, out);
    } else {
        validate_probe(c->liveness_probe, "livenessProbe", true, p, out);
        validate_probe(c->readiness_probe, "readinessProbe", false, p, out);
        validate_probe(c->startup_probe, "startupProbe", true, p, out);
        if (c->lifecycle != NULL) {
            struct field_path lifecycle = path_field(p, "lifecycle");
            validate_hook(c->lifecycle->post_start, "postStart", &lifecycle, out);
            validate_hook(c->lifecycle->pre_stop, "preStop", &lifecycle, out);
        }
    }
    validate_resources(c->resources, p, out);
}
