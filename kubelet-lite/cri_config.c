/* CRI messages of a pod and its containers (see the header). */
#include "kubelet-lite/cri_config.h"

#include <string.h>

#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"
#include "kubelet-lite/plan.h"
#include "kubelet-lite/resources.h"

#define HOSTNAME_BYTES_MAX 63

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

/* A zeroed message of the type, ready to pack. */
void *cri_message(struct arena *a, const ProtobufCMessageDescriptor *d)
{
    ProtobufCMessage *m = arena_alloc(a, d->sizeof_message);
    protobuf_c_message_init(d, m);
    return m;
}

struct text_entry {
    ProtobufCMessage base;
    char *key;
    char *value;
};

/* Appends to a repeated map entry of two strings. */
void *cri_entry_add(struct arena *a, const ProtobufCMessageDescriptor *d, void *entries,
                    size_t *count, const char *key, const char *value)
{
    struct text_entry **grown = arena_array(a, *count + 1, sizeof *grown);
    if (*count > 0)
        memcpy(grown, entries, *count * sizeof *grown);
    grown[*count] = cri_message(a, d);
    grown[*count]->key = (char *)key;
    grown[*count]->value = (char *)value;
    (*count)++;
    return grown;
}

/* ---- names ---- */

const char *pod_hostname(struct arena *a, const struct Pod *pod)
{
    const char *name = text(pod->spec->hostname);
    struct str s = str_from(name[0] != '\0' ? name : text(pod->metadata->name));
    if (s.len > HOSTNAME_BYTES_MAX) {
        s.len = HOSTNAME_BYTES_MAX;
        while (s.len > 0 && (s.data[s.len - 1] == '-' || s.data[s.len - 1] == '.'))
            s.len--;
    }
    return str_dup(a, s);
}

struct str pod_hosts(struct arena *a, const struct Pod *pod, const char *pod_ip)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"
                     "::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
                     "fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n");
    const char *host = pod_hostname(a, pod);
    if (pod_ip[0] != '\0' && text(pod->spec->subdomain)[0] != '\0')
        buf_printf(&b, "%s\t%s.%s.%s.svc.cluster.local\t%s\n", pod_ip, host, pod->spec->subdomain,
                   text(pod->metadata->namespace_), host);
    else if (pod_ip[0] != '\0')
        buf_printf(&b, "%s\t%s\n", pod_ip, host);
    if (pod->spec->n_host_aliases > 0)
        buf_append_c(&b, "\n# Entries added by HostAliases.\n");
    for (size_t i = 0; i < pod->spec->n_host_aliases; i++) {
        const HostAlias *alias = pod->spec->host_aliases[i];
        buf_append_c(&b, text(alias->ip));
        for (size_t j = 0; j < alias->n_hostnames; j++)
            buf_printf(&b, "\t%s", alias->hostnames[j]);
        buf_append_c(&b, "\n");
    }
    struct str out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return out;
}

const char *container_log_path(struct arena *a, const char *container, uint32_t attempt)
{
    return str_printf(a, "%s/%u.log", container, attempt).data;
}

/* ---- the sandbox ---- */

Runtime__V1__NamespaceOption *cri_namespaces(struct arena *a, const struct Pod *pod)
{
    const PodSpec *spec = pod->spec;
    Runtime__V1__NamespaceOption *o = cri_message(a, &runtime__v1__namespace_option__descriptor);
    o->network =
        spec->host_network ? RUNTIME__V1__NAMESPACE_MODE__NODE : RUNTIME__V1__NAMESPACE_MODE__POD;
    o->pid = spec->host_pid                  ? RUNTIME__V1__NAMESPACE_MODE__NODE
             : spec->share_process_namespace ? RUNTIME__V1__NAMESPACE_MODE__POD
                                             : RUNTIME__V1__NAMESPACE_MODE__CONTAINER;
    o->ipc = spec->host_ipc ? RUNTIME__V1__NAMESPACE_MODE__NODE : RUNTIME__V1__NAMESPACE_MODE__POD;
    return o;
}

Runtime__V1__Int64Value *cri_int64(struct arena *a, bool has, int64_t n)
{
    if (!has)
        return NULL;
    Runtime__V1__Int64Value *v = cri_message(a, &runtime__v1__int64_value__descriptor);
    v->value = n;
    return v;
}

Runtime__V1__SecurityProfile *cri_seccomp(struct arena *a, const struct SeccompProfile *profile)
{
    Runtime__V1__SecurityProfile *p = cri_message(a, &runtime__v1__security_profile__descriptor);
    bool runtime = profile != NULL && strcmp(text(profile->type), "RuntimeDefault") == 0;
    p->profile_type =
        runtime ? RUNTIME__V1__PROFILE_TYPE__RuntimeDefault : RUNTIME__V1__PROFILE_TYPE__Unconfined;
    return p;
}

static bool any_privileged(const PodSpec *spec)
{
    for (size_t i = 0; i < spec->n_containers; i++)
        if (spec->containers[i]->security_context != NULL &&
            spec->containers[i]->security_context->privileged)
            return true;
    for (size_t i = 0; i < spec->n_init_containers; i++)
        if (spec->init_containers[i]->security_context != NULL &&
            spec->init_containers[i]->security_context->privileged)
            return true;
    return false;
}

static Runtime__V1__LinuxPodSandboxConfig *sandbox_linux(struct arena *a, const struct Pod *pod,
                                                         const struct pod_place *place)
{
    Runtime__V1__LinuxPodSandboxConfig *l =
        cri_message(a, &runtime__v1__linux_pod_sandbox_config__descriptor);
    Runtime__V1__LinuxSandboxSecurityContext *s =
        cri_message(a, &runtime__v1__linux_sandbox_security_context__descriptor);
    const PodSecurityContext *p = pod->spec->security_context;
    l->cgroup_parent = (char *)place->cgroup_parent;
    l->security_context = s;
    s->namespace_options = cri_namespaces(a, pod);
    s->privileged = any_privileged(pod->spec);
    s->seccomp =
        cri_seccomp(a, p != NULL && p->seccomp_profile != NULL ? p->seccomp_profile : NULL);
    if (p == NULL)
        return l;
    s->run_as_user = cri_int64(a, p->has_run_as_user, p->run_as_user);
    /* The runtime takes a group only together with a user. */
    s->run_as_group = cri_int64(a, p->has_run_as_user && p->has_run_as_group, p->run_as_group);
    s->supplemental_groups = p->supplemental_groups;
    s->n_supplemental_groups = p->n_supplemental_groups;
    for (size_t i = 0; i < p->n_sysctls; i++)
        l->sysctls = cri_entry_add(
            a, &runtime__v1__linux_pod_sandbox_config__sysctls_entry__descriptor, l->sysctls,
            &l->n_sysctls, text(p->sysctls[i]->name), text(p->sysctls[i]->value));
    return l;
}

static void port_mappings(struct arena *a, const PodSpec *spec, Runtime__V1__PodSandboxConfig *out)
{
    size_t n = 0;
    for (size_t i = 0; i < spec->n_containers; i++)
        n += spec->containers[i]->n_ports;
    out->port_mappings = arena_array(a, n, sizeof *out->port_mappings);
    for (size_t i = 0; i < spec->n_containers; i++) {
        for (size_t j = 0; j < spec->containers[i]->n_ports; j++) {
            const ContainerPort *port = spec->containers[i]->ports[j];
            if (port->host_port == 0)
                continue;
            Runtime__V1__PortMapping *m = cri_message(a, &runtime__v1__port_mapping__descriptor);
            m->protocol = strcmp(text(port->protocol), "UDP") == 0    ? RUNTIME__V1__PROTOCOL__UDP
                          : strcmp(text(port->protocol), "SCTP") == 0 ? RUNTIME__V1__PROTOCOL__SCTP
                                                                      : RUNTIME__V1__PROTOCOL__TCP;
            m->container_port = port->container_port;
            m->host_port = port->host_port;
            m->host_ip = (char *)text(port->host_ip);
            out->port_mappings[out->n_port_mappings++] = m;
        }
    }
}

static Runtime__V1__DNSConfig *dns(struct arena *a, const PodSpec *spec)
{
    /* Other policies: the node's resolv.conf, which the runtime copies. */
    if (strcmp(text(spec->dns_policy), "None") != 0 || spec->dns_config == NULL)
        return NULL;
    const PodDNSConfig *from = spec->dns_config;
    Runtime__V1__DNSConfig *d = cri_message(a, &runtime__v1__dnsconfig__descriptor);
    d->servers = from->nameservers;
    d->n_servers = from->n_nameservers;
    d->searches = from->searches;
    d->n_searches = from->n_searches;
    d->options = arena_array(a, from->n_options, sizeof *d->options);
    d->n_options = from->n_options;
    for (size_t i = 0; i < from->n_options; i++) {
        const PodDNSConfigOption *o = from->options[i];
        d->options[i] = o->value != NULL
                            ? (char *)str_printf(a, "%s:%s", text(o->name), o->value).data
                            : (char *)text(o->name);
    }
    return d;
}

Runtime__V1__PodSandboxConfig *sandbox_config(struct arena *a, const struct Pod *pod,
                                              const struct pod_place *place, uint32_t attempt)
{
    Runtime__V1__PodSandboxConfig *c = cri_message(a, &runtime__v1__pod_sandbox_config__descriptor);
    const ProtobufCMessageDescriptor *label =
        &runtime__v1__pod_sandbox_config__labels_entry__descriptor;
    const ObjectMeta *meta = pod->metadata;
    c->metadata = cri_message(a, &runtime__v1__pod_sandbox_metadata__descriptor);
    c->metadata->name = (char *)text(meta->name);
    c->metadata->namespace_ = (char *)text(meta->namespace_);
    c->metadata->uid = (char *)text(meta->uid);
    c->metadata->attempt = attempt;
    c->hostname = pod->spec->host_network ? (char *)"" : (char *)pod_hostname(a, pod);
    c->log_directory = (char *)place->log_dir;
    c->dns_config = dns(a, pod->spec);
    port_mappings(a, pod->spec, c);
    for (size_t i = 0; i < meta->n_labels; i++)
        c->labels = cri_entry_add(a, label, c->labels, &c->n_labels, meta->labels[i]->key,
                                  text(meta->labels[i]->value));
    c->labels = cri_entry_add(a, label, c->labels, &c->n_labels, LABEL_POD_NAME, text(meta->name));
    c->labels = cri_entry_add(a, label, c->labels, &c->n_labels, LABEL_POD_NAMESPACE,
                              text(meta->namespace_));
    c->labels = cri_entry_add(a, label, c->labels, &c->n_labels, LABEL_POD_UID, text(meta->uid));
    c->linux = sandbox_linux(a, pod, place);
    return c;
}
