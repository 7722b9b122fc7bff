/* The containers of a pod, or of a pod's template (see describe.h). */
#include <string.h>

#include "api/meta/quantity.h"
#include "api/schema/json.h"
#include "cli/age.h"
#include "cli/describe.h"
#include "cli/tree.h"

/* ---- what it is ---- */

static struct str ports_text(struct page *p, const struct json *ports, const char *which)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < tree_count(ports); i++) {
        const struct json *port = tree_item(ports, i);
        struct str protocol = tree_text(port, "protocol", NULL);
        buf_printf(&b, "%s%lld/%.*s", i > 0 ? ", " : "", (long long)tree_int(port, which, 0),
                   STR_ARG(protocol));
    }
    struct str out = str_copy(&p->cli->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static void write_ports(struct page *p, const char *title, struct str ports)
{
    bool many = str_find_char(ports, ',', 0) >= 0;
    page_write(p, 2, "%s%s:\t%.*s\n", title, many ? "s" : "",
               STR_ARG(ports.len > 0 ? ports : str_lit("<none>")));
}

static void write_basics(struct page *p, const struct json *c, const struct json *status,
                         const char *indent)
{
    struct str profile = tree_text(c, "securityContext", "seccompProfile", "type", NULL);
    page_write(p, 1, "%s%.*s:\n", indent, STR_ARG(tree_text(c, "name", NULL)));
    if (status != NULL)
        page_write(p, 2, "Container ID:\t%.*s\n", STR_ARG(tree_text(status, "containerID", NULL)));
    page_write(p, 2, "Image:\t%.*s\n", STR_ARG(tree_text(c, "image", NULL)));
    if (status != NULL)
        page_write(p, 2, "Image ID:\t%.*s\n", STR_ARG(tree_text(status, "imageID", NULL)));
    write_ports(p, "Port", ports_text(p, json_get_c(c, "ports"), "containerPort"));
    write_ports(p, "Host Port", ports_text(p, json_get_c(c, "ports"), "hostPort"));
    if (profile.len > 0)
        page_write(p, 2, "SeccompProfile:\t%.*s\n", STR_ARG(profile));
    if (str_eq_c(profile, "Localhost"))
        page_write(
            p, 3, "LocalhostProfile:\t%.*s\n",
            STR_ARG(tree_text(c, "securityContext", "seccompProfile", "localhostProfile", NULL)));
}

static void write_words(struct page *p, const char *title, const struct json *words)
{
    if (tree_count(words) > 0)
        page_write(p, 2, "%s:\n", title);
    for (size_t i = 0; i < tree_count(words); i++) {
        struct str rest = json_str(tree_item(words, i));
        struct str line;
        if (rest.data == NULL)
            rest = str_lit("");
        while (str_split(&rest, '\n', &line))
            page_write(p, 3, "%.*s\n", STR_ARG(line));
    }
}

/* ---- how it is ---- */

static void write_state(struct page *p, const char *title, const struct json *state)
{
    const struct json *running = json_get_c(state, "running");
    const struct json *ended = json_get_c(state, "terminated");
    const struct json *why = ended != NULL ? ended : json_get_c(state, "waiting");
    struct str reason = tree_text(why, "reason", NULL);
    struct str message = tree_text(ended, "message", NULL);
    page_write(p, 2, "%s:\t%s\n", title,
               running != NULL ? "Running"
               : ended != NULL ? "Terminated"
                               : "Waiting");
    if (running != NULL) {
        page_write(p, 3, "Started:\t%.*s\n",
                   STR_ARG(age_date(p->cli, tree_text(running, "startedAt", NULL))));
        return;
    }
    if (reason.len > 0)
        page_write(p, 3, "Reason:\t%.*s\n", STR_ARG(reason));
    if (ended == NULL)
        return;
    if (message.len > 0)
        page_write(p, 3, "Message:\t%.*s\n", STR_ARG(message));
    page_write(p, 3, "Exit Code:\t%lld\n", (long long)tree_int(ended, "exitCode", 0));
    if (tree_int(ended, "signal", 0) > 0)
        page_write(p, 3, "Signal:\t%lld\n", (long long)tree_int(ended, "signal", 0));
    page_write(p, 3, "Started:\t%.*s\n",
               STR_ARG(age_date(p->cli, tree_text(ended, "startedAt", NULL))));
    page_write(p, 3, "Finished:\t%.*s\n",
               STR_ARG(age_date(p->cli, tree_text(ended, "finishedAt", NULL))));
}

static void write_status(struct page *p, const struct json *status)
{
    const struct json *last = json_get_c(status, "lastState");
    write_state(p, "State", json_get_c(status, "state"));
    if (json_get_c(last, "terminated") != NULL)
        write_state(p, "Last State", last);
    page_write(p, 2, "Ready:\t%s\n", tree_true(status, "ready") ? "True" : "False");
    page_write(p, 2, "Restart Count:\t%lld\n", (long long)tree_int(status, "restartCount", 0));
}

static void write_resources(struct page *p, const struct json *resources)
{
    const struct json *limits = json_get_c(resources, "limits");
    const struct json *requests = json_get_c(resources, "requests");
    if (tree_count(limits) > 0)
        page_write(p, 2, "Limits:\n");
    page_quantities(p, 3, limits);
    if (tree_count(requests) > 0)
        page_write(p, 2, "Requests:\n");
    page_quantities(p, 3, requests);
}

/* ---- probes ---- */

static void append_probe_action(struct page *p, struct buf *b, const struct json *probe)
{
    struct arena *a = &p->cli->arena;
    const struct json *command = tree_at(probe, "exec", "command", NULL);
    const struct json *http = json_get_c(probe, "httpGet");
    const struct json *tcp = json_get_c(probe, "tcpSocket");
    const struct json *grpc = json_get_c(probe, "grpc");
    const struct json *reached = http != NULL ? http : tcp;
    struct str host = tree_text(reached, "host", NULL);
    struct str port = tree_scalar(a, json_get_c(reached, "port"));
    if (json_get_c(probe, "exec") != NULL) {
        buf_append_c(b, "exec [");
        for (size_t i = 0; i < tree_count(command); i++)
            buf_printf(b, "%s%.*s", i > 0 ? " " : "", STR_ARG(json_str(tree_item(command, i))));
        buf_append_byte(b, ']');
    } else if (http != NULL) {
        struct str scheme = tree_text(http, "scheme", NULL);
        struct str path = tree_text(http, "path", NULL);
        bool six = str_find_char(host, ':', 0) >= 0;
        buf_printf(b, "http-get %s://%s%.*s%s:%.*s%s%.*s",
                   str_eq_c(scheme, "HTTPS") ? "https" : "http", six ? "[" : "", STR_ARG(host),
                   six ? "]" : "", STR_ARG(port), path.len > 0 && path.data[0] != '/' ? "/" : "",
                   STR_ARG(path));
    } else if (tcp != NULL) {
        buf_printf(b, "tcp-socket %.*s:%.*s", STR_ARG(host), STR_ARG(port));
    } else if (grpc != NULL) {
        buf_printf(b, "grpc <pod>:%lld %.*s", (long long)tree_int(grpc, "port", 0),
                   STR_ARG(tree_text(grpc, "service", NULL)));
    } else {
        buf_append_c(b, "unknown");
    }
}

static void write_probe(struct page *p, const char *title, const struct json *probe)
{
    struct buf b;
    if (probe == NULL || probe->type != JSON_OBJECT)
        return;
    buf_init(&b);
    append_probe_action(p, &b, probe);
    page_write(p, 2,
               "%s:\t%.*s delay=%llds timeout=%llds period=%llds #success=%lld #failure=%lld\n",
               title, STR_ARG(buf_str(&b)), (long long)tree_int(probe, "initialDelaySeconds", 0),
               (long long)tree_int(probe, "timeoutSeconds", 0),
               (long long)tree_int(probe, "periodSeconds", 0),
               (long long)tree_int(probe, "successThreshold", 0),
               (long long)tree_int(probe, "failureThreshold", 0));
    buf_deinit(&b);
}

/* ---- its environment ---- */

/* The value of "metadata.labels['a']" or "status.podIP" in this very pod. */
static struct str field_value(struct page *p, struct str path)
{
    const struct json *at = p->object;
    struct str part;
    ptrdiff_t bracket = str_find_char(path, '[', 0);
    struct str fields = bracket < 0 ? path : str_slice(path, 0, (size_t)bracket);
    while (str_split(&fields, '.', &part))
        at = json_get(at, part);
    if (bracket >= 0 && path.len >= (size_t)bracket + 4)
        at = json_get(at, str_slice(path, (size_t)bracket + 2, path.len - 2));
    return tree_scalar(&p->cli->arena, at);
}

/* "limits.cpu" of a container, in units of the divisor, rounded up. */
static struct str resource_value(struct page *p, const struct json *c, const struct json *ref)
{
    struct str resource = tree_text(ref, "resource", NULL);
    ptrdiff_t dot = str_find_char(resource, '.', 0);
    struct quantity divisor;
    struct quantity value;
    if (dot < 0)
        return str_lit("");
    struct str list = str_slice(resource, 0, (size_t)dot);
    struct str name = str_slice(resource, (size_t)dot + 1, resource.len);
    struct str text =
        tree_scalar(&p->cli->arena, json_get(json_get(json_get_c(c, "resources"), list), name));
    if (quantity_parse(text, &value, NULL) != 0 || value.nanos == 0)
        return str_starts(resource, str_lit("limits.")) && name.len > 2 &&
                       (str_eq_c(name, "cpu") || str_eq_c(name, "memory"))
                   ? str_lit("node allocatable")
                   : str_lit("0");
    text = tree_scalar(&p->cli->arena, json_get_c(ref, "divisor"));
    if (quantity_parse(text, &divisor, NULL) != 0 || divisor.nanos == 0)
        divisor = quantity_of_value(1, QUANTITY_DECIMAL);
    return str_printf(&p->cli->arena, "%lld",
                      (long long)((value.nanos + divisor.nanos - 1) / divisor.nanos));
}

static void write_source(struct page *p, const struct json *c, struct str name,
                         const struct json *from, bool pod)
{
    const struct json *field = json_get_c(from, "fieldRef");
    const struct json *resource = json_get_c(from, "resourceFieldRef");
    const struct json *secret = json_get_c(from, "secretKeyRef");
    const struct json *key = secret != NULL ? secret : json_get_c(from, "configMapKeyRef");
    struct str path = tree_text(field, "fieldPath", NULL);
    if (field != NULL)
        page_write(p, 3, "%.*s:\t%.*s (%.*s:%.*s)\n", STR_ARG(name),
                   STR_ARG(pod ? field_value(p, path) : str_lit("")),
                   STR_ARG(tree_text(field, "apiVersion", NULL)), STR_ARG(path));
    else if (resource != NULL)
        page_write(p, 3, "%.*s:\t%.*s (%.*s)\n", STR_ARG(name),
                   STR_ARG(resource_value(p, c, resource)),
                   STR_ARG(tree_text(resource, "resource", NULL)));
    else if (key != NULL)
        page_write(
            p, 3, "%.*s:\t<set to the key '%.*s' %s '%.*s'>\tOptional: %s\n", STR_ARG(name),
            STR_ARG(tree_text(key, "key", NULL)), secret != NULL ? "in secret" : "of config map",
            STR_ARG(tree_text(key, "name", NULL)), tree_true(key, "optional") ? "true" : "false");
}

static void write_env(struct page *p, const struct json *c, bool pod)
{
    const struct json *env = json_get_c(c, "env");
    page_write(p, 2, "Environment:%s\n", tree_count(env) == 0 ? "\t<none>" : "");
    for (size_t i = 0; i < tree_count(env); i++) {
        const struct json *e = tree_item(env, i);
        const struct json *from = json_get_c(e, "valueFrom");
        struct str name = tree_text(e, "name", NULL);
        struct str rest = tree_text(e, "value", NULL);
        struct str line;
        if (from != NULL) {
            write_source(p, c, name, from, pod);
            continue;
        }
        if (rest.data == NULL)
            rest = str_lit("");
        for (bool first = true; str_split(&rest, '\n', &line); first = false)
            page_write(p, 3, "%.*s%s\t%.*s\n", STR_ARG(first ? name : str_lit("")),
                       first ? ":" : "", STR_ARG(line));
    }
}

static void write_env_from(struct page *p, const struct json *sources)
{
    if (tree_count(sources) == 0)
        return;
    page_write(p, 2, "Environment Variables from:\n");
    for (size_t i = 0; i < tree_count(sources); i++) {
        const struct json *e = tree_item(sources, i);
        const struct json *map = json_get_c(e, "configMapRef");
        const struct json *ref = map != NULL ? map : json_get_c(e, "secretRef");
        struct str prefix = tree_text(e, "prefix", NULL);
        page_write(p, 3, "%.*s\t%s%s%.*s%s\tOptional: %s\n", STR_ARG(tree_text(ref, "name", NULL)),
                   map != NULL ? "ConfigMap" : "Secret", prefix.len > 0 ? " with prefix '" : "",
                   STR_ARG(prefix), prefix.len > 0 ? "'" : "",
                   tree_true(ref, "optional") ? "true" : "false");
    }
}

/* ---- what is mounted ---- */

static void write_mounts(struct page *p, const struct json *mounts)
{
    size_t count = tree_count(mounts);
    const struct json **sorted = arena_array(&p->cli->arena, count, sizeof *sorted);
    page_write(p, 2, "Mounts:%s\n", count == 0 ? "\t<none>" : "");
    for (size_t i = 0; i < count; i++) {
        struct str path = tree_text(tree_item(mounts, i), "mountPath", NULL);
        size_t at = i;
        for (; at > 0 && str_cmp(path, tree_text(sorted[at - 1], "mountPath", NULL)) < 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = tree_item(mounts, i);
    }
    for (size_t i = 0; i < count; i++) {
        struct str sub = tree_text(sorted[i], "subPath", NULL);
        page_write(p, 3, "%.*s from %.*s (%s%s%.*s%s)\n",
                   STR_ARG(tree_text(sorted[i], "mountPath", NULL)),
                   STR_ARG(tree_text(sorted[i], "name", NULL)),
                   tree_true(sorted[i], "readOnly") ? "ro" : "rw", sub.len > 0 ? ",path=\"" : "",
                   STR_ARG(sub), sub.len > 0 ? "\"" : "");
    }
}

static const struct json *status_of(const struct json *statuses, struct str name)
{
    for (size_t i = 0; i < tree_count(statuses); i++)
        if (str_eq(tree_text(tree_item(statuses, i), "name", NULL), name))
            return tree_item(statuses, i);
    return NULL;
}

void page_containers(struct page *p, const char *label, const char *space,
                     const struct json *containers, const struct json *statuses, bool pod)
{
    page_write(p, 0, "%s%s:%s\n", space, label, tree_count(containers) == 0 ? " <none>" : "");
    for (size_t i = 0; i < tree_count(containers); i++) {
        const struct json *c = tree_item(containers, i);
        const struct json *status = status_of(statuses, tree_text(c, "name", NULL));
        write_basics(p, c, status, space[0] != '\0' ? " " : "");
        write_words(p, "Command", json_get_c(c, "command"));
        write_words(p, "Args", json_get_c(c, "args"));
        if (status != NULL)
            write_status(p, status);
        write_resources(p, json_get_c(c, "resources"));
        write_probe(p, "Liveness", json_get_c(c, "livenessProbe"));
        write_probe(p, "Readiness", json_get_c(c, "readinessProbe"));
        write_probe(p, "Startup", json_get_c(c, "startupProbe"));
        write_env_from(p, json_get_c(c, "envFrom"));
        write_env(p, c, pod);
        write_mounts(p, json_get_c(c, "volumeMounts"));
    }
}
