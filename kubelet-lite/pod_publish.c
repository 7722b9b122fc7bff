/*
 * A pod's status to the API: a strategic merge patch with the pod's uid as precondition, only when
 * something changed, one at a time; what changes meanwhile goes out right after.
 */
#include <string.h>

#include "api/meta/condition.h"
#include "api/meta/text.h"
#include "api/meta/time.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/json.h"
#include "base/log.h"
#include "kubelet-lite/pod.h"
#include "kubelet-lite/status.h"

/* No container has this name. */
#define STATUS_HOLD "/status"

/* podIPs merge by ip: an address that went must be named. */
static void put_ips(struct buf *b, const struct pod *p, const char *ip)
{
    const PodStatus *old = p->spec->status;
    bool first = true;
    buf_append_c(b, ",\"podIPs\":[");
    for (size_t i = 0; old != NULL && i < old->n_pod_ips; i++) {
        if (text_eq(old->pod_ips[i]->ip, ip))
            continue;
        buf_printf(b, "%s{\"$patch\":\"delete\",\"ip\":\"%s\"}", first ? "" : ",",
                   text_of(old->pod_ips[i]->ip));
        first = false;
    }
    if (ip[0] != '\0')
        buf_printf(b, "%s{\"ip\":\"%s\"}", first ? "" : ",", ip);
    buf_append_c(b, "]");
}

static void put_text(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, ",\"%s\":", name);
    if (text_of(value)[0] == '\0')
        buf_append_c(b, "null");
    else
        json_write_string(b, str_from(value), false);
}

/* Conditions merge by type: a reason that is no more must be said to be none. */
static void put_conditions(struct buf *b, const PodStatus *status)
{
    buf_append_c(b, ",\"conditions\":[");
    for (size_t i = 0; i < status->n_conditions; i++) {
        const PodCondition *c = status->conditions[i];
        char when[TIME_TEXT_MAX];
        (void)time_format(time_seconds(c->last_transition_time), when);
        buf_printf(b, "%s{\"type\":", i > 0 ? "," : "");
        json_write_string(b, str_from(text_of(c->type)), false);
        put_text(b, "status", c->status);
        put_text(b, "reason", c->reason);
        put_text(b, "message", c->message);
        buf_printf(b, ",\"lastProbeTime\":null,\"lastTransitionTime\":\"%s\"", when);
        if (c->has_observed_generation)
            buf_printf(b, ",\"observedGeneration\":%lld", (long long)c->observed_generation);
        buf_append_c(b, "}");
    }
    buf_append_c(b, "]");
}

static int encode(struct pod *p, struct buf *b, const PodStatus *status, struct err *e)
{
    PodStatus plain = *status;
    plain.n_pod_ips = 0;
    plain.n_conditions = 0;
    buf_clear(b);
    buf_printf(b, "{\"metadata\":{\"uid\":\"%s\"},\"status\":", p->uid);
    int rc = schema_struct_to_json(b, &schema_PodStatus, &plain, NULL, e);
    if (rc != 0)
        return rc;
    b->len--; /* the object's closing brace */
    put_ips(b, p, text_of(status->pod_ip));
    put_conditions(b, status);
    buf_append_c(b, "}}");
    return 0;
}

static void on_patched(struct client_call *c)
{
    struct pod *p = c->priv;
    p->status_busy = false;
    if (c->status != 0 && c->http_status != 404 && c->http_status != 409) {
        log_warn("status not written", KV("pod", p->name), KV("why", c->err.msg));
        p->sent_hash = 0;
        /* Holds nothing up but the next attempt. */
        pod_fail(p, STATUS_HOLD, "", c->err.msg, pod_wall(p) + ENV_S);
    } else {
        pod_fail_clear(p, STATUS_HOLD);
    }
    if (p->status_again)
        pod_publish(p);
    if (!p->busy)
        pod_step(p);
}

/* The same as the API shows already? Times of conditions are equal then, too. */
static bool nothing_new(const struct pod *p, const PodStatus *status)
{
    return p->spec->status != NULL && p->last == NULL &&
           schema_equal(&schema_PodStatus, p->spec->status, status);
}

static void tell_ready(struct pod *p, const PodStatus *status)
{
    bool ready = condition_is_true(status->conditions, status->n_conditions, "Ready");
    if (ready && !p->ready_told)
        pod_announce(p, "ready", NULL, -1);
    p->ready_told = ready;
}

static bool in_crash_loop(const PodStatus *s, const char *name)
{
    for (size_t i = 0; s != NULL && i < s->n_container_statuses; i++) {
        const ContainerStatus *c = s->container_statuses[i];
        if (text_eq(c->name, name) && c->state != NULL && c->state->waiting != NULL)
            return text_eq(c->state->waiting->reason, "CrashLoopBackOff");
    }
    return false;
}

static void tell_crash_loops(struct pod *p, const PodStatus *before, const PodStatus *now)
{
    for (size_t i = 0; i < now->n_container_statuses; i++) {
        const char *name = now->container_statuses[i]->name;
        if (in_crash_loop(now, name) && !in_crash_loop(before, name))
            pod_event(p, name, false, true, "BackOff",
                      "Back-off restarting failed container %s in pod %s_%s(%s)", name, p->name,
                      p->namespace, p->uid);
    }
}

void pod_publish(struct pod *p)
{
    struct pod_hold holds[POD_HOLDS_MAX];
    struct pod_input in;
    struct err e = { 0 };
    Pod copy;
    if (p->spec == NULL || !p->known || p->frozen)
        return;
    if (p->status_busy) {
        p->status_again = true;
        return;
    }
    p->status_again = false;
    struct arena *a = mem_alloc(sizeof *a);
    arena_init(a);
    pod_input_fill(p, &in, holds, &copy);
    PodStatus *status =
        pod_status(a, &(struct status_input){ .pod = &in,
                                              .host_ip = p->pods->config.node_ip,
                                              .host_network = p->spec->spec->host_network,
                                              .started_ns = p->received_ns });
    bool same = nothing_new(p, status);
    uint64_t hash = 0;
    if (!same && encode(p, &p->status_body, status, &e) == 0) {
        hash = str_hash(buf_str(&p->status_body));
        same = hash == p->sent_hash;
    }
    if (same || e.code != 0) {
        arena_deinit(a);
        mem_free(a);
        return;
    }
    tell_crash_loops(p, p->last != NULL ? p->last : p->spec->status, status);
    /* What was decided now is the base of the next one, until the API shows something newer. */
    PodStatus *kept = schema_copy(a, &schema_PodStatus, status);
    if (p->last_arena != NULL) {
        arena_deinit(p->last_arena);
        mem_free(p->last_arena);
    }
    p->last_arena = a;
    p->last = kept;
    p->sent_hash = hash;
    p->status_busy = true;
    tell_ready(p, kept);
    p->status_call = (struct client_call){ .verb = CLIENT_PATCH,
                                           .kind = KIND_POD,
                                           .namespace = str_from(p->namespace),
                                           .name = str_from(p->name),
                                           .subresource = str_lit("status"),
                                           .content = CLIENT_STRATEGIC_PATCH,
                                           .body = buf_str(&p->status_body),
                                           .done = on_patched,
                                           .priv = p };
    client_call(p->pods->config.client, &p->status_call);
}
