/* Resources, probes and lifecycle hooks of a container. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/quantities.h"

/* A multiple of the size that its name has. */
static bool is_whole_pages(const char *name, const struct quantity *amount)
{
    struct quantity size;
    return quantity_parse(str_from(name + sizeof("hugepages-") - 1), &size, NULL) == 0 &&
           size.nanos > 0 && amount->nanos % size.nanos == 0;
}

static void validate_amount(const struct quantities *l, size_t i, const struct field_path *list,
                            struct err_list *out)
{
    const char *name = quantities_key(l, i);
    struct field_path p = path_key(list, name);
    struct arena *a = out->arena;
    struct quantity q;
    check_container_resource_name(out, &p, name);
    if (!quantities_value(l, i, &q)) {
        rule_invalid_text(out, &p, "", "must be a quantity");
        return;
    }
    const char *shown = quantity_shown(a, &q);
    if (q.nanos < 0)
        rule_invalid_text(out, &p, shown, "must be greater than or equal to 0");
    if (resource_is_whole(name) && quantity_milli(&q) % 1000 != 0)
        rule_invalid_text(out, &p, shown, "must be an integer");
    if (resource_is_huge_pages(name) && !is_whole_pages(name, &q)) {
        struct str detail = str_printf(a, "%s is not positive integer multiple of %s", shown, name);
        rule_invalid_text(out, &p, shown, str_dup(a, detail));
    }
}

static void validate_request(const struct quantities *requests, size_t i,
                             const struct quantities *limits, const struct keys *limit_names,
                             const struct field_path *p, struct err_list *out)
{
    const char *name = quantities_key(requests, i);
    struct arena *a = out->arena;
    struct quantity request;
    struct quantity limit;
    if (!quantities_value(requests, i, &request))
        return;
    if (!quantities_find(limits, limit_names, name, &limit)) {
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

static bool has_any(const struct quantities *l, bool huge)
{
    for (size_t i = 0; i < l->count; i++) {
        const char *name = quantities_key(l, i);
        if (huge ? resource_is_huge_pages(name) : text_eq(name, "cpu") || text_eq(name, "memory"))
            return true;
    }
    return false;
}

/* What the pod has to offer to a container that asks for something else. */
static const char *claims_shown(const PodSpec *spec, const char *name, struct arena *a)
{
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "%s: must be one of the names in pod.spec.resourceClaims%s",
               text_quoted(a, name), spec->n_resource_claims == 0 ? " which is empty" : ":");
    for (size_t i = 0; i < spec->n_resource_claims && b.len < RULE_VALUE_BYTES_MAX; i++)
        buf_printf(&b, "%s %s", i > 0 ? "," : "", text_of(spec->resource_claims[i]->name));
    const char *shown = str_dup(a, buf_str(&b));
    buf_deinit(&b);
    return shown;
}

static void validate_claims(const ResourceRequirements *r, const struct pod_names *names,
                            const struct field_path *up, struct err_list *out)
{
    struct field_path list = path_field(up, "claims");
    struct keys taken = keys_new(out->arena, r->n_claims);
    for (size_t i = 0; i < r->n_claims; i++)
        keys_add(&taken, (struct key){ .text = r->claims[i]->name, .more = r->claims[i]->request });
    keys_sort(&taken);
    for (size_t i = 0; i < r->n_claims; i++) {
        const char *name = text_of(r->claims[i]->name);
        struct field_path p = path_index(&list, i);
        if (name[0] == '\0') {
            rule_required(out, &p, "");
            continue;
        }
        if (keys_repeated(&taken, i))
            rule_duplicate(out, &p, name);
        if (!keys_have(&names->claims, name) && !err_list_full(out))
            err_list_add(out, path_text(out->arena, &p), FIELD_NOT_FOUND,
                         claims_shown(names->spec, name, out->arena));
    }
}

static void validate_resources(const ResourceRequirements *r, const struct pod_names *names,
                               const struct field_path *up, struct err_list *out)
{
    if (r == NULL)
        return;
    struct field_path p = path_field(up, "resources");
    struct field_path limits_path = path_field(&p, "limits");
    struct field_path requests_path = path_field(&p, "requests");
    const struct quantities limits = { .entries = r->limits, .count = r->n_limits };
    const struct quantities requests = { .entries = r->requests, .count = r->n_requests };
    const struct keys names_of_limits = quantities_names(out->arena, &limits);
    for (size_t i = 0; i < limits.count; i++)
        validate_amount(&limits, i, &limits_path, out);
    for (size_t i = 0; i < requests.count; i++) {
        validate_amount(&requests, i, &requests_path, out);
        validate_request(&requests, i, &limits, &names_of_limits, &requests_path, out);
    }
    if ((has_any(&limits, true) || has_any(&requests, true)) && !has_any(&limits, false) &&
        !has_any(&requests, false))
        rule_forbidden(out, &p, "HugePages require cpu or memory");
    validate_claims(r, names, &p, out);
}

static void validate_resize(const Container *c, const PodSpec *spec, const struct field_path *up,
                            struct err_list *out)
{
    static const char *const resources[] = { "cpu", "memory", NULL };
    static const char *const policies[] = { "NotRequired", "RestartContainer", NULL };
    struct field_path p = path_field(up, "resizePolicy"); /* upstream names no index but in one */
    struct keys taken = keys_new(out->arena, c->n_resize_policy);
    for (size_t i = 0; i < c->n_resize_policy; i++)
        keys_add(&taken, (struct key){ .text = c->resize_policy[i]->resource_name });
    keys_sort(&taken);
    for (size_t i = 0; i < c->n_resize_policy; i++) {
        const ContainerResizePolicy *r = c->resize_policy[i];
        struct field_path at = path_index(&p, i);
        if (keys_repeated(&taken, i))
            rule_duplicate(out, &at, r->resource_name);
        if (text_empty(r->resource_name))
            rule_required(out, &p, "");
        else
            (void)check_one_of(out, &p, r->resource_name, resources);
        if (text_empty(r->restart_policy))
            rule_required(out, &p, "");
        else
            (void)check_one_of(out, &p, r->restart_policy, policies);
        if (text_eq(spec->restart_policy, "Never") && !text_eq(r->restart_policy, "NotRequired"))
            rule_invalid_text(out, &p, r->restart_policy,
                              "must be 'NotRequired' when `restartPolicy` is 'Never'");
    }
}

void pod_container_resources_validate(const struct Container *c, const struct pod_names *names,
                                      const struct field_path *up, struct err_list *out)
{
    validate_resources(c->resources, names, up, out);
    validate_resize(c, names->spec, up, out);
}

void pod_overhead_validate(const struct PodSpec *spec, const struct field_path *path,
                           struct err_list *out)
{
    struct field_path overhead = path_field(path, "overhead");
    struct field_path p = path_field(&overhead, "limits"); /* as upstream, which reuses its check */
    const struct quantities amounts = { .entries = spec->overhead, .count = spec->n_overhead };
    for (size_t i = 0; i < amounts.count; i++)
        validate_amount(&amounts, i, &p, out);
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

static bool is_header(const char *name)
{
    const char *c = name;
    for (; *c != '\0'; c++) {
        if (!(*c == '-' || (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
              (*c >= 'a' && *c <= 'z')))
            return false;
    }
    return c != name;
}

static void validate_headers(const HTTPGetAction *get, const struct field_path *up,
                             struct err_list *out)
{
    struct field_path p = path_field(up, "httpHeaders");
    for (size_t i = 0; i < get->n_http_headers; i++) {
        if (!is_header(text_of(get->http_headers[i]->name)))
            rule_invalid_text(out, &p, get->http_headers[i]->name,
                              "a valid HTTP header must consist of alphanumeric characters or '-' "
                              "(e.g. 'X-Header-Name', regex used for validation is "
                              "'[-A-Za-z0-9]+')");
    }
}

static void validate_sleep(const SleepAction *sleep, const PodSpec *spec,
                           const struct field_path *p, struct err_list *out)
{
    int64_t grace = spec->termination_grace_period_seconds;
    if (sleep->seconds >= 0 && sleep->seconds <= grace)
        return;
    struct str detail = str_printf(
        out->arena, "must be non-negative and less than terminationGracePeriodSeconds (%lld)",
        (long long)grace);
    rule_invalid_number(out, p, sleep->seconds, str_dup(out->arena, detail));
}

/* The one that counts: the first. */
static void validate_action(const struct handler *h, const PodSpec *spec,
                            const struct field_path *p, struct err_list *out)
{
    struct field_path exec = path_field(p, "exec");
    struct field_path get = path_field(p, "httpGet");
    struct field_path tcp = path_field(p, "tcpSocket");
    struct field_path grpc = path_field(p, "grpc");
    struct field_path sleep = path_field(p, "sleep");
    struct field_path command = path_field(&exec, "command");
    struct field_path port = path_field(&grpc, "port");
    if (h->exec != NULL) {
        if (h->exec->n_command == 0)
            rule_required(out, &command, "");
    } else if (h->http_get != NULL) {
        validate_http_get(h->http_get, p, out);
        validate_headers(h->http_get, &get, out);
    } else if (h->tcp_socket != NULL) {
        validate_target_port(h->tcp_socket->port, &tcp, out);
    } else if (h->grpc != NULL) {
        (void)check_port(out, &port, h->grpc->port);
    } else if (h->sleep != NULL) {
        validate_sleep(h->sleep, spec, &sleep, out);
    }
}

static void validate_handler(const struct handler *h, const PodSpec *spec,
                             const struct field_path *p, struct err_list *out)
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
    validate_action(h, spec, p, out);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct field_path at = path_field(p, kinds[i].name);
        if (kinds[i].set && count++ > 0)
            rule_forbidden(out, &at, "may not specify more than 1 handler type");
    }
    if (count == 0)
        rule_required(out, p, "must specify a handler type");
}

/* Which rules a probe has beside those of all. */
enum probe_kind { PROBE_LIVENESS, PROBE_READINESS, PROBE_STARTUP };

static void validate_probe_kind(const Probe *probe, enum probe_kind kind,
                                const struct field_path *p, struct err_list *out)
{
    struct field_path grace = path_field(p, "terminationGracePeriodSeconds");
    struct field_path success = path_field(p, "successThreshold");
    bool has_grace = probe->has_termination_grace_period_seconds;
    if (has_grace && probe->termination_grace_period_seconds <= 0)
        rule_invalid_number(out, &grace, probe->termination_grace_period_seconds,
                            "must be greater than 0");
    if (kind == PROBE_READINESS && has_grace)
        rule_invalid_number(out, &grace, probe->termination_grace_period_seconds,
                            "must not be set for readinessProbes");
    if (kind != PROBE_READINESS && probe->success_threshold != 1)
        rule_invalid_number(out, &success, probe->success_threshold, "must be 1");
}

static void validate_probe(const Probe *probe, const char *name, enum probe_kind kind,
                           const PodSpec *spec, const struct field_path *up, struct err_list *out)
{
    if (probe == NULL)
        return;
    struct field_path p = path_field(up, name);
    const ProbeHandler *handler = probe->handler;
    struct handler h = { 0 };
    if (handler != NULL)
        h = (struct handler){ handler->exec, handler->http_get, handler->tcp_socket, handler->grpc,
                              NULL };
    validate_handler(&h, spec, &p, out);
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
    validate_probe_kind(probe, kind, &p, out);
}

static void validate_hook(const LifecycleHandler *hook, const char *name, const PodSpec *spec,
                          const struct field_path *up, struct err_list *out)
{
    if (hook == NULL)
        return;
    struct field_path p = path_field(up, name);
    struct handler h = { hook->exec, hook->http_get, hook->tcp_socket, NULL, hook->sleep };
    validate_handler(&h, spec, &p, out);
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

void pod_container_runtime_validate(const struct Container *c, const struct PodSpec *spec,
                                    bool run_to_completion, const struct field_path *p,
                                    struct err_list *out)
{
    struct field_path lifecycle = path_field(p, "lifecycle");
    if (run_to_completion) {
        forbid_probes(c, p, out);
        return;
    }
    if (c->lifecycle != NULL) {
        validate_hook(c->lifecycle->post_start, "postStart", spec, &lifecycle, out);
        validate_hook(c->lifecycle->pre_stop, "preStop", spec, &lifecycle, out);
    }
    validate_probe(c->liveness_probe, "livenessProbe", PROBE_LIVENESS, spec, p, out);
    validate_probe(c->readiness_probe, "readinessProbe", PROBE_READINESS, spec, p, out);
    validate_probe(c->startup_probe, "startupProbe", PROBE_STARTUP, spec, p, out);
}
