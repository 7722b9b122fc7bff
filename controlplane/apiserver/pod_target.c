/* Looked up in the store at the request's read point. */
#include "controlplane/apiserver/pod_target.h"

#include "controlplane/apiserver/backends.h"
#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/write.h"

/* As upstream counts them: init containers, the pod's own, ephemeral ones. NULL behind the last. */
static const char *container_name(const PodSpec *spec, size_t i)
{
    if (i < spec->n_init_containers) {
        return spec->init_containers[i]->name;
    }
    i -= spec->n_init_containers;
    if (i < spec->n_containers) {
        return spec->containers[i]->name;
    }
    i -= spec->n_containers;
    if (i >= spec->n_ephemeral_containers) {
        return NULL;
    }
    const EphemeralContainerCommon *common =
        spec->ephemeral_containers[i]->ephemeral_container_common;
    return common == NULL || common->name == NULL ? "" : common->name;
}

static int bad_container(struct request *r, const PodSpec *spec, struct str wanted)
{
    struct buf names;
    const char *name = NULL;
    if (wanted.len > 0) {
        return status_bad_request(&r->status,
                                  str_printf(&r->arena, "container %.*s is not valid for pod %.*s",
                                             STR_ARG(wanted), STR_ARG(r->route.name)));
    }
    buf_init(&names);
    for (size_t i = 0; (name = container_name(spec, i)) != NULL; i++) {
        buf_printf(&names, "%s%s", i > 0 ? " " : "", name);
    }
    int rc = status_bad_request(
        &r->status, str_printf(&r->arena,
                               "a container name must be specified for pod %.*s, choose one of: "
                               "[%.*s]",
                               STR_ARG(r->route.name), STR_ARG(buf_str(&names))));
    buf_deinit(&names);
    return rc;
}

int pod_target_container(struct request *r, const Pod *pod, struct str *out)
{
    struct str wanted = route_param(&r->route, "container");
    const PodSpec *spec = pod->spec;
    const char *name = NULL;
    if (wanted.len == 0 && spec->n_containers == 1) {
        *out = str_from(spec->containers[0]->name);
        return 0;
    }
    for (size_t i = 0; wanted.len > 0 && (name = container_name(spec, i)) != NULL; i++) {
        if (str_eq_c(wanted, name)) {
            *out = wanted;
            return 0;
        }
    }
    return bad_container(r, spec, wanted);
}

int pod_target_unavailable(struct request *r, struct str text)
{
    struct err e;
    int rc = status_from_err(&r->arena, &r->status,
                             err_set(&e, ERR_UNAVAILABLE, "%.*s", STR_ARG(text)), &e);
    /* It is not this server that is busy: upstream names no time, and kubectl waits for none. */
    r->status.details = false;
    r->status.retry_after_s = 0;
    return rc;
}

int pod_target_node(struct request *r, struct str name, struct backend *out)
{
    struct stored found;
    void *object = NULL;
    int rc = request_read(r, request_key(r, KIND_NODE, str_lit(""), name), &found);
    if (rc == -ERR_NOT_FOUND) {
        return status_not_found(&r->arena, &r->status, kind_info(KIND_NODE), name);
    }
    rc = rc == 0 ? object_unpack(r, kind_info(KIND_NODE), found.payload, &object) : rc;
    if (rc != 0) {
        return rc;
    }
    const Node *node = object;
    const NodeStatus *status = node->status;
    *out = (struct backend){ .kind = BACKEND_KUBELET, .port = KUBELET_PORT };
    if (status != NULL && status->daemon_endpoints != NULL &&
        status->daemon_endpoints->kubelet_endpoint != NULL &&
        status->daemon_endpoints->kubelet_endpoint->port > 0) {
        out->port = status->daemon_endpoints->kubelet_endpoint->port;
    }
    for (size_t i = 0; status != NULL && i < status->n_addresses; i++) {
        if (str_eq_c(write_text(status->addresses[i]->type), "InternalIP")) {
            out->address = write_text(status->addresses[i]->address);
            return 0;
        }
    }
    return pod_target_unavailable(r, str_lit("the node has no InternalIP address"));
}

int pod_target_find(struct request *r, const Pod **out)
{
    struct stored found;
    void *object = NULL;
    int rc = request_read(r, request_key(r, KIND_POD, r->route.ns, r->route.name), &found);
    if (rc == -ERR_NOT_FOUND) {
        return status_not_found(&r->arena, &r->status, kind_info(KIND_POD), r->route.name);
    }
    rc = rc == 0 ? object_unpack(r, kind_info(KIND_POD), found.payload, &object) : rc;
    *out = object;
    return rc;
}

int pod_target_client(struct request *r, const struct backend *to, struct http_client **out)
{
    const char *why = "";
    *out = backends_get(r->loop->backends, to, &why);
    return *out != NULL ? 0 : pod_target_unavailable(r, str_from(why));
}

int pod_target_agent(struct request *r, const Pod *pod, struct http_client **out,
                     struct str *out_host)
{
    struct str node = write_text(pod->spec->node_name);
    struct backend agent;
    if (node.len == 0) {
        return status_bad_request(&r->status,
                                  str_printf(&r->arena, "pod %.*s does not have a host assigned",
                                             STR_ARG(r->route.name)));
    }
    int rc = pod_target_node(r, node, &agent);
    rc = rc == 0 ? pod_target_client(r, &agent, out) : rc;
    if (rc == 0) {
        *out_host = backend_host(&r->arena, &agent);
    }
    return rc;
}
