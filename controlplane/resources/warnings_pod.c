/* Warnings about a pod or a template of pods. */
#include <stdlib.h>
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "base/arena.h"
#include "controlplane/resources/keys.h"
#include "controlplane/resources/quantities.h"
#include "controlplane/resources/warnings.h"

/* A pod of more ports is told nothing about them: each is compared with each. */
#define PORTS_COMPARED_MAX 1024

/* Where and to whom the warnings of one pod go. */
struct pod_warnings {
    const struct resource_context *c;
    struct resource_warnings *out;
    struct keys annotations;
    const struct field_path *up;
    const struct field_path *spec;
    bool seccomp; /* the pod has a profile, so its annotation is but a copy */
    bool apparmor;
};

static const char seccomp_annotation[] = "non-functional in v1.27+; use the \"seccompProfile\" "
                                         "field instead";

static struct keys annotations_of(struct arena *a, const ObjectMeta *meta)
{
    size_t count = meta == NULL ? 0 : meta->n_annotations;
    struct keys keys = keys_new(a, count);
    for (size_t i = 0; i < count; i++)
        keys_add(&keys, (struct key){ .text = meta->annotations[i]->key });
    keys_sort(&keys);
    return keys;
}

static void annotation(struct pod_warnings *w, const char *key, const char *message)
{
    const struct field_path meta = path_field(w->up, "metadata");
    const struct field_path list = path_field(&meta, "annotations");
    const struct field_path at = path_key(&list, key);
    if (keys_have(&w->annotations, key))
        warn_at(w->c, w->out, &at, "%s", message);
}

/* ---- where it may run ---- */

static const char *deprecated_label(const char *key)
{
    static const char *const labels[][2] = {
        { "beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead" },
        { "beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead" },
        { "failure-domain.beta.kubernetes.io/region",
          "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead" },
        { "failure-domain.beta.kubernetes.io/zone",
          "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead" },
        { "beta.kubernetes.io/instance-type",
          "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead" },
    };
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (text_eq(key, labels[i][0]))
            return labels[i][1];
    }
    return NULL;
}

static void node_term(struct pod_warnings *w, const NodeSelectorTerm *t,
                      const struct field_path *path)
{
    const struct field_path list = path_field(path, "matchExpressions");
    for (size_t i = 0; t != NULL && i < t->n_match_expressions; i++) {
        const struct field_path item = path_index(&list, i);
        const struct field_path key = path_field(&item, "key");
        const char *message = deprecated_label(t->match_expressions[i]->key);
        if (message != NULL)
            warn_at(w->c, w->out, &key, "%s is %s", t->match_expressions[i]->key, message);
    }
}

static void node_affinity(struct pod_warnings *w, const NodeAffinity *n)
{
    const struct field_path affinity = path_field(w->spec, "affinity");
    const struct field_path node = path_field(&affinity, "nodeAffinity");
    const struct field_path must =
        path_field(&node, "requiredDuringSchedulingIgnoredDuringExecution");
    const struct field_path terms = path_field(&must, "nodeSelectorTerms");
    const struct field_path may =
        path_field(&node, "preferredDuringSchedulingIgnoredDuringExecution");
    const NodeSelector *required = n->required_during_scheduling_ignored_during_execution;
    for (size_t i = 0; required != NULL && i < required->n_node_selector_terms; i++) {
        const struct field_path at = path_index(&terms, i);
        node_term(w, required->node_selector_terms[i], &at);
    }
    for (size_t i = 0; i < n->n_preferred_during_scheduling_ignored_during_execution; i++) {
        const struct field_path item = path_index(&may, i);
        const struct field_path at = path_field(&item, "preference");
        node_term(w, n->preferred_during_scheduling_ignored_during_execution[i]->preference, &at);
    }
}

static void placement(struct pod_warnings *w, const PodSpec *spec)
{
    const struct field_path selector = path_field(w->spec, "nodeSelector");
    const struct field_path spread = path_field(w->spec, "topologySpreadConstraints");
    for (size_t i = 0; i < spec->n_node_selector; i++) {
        const struct field_path at = path_key(&selector, spec->node_selector[i]->key);
        const char *message = deprecated_label(spec->node_selector[i]->key);
        if (message != NULL)
            warn_at(w->c, w->out, &at, "%s", message);
    }
    if (spec->affinity != NULL && spec->affinity->node_affinity != NULL)
        node_affinity(w, spec->affinity->node_affinity);
    for (size_t i = 0; i < spec->n_topology_spread_constraints; i++) {
        const TopologySpreadConstraint *t = spec->topology_spread_constraints[i];
        const struct field_path item = path_index(&spread, i);
        const struct field_path key = path_field(&item, "topologyKey");
        const struct field_path labels = path_field(&item, "labelSelector");
        const char *message = deprecated_label(t->topology_key);
        if (message != NULL)
            warn_at(w->c, w->out, &key, "%s is %s", t->topology_key, message);
        if (t->label_selector == NULL)
            warn_at(w->c, w->out, &labels, "a null labelSelector results in matching no pod");
    }
}

/* ---- volumes and lists of names ---- */

static void volumes(struct pod_warnings *w, const PodSpec *spec)
{
    const struct field_path list = path_field(w->spec, "volumes");
    for (size_t i = 0; i < spec->n_volumes; i++) {
        const VolumeSource *s = spec->volumes[i]->volume_source;
        const struct field_path item = path_index(&list, i);
        const struct {
            const void *source;
            const char *name;
            const char *message;
        } old[] = {
            { s->photon_persistent_disk, "photonPersistentDisk",
              "deprecated in v1.11, non-functional in v1.16+" },
            { s->git_repo, "gitRepo", "deprecated in v1.11" },
            { s->scale_io, "scaleIO", "deprecated in v1.16, non-functional in v1.22+" },
            { s->flocker, "flocker", "deprecated in v1.22, non-functional in v1.25+" },
            { s->storageos, "storageos", "deprecated in v1.22, non-functional in v1.25+" },
            { s->quobyte, "quobyte", "deprecated in v1.22, non-functional in v1.25+" },
            { s->glusterfs, "glusterfs", "deprecated in v1.25, non-functional in v1.26+" },
            { s->cephfs, "cephfs", "deprecated in v1.28, non-functional in v1.31+" },
            { s->rbd, "rbd", "deprecated in v1.28, non-functional in v1.31+" },
        };
        for (size_t k = 0; k < sizeof(old) / sizeof(old[0]); k++) {
            const struct field_path at = path_field(&item, old[k].name);
            if (old[k].source != NULL)
                warn_at(w->c, w->out, &at, "%s", old[k].message);
        }
    }
}

static void pull_secrets(struct pod_warnings *w, const PodSpec *spec)
{
    struct arena *a = w->c->arena;
    size_t count = spec->n_image_pull_secrets;
    const struct field_path list = path_field(w->spec, "imagePullSecrets");
    struct keys names = keys_new(a, count);
    for (size_t i = 0; i < count; i++)
        keys_add(&names, (struct key){ .text = spec->image_pull_secrets[i]->name });
    keys_sort(&names);
    for (size_t i = 0; i < count; i++) {
        const char *name = text_of(spec->image_pull_secrets[i]->name);
        const struct field_path item = path_index(&list, i);
        const struct field_path at = path_field(&item, "name");
        if (keys_repeated(&names, i))
            warn_at(w->c, w->out, &at, "duplicate name %s", text_quoted(a, name));
        if (name[0] == '\0')
            warn_at(w->c, w->out, &at, "invalid empty name \"\"");
    }
}

static void host_aliases(struct pod_warnings *w, const PodSpec *spec)
{
    struct arena *a = w->c->arena;
    size_t count = spec->n_host_aliases;
    const struct field_path list = path_field(w->spec, "hostAliases");
    struct keys ips = keys_new(a, count);
    for (size_t i = 0; i < count; i++)
        keys_add(&ips, (struct key){ .text = spec->host_aliases[i]->ip });
    keys_sort(&ips);
    for (size_t i = 0; i < count; i++) {
        const struct field_path item = path_index(&list, i);
        const struct field_path at = path_field(&item, "ip");
        if (keys_repeated(&ips, i))
            warn_at(w->c, w->out, &at, "duplicate ip %s",
                    text_quoted(a, text_of(spec->host_aliases[i]->ip)));
    }
}

/* ---- containers ---- */

/* Memory and disk come in whole bytes. */
static void fractions(struct pod_warnings *w, const struct quantities *q,
                      const struct field_path *list)
{
    static const char *const whole[] = { "memory", "ephemeral-storage" };
    for (size_t i = 0; i < q->count; i++) {
        const char *key = quantities_key(q, i);
        const struct field_path at = path_key(list, key);
        struct quantity value;
        if ((!text_eq(key, whole[0]) && !text_eq(key, whole[1])) ||
            !quantities_value(q, i, &value) || quantity_milli(&value) % 1000 == 0)
            continue;
        warn_at(w->c, w->out, &at, "fractional byte value %s is invalid, must be an integer",
                text_quoted(w->c->arena, quantities_text(q, i)));
    }
}

static void resources(struct pod_warnings *w, const ResourceRequirements *r,
                      const struct field_path *path)
{
    const struct field_path top = path_field(path, "resources");
    const struct field_path limits = path_field(&top, "limits");
    const struct field_path requests = path_field(&top, "requests");
    if (r == NULL)
        return;
    fractions(w, &(struct quantities){ r->limits, r->n_limits }, &limits);
    fractions(w, &(struct quantities){ r->requests, r->n_requests }, &requests);
}

/* A later value may refer to the earlier one: A=x, A=$(A)y. */
static bool hides(struct arena *a, const EnvVar *e)
{
    struct str ref = str_printf(a, "$(%s)", text_of(e->name));
    struct str value = str_from(text_of(e->value));
    return e->value_from != NULL || str_eq(value, ref) || str_find(value, ref) < 0;
}

static void environment(struct pod_warnings *w, EnvVar *const *env, size_t count,
                        const struct field_path *path)
{
    const struct field_path list = path_field(path, "env");
    struct arena *a = w->c->arena;
    struct keys names = keys_new(a, count);
    for (size_t i = 0; i < count; i++)
        keys_add(&names, (struct key){ .text = env[i]->name });
    keys_sort(&names);
    for (size_t i = 1; i < count; i++) {
        const struct field_path at = path_index(&list, i);
        if (keys_repeated(&names, i) && hides(a, env[i]))
            warn_at(w->c, w->out, &at,
                    "hides previous definition of %s, which may be dropped when using apply",
                    text_quoted(a, text_of(env[i]->name)));
    }
}

static void profiles(struct pod_warnings *w, const char *name, const SecurityContext *s)
{
    struct arena *a = w->c->arena;
    const char *seccomp =
        str_printf(a, "container.seccomp.security.alpha.kubernetes.io/%s", text_of(name)).data;
    const char *apparmor =
        str_printf(a, "container.apparmor.security.beta.kubernetes.io/%s", text_of(name)).data;
    if (s == NULL || s->seccomp_profile == NULL)
        annotation(w, seccomp, seccomp_annotation);
    if (w->up != NULL && !w->apparmor && (s == NULL || s->app_armor_profile == NULL))
        annotation(w, apparmor,
                   "deprecated since v1.30; use the \"appArmorProfile\" field instead");
}

static void container(struct pod_warnings *w, const Container *c, const struct field_path *at)
{
    profiles(w, c->name, c->security_context);
    resources(w, c->resources, at);
    environment(w, c->env, c->n_env, at);
}

/* ---- ports ---- */

struct seen_port {
    const ContainerPort *port;
    const char *path;
};

static void port_clash(struct pod_warnings *w, const struct seen_port *mine,
                       const struct seen_port *other, const struct field_path *at)
{
    const ContainerPort *p = mine->port;
    const ContainerPort *q = other->port;
    bool no_ip = text_empty(p->host_ip);
    bool other_no_ip = text_empty(q->host_ip);
    if (p->container_port != q->container_port || !text_eq(p->protocol, text_of(q->protocol)))
        return;
    const char *what =
        p->host_port == q->host_port && text_eq(p->host_ip, text_of(q->host_ip)) ? "duplicate"
        : p->host_port == 0 || q->host_port == 0                                 ? "overlapping"
        : p->host_port == q->host_port && no_ip != other_no_ip ? "dangerously ambiguous"
                                                               : NULL;
    if (what != NULL)
        warn_at(w->c, w->out, at, "%s port definition with %s", what, other->path);
}

static void ports(struct pod_warnings *w, const PodSpec *spec)
{
    struct arena *a = w->c->arena;
    size_t count = 0;
    size_t most = 0;
    for (size_t i = 0; i < spec->n_init_containers; i++)
        most += spec->init_containers[i]->n_ports;
    for (size_t i = 0; i < spec->n_containers; i++)
        most += spec->containers[i]->n_ports;
    if (most > PORTS_COMPARED_MAX)
        return;
    struct seen_port *seen = arena_array(a, most, sizeof(*seen));
    for (size_t i = 0; i < spec->n_init_containers + spec->n_containers; i++) {
        bool init = i < spec->n_init_containers;
        size_t at = init ? i : i - spec->n_init_containers;
        const Container *c = init ? spec->init_containers[at] : spec->containers[at];
        const struct field_path list = path_field(w->spec, init ? "initContainers" : "containers");
        const struct field_path item = path_index(&list, at);
        const struct field_path all = path_field(&item, "ports");
        for (size_t k = 0; k < c->n_ports && w->out->count < RESOURCE_WARNINGS_MAX; k++) {
            const struct field_path path = path_index(&all, k);
            seen[count] = (struct seen_port){ c->ports[k], path_text(a, &path) };
            for (size_t o = 0; o < count; o++)
                port_clash(w, &seen[count], &seen[o], &path);
            count++;
        }
    }
}

/* ---- near and far ---- */

static void affinity_terms(struct pod_warnings *w, PodAffinityTerm *const *must, size_t n_must,
                           WeightedPodAffinityTerm *const *may, size_t n_may, const char *name)
{
    const struct field_path affinity = path_field(w->spec, "affinity");
    const struct field_path top = path_field(&affinity, name);
    const struct field_path required =
        path_field(&top, "requiredDuringSchedulingIgnoredDuringExecution");
    const struct field_path preferred =
        path_field(&top, "preferredDuringSchedulingIgnoredDuringExecution");
    for (size_t i = 0; i < n_must + n_may; i++) {
        bool hard = i < n_must;
        const PodAffinityTerm *t = hard ? must[i] : may[i - n_must]->pod_affinity_term;
        const struct field_path item =
            path_index(hard ? &required : &preferred, hard ? i : i - n_must);
        const struct field_path term = path_field(&item, "podAffinityTerm");
        const struct field_path at = path_field(hard ? &item : &term, "labelSelector");
        if (t == NULL || t->label_selector == NULL)
            warn_at(w->c, w->out, &at, "a null labelSelector results in matching no pod");
    }
}

static void pod_affinity(struct pod_warnings *w, const Affinity *a)
{
    const PodAffinity *near = a->pod_affinity;
    const PodAntiAffinity *far = a->pod_anti_affinity;
    if (near != NULL)
        affinity_terms(w, near->required_during_scheduling_ignored_during_execution,
                       near->n_required_during_scheduling_ignored_during_execution,
                       near->preferred_during_scheduling_ignored_during_execution,
                       near->n_preferred_during_scheduling_ignored_during_execution, "podAffinity");
    if (far != NULL)
        affinity_terms(w, far->required_during_scheduling_ignored_during_execution,
                       far->n_required_during_scheduling_ignored_during_execution,
                       far->preferred_during_scheduling_ignored_during_execution,
                       far->n_preferred_during_scheduling_ignored_during_execution,
                       "podAntiAffinity");
}

static void containers(struct pod_warnings *w, Container *const *list, size_t count,
                       const char *name)
{
    const struct field_path all = path_field(w->spec, name);
    for (size_t i = 0; i < count; i++) {
        const struct field_path at = path_index(&all, i);
        container(w, list[i], &at);
    }
}

void warn_pod(const struct resource_context *c, const PodSpec *spec, const ObjectMeta *meta,
              const struct field_path *template_path, struct resource_warnings *out)
{
    const struct field_path path = path_field(template_path, "spec");
    const struct field_path overhead = path_field(&path, "overhead");
    const struct field_path grace = path_field(&path, "terminationGracePeriodSeconds");
    const PodSecurityContext *s = spec->security_context;
    struct pod_warnings w = {
        .c = c,
        .out = out,
        .annotations = annotations_of(c->arena, meta),
        .up = template_path,
        .spec = &path,
        .seccomp = s != NULL && s->seccomp_profile != NULL,
        .apparmor = s != NULL && s->app_armor_profile != NULL,
    };
    placement(&w, spec);
    annotation(&w, "scheduler.alpha.kubernetes.io/critical-pod",
               "non-functional in v1.16+; use the \"priorityClassName\" field instead");
    annotation(&w, "security.alpha.kubernetes.io/sysctls",
               "non-functional in v1.11+; use the \"sysctls\" field instead");
    annotation(&w, "security.alpha.kubernetes.io/unsafe-sysctls",
               "non-functional in v1.11+; use the \"sysctls\" field instead");
    volumes(&w, spec);
    host_aliases(&w, spec);
    pull_secrets(&w, spec);
    fractions(&w, &(struct quantities){ spec->overhead, spec->n_overhead }, &overhead);
    if (!w.seccomp)
        annotation(&w, "seccomp.security.alpha.kubernetes.io/pod", seccomp_annotation);
    containers(&w, spec->init_containers, spec->n_init_containers, "initContainers");
    containers(&w, spec->containers, spec->n_containers, "containers");
    ports(&w, spec);
    if (spec->has_termination_grace_period_seconds && spec->termination_grace_period_seconds < 0)
        warn_at(c, out, &grace,
                "must be >= 0; negative values are invalid and will be treated as 1");
    if (spec->affinity != NULL)
        pod_affinity(&w, spec->affinity);
}
