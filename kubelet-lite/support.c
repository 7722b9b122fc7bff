/* Unsupported fields (see the header): a pod that asks for one is refused as a whole, because
 * running it without would break what its author relies on. */
#include "kubelet-lite/support.h"

#include <string.h>

#include "api/meta/text.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"

/* One field that may be set. */
struct field {
    bool set;
    const char *path;
};

static const char *first_set(const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].set)
            return fields[i].path;
    return NULL;
}

#define FIRST_SET(fields) first_set((fields), sizeof(fields) / sizeof((fields)[0]))

static bool seccomp_odd(const SeccompProfile *p)
{
    return p != NULL && strcmp(text_of(p->type), "Localhost") == 0;
}

static const char *check_security(const SecurityContext *s)
{
    if (s == NULL)
        return NULL;
    const struct field fields[] = {
        { s->se_linux_options != NULL, "securityContext.seLinuxOptions" },
        { s->windows_options != NULL, "securityContext.windowsOptions" },
        { s->app_armor_profile != NULL, "securityContext.appArmorProfile" },
        { seccomp_odd(s->seccomp_profile), "securityContext.seccompProfile.localhostProfile" },
        { s->proc_mount != NULL && strcmp(s->proc_mount, "Default") != 0,
          "securityContext.procMount" }
    };
    return FIRST_SET(fields);
}

/* Is a string set to something else than upstream's default? */
static bool odd(const char *value, const char *usual)
{
    return !text_empty(value) && !text_eq(value, usual);
}

static const char *check_container(struct arena *a, const Container *c, bool init)
{
    const struct field fields[] = {
        { c->liveness_probe != NULL, "livenessProbe" },
        { c->readiness_probe != NULL, "readinessProbe" },
        { c->startup_probe != NULL, "startupProbe" },
        { c->lifecycle != NULL, "lifecycle" },
        { odd(c->termination_message_path, "/dev/termination-log"), "terminationMessagePath" },
        { odd(c->termination_message_policy, "File"), "terminationMessagePolicy" },
        { c->n_volume_devices > 0, "volumeDevices" },
        { c->n_restart_policy_rules > 0, "restartPolicyRules" },
        { init && text_of(c->restart_policy)[0] != '\0', "restartPolicy" },
        { !init && text_of(c->restart_policy)[0] != '\0', "restartPolicy" },
        { c->resources != NULL && c->resources->n_claims > 0, "resources.claims" }
    };
    const char *path = FIRST_SET(fields);
    if (path == NULL)
        path = check_security(c->security_context);
    for (size_t i = 0; path == NULL && i < c->n_volume_mounts; i++)
        if (text_of(c->volume_mounts[i]->sub_path_expr)[0] != '\0')
            path = str_printf(a, "volumeMounts[%zu].subPathExpr", i).data;
    for (size_t i = 0; path == NULL && i < c->n_volume_mounts; i++)
        if (odd(c->volume_mounts[i]->recursive_read_only, "Disabled"))
            path = str_printf(a, "volumeMounts[%zu].recursiveReadOnly", i).data;
    for (size_t i = 0; path == NULL && i < c->n_env; i++)
        if (c->env[i]->value_from != NULL && c->env[i]->value_from->file_key_ref != NULL)
            path = str_printf(a, "env[%zu].valueFrom.fileKeyRef", i).data;
    return path;
}

static const char *check_volume(struct arena *a, const VolumeSource *v)
{
    if (v == NULL)
        return NULL;
    for (size_t i = 0; v->projected != NULL && i < v->projected->n_sources; i++) {
        const VolumeProjection *p = v->projected->sources[i];
        const char *source = p->service_account_token != NULL  ? "serviceAccountToken"
                             : p->cluster_trust_bundle != NULL ? "clusterTrustBundle"
                             : p->pod_certificate != NULL      ? "podCertificate"
                                                               : NULL;
        if (source != NULL)
            return str_printf(a, "projected.sources[%zu].%s", i, source).data;
    }
    if (v->empty_dir != NULL && strncmp(text_of(v->empty_dir->medium), "HugePages", 9) == 0)
        return "emptyDir.medium";
    if (v->empty_dir != NULL && v->empty_dir->size_limit != NULL &&
        text_empty(v->empty_dir->medium))
        return "emptyDir.sizeLimit";
    const struct field fields[] = { { v->gce_persistent_disk != NULL, "gcePersistentDisk" },
                                    { v->aws_elastic_block_store != NULL, "awsElasticBlockStore" },
                                    { v->git_repo != NULL, "gitRepo" },
                                    { v->nfs != NULL, "nfs" },
                                    { v->iscsi != NULL, "iscsi" },
                                    { v->glusterfs != NULL, "glusterfs" },
                                    { v->persistent_volume_claim != NULL, "persistentVolumeClaim" },
                                    { v->rbd != NULL, "rbd" },
                                    { v->flex_volume != NULL, "flexVolume" },
                                    { v->cinder != NULL, "cinder" },
                                    { v->cephfs != NULL, "cephfs" },
                                    { v->flocker != NULL, "flocker" },
                                    { v->fc != NULL, "fc" },
                                    { v->azure_file != NULL, "azureFile" },
                                    { v->vsphere_volume != NULL, "vsphereVolume" },
                                    { v->quobyte != NULL, "quobyte" },
                                    { v->azure_disk != NULL, "azureDisk" },
                                    { v->photon_persistent_disk != NULL, "photonPersistentDisk" },
                                    { v->portworx_volume != NULL, "portworxVolume" },
                                    { v->scale_io != NULL, "scaleIO" },
                                    { v->storageos != NULL, "storageos" },
                                    { v->csi != NULL, "csi" },
                                    { v->ephemeral != NULL, "ephemeral" },
                                    { v->image != NULL, "image" } };
    return FIRST_SET(fields);
}

static const char *check_spec(const PodSpec *s)
{
    bool dns_custom = s->dns_config != NULL && strcmp(text_of(s->dns_policy), "None") != 0;
    /* Ephemeral containers are not refused: they come to a pod that runs, and it runs on without
     * them. */
    const struct field fields[] = {
        { s->n_image_pull_secrets > 0, "spec.imagePullSecrets" },
        { s->has_active_deadline_seconds, "spec.activeDeadlineSeconds" },
        { s->n_readiness_gates > 0, "spec.readinessGates" },
        { text_of(s->runtime_class_name)[0] != '\0', "spec.runtimeClassName" },
        { s->n_overhead > 0, "spec.overhead" },
        { s->set_hostname_as_fqdn, "spec.setHostnameAsFQDN" },
        { s->has_host_users && !s->host_users, "spec.hostUsers" },
        { s->n_resource_claims > 0, "spec.resourceClaims" },
        { s->resources != NULL, "spec.resources" },
        { text_of(s->hostname_override)[0] != '\0', "spec.hostnameOverride" },
        { s->os != NULL && strcmp(text_of(s->os->name), "linux") != 0, "spec.os" },
        { dns_custom, "spec.dnsConfig (with a dnsPolicy other than None)" },
        { s->security_context != NULL && s->security_context->se_linux_options != NULL,
          "spec.securityContext.seLinuxOptions" },
        { s->security_context != NULL &&
              odd(s->security_context->supplemental_groups_policy, "Merge"),
          "spec.securityContext.supplementalGroupsPolicy" },
        { s->security_context != NULL && s->security_context->app_armor_profile != NULL,
          "spec.securityContext.appArmorProfile" },
        { s->security_context != NULL && seccomp_odd(s->security_context->seccomp_profile),
          "spec.securityContext.seccompProfile.localhostProfile" }
    };
    return FIRST_SET(fields);
}

static const char *check_containers(struct arena *a, Container **list, size_t count,
                                    const char *name, bool init)
{
    for (size_t i = 0; i < count; i++) {
        const char *path = check_container(a, list[i], init);
        if (path != NULL)
            return str_printf(a, "spec.%s[%zu].%s", name, i, path).data;
    }
    return NULL;
}

bool pod_supported(struct arena *a, const struct Pod *pod, const char **out_message)
{
    const PodSpec *s = pod->spec;
    const char *path = check_spec(s);
    if (path == NULL)
        path =
            check_containers(a, s->init_containers, s->n_init_containers, "initContainers", true);
    if (path == NULL)
        path = check_containers(a, s->containers, s->n_containers, "containers", false);
    for (size_t i = 0; path == NULL && i < s->n_volumes; i++) {
        const char *source = check_volume(a, s->volumes[i]->volume_source);
        if (source != NULL)
            path = str_printf(a, "spec.volumes[%zu].%s", i, source).data;
    }
    if (path == NULL)
        return true;
    *out_message = str_printf(a, "%s is not supported by this node yet", path).data;
    return false;
}
