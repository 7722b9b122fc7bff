/* What a pod that names its operating system may not ask for: the other system's settings. */
#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "controlplane/resources/pod.h"

static const char for_linux[] = "windows options cannot be set for a linux pod";
static const char for_windows[] = "cannot be set for a windows pod";

struct setting {
    const char *name;
    bool set;
};

static void forbid(const struct setting *settings, size_t count, const char *detail,
                   const struct field_path *up, struct err_list *out)
{
    for (size_t i = 0; i < count; i++) {
        struct field_path p = path_field(up, settings[i].name);
        if (settings[i].set)
            rule_forbidden(out, &p, detail);
    }
}

#define FORBID(settings, detail, up, out)                                                          \
    forbid(settings, sizeof(settings) / sizeof((settings)[0]), detail, up, out)

static void validate_container(const SecurityContext *s, bool windows, const struct field_path *up,
                               struct err_list *out)
{
    struct field_path p = path_field(up, "securityContext");
    if (s == NULL)
        return;
    const struct setting of_linux[] = {
        { "appArmorProfile", s->app_armor_profile != NULL },
        { "seLinuxOptions", s->se_linux_options != NULL },
        { "seccompProfile", s->seccomp_profile != NULL },
        { "capabilities", s->capabilities != NULL },
        { "readOnlyRootFilesystem", s->has_read_only_root_filesystem },
        { "privileged", s->has_privileged },
        { "allowPrivilegeEscalation", s->has_allow_privilege_escalation },
        { "procMount", s->proc_mount != NULL },
        { "runAsUser", s->has_run_as_user },
        { "runAsGroup", s->has_run_as_group }
    };
    const struct setting of_windows[] = { { "windowsOptions", s->windows_options != NULL } };
    if (windows)
        FORBID(of_linux, for_windows, &p, out);
    else
        FORBID(of_windows, for_linux, &p, out);
}

static void validate_containers(const PodSpec *spec, bool windows, const struct field_path *path,
                                struct err_list *out)
{
    struct field_path init = path_field(path, "initContainers");
    struct field_path containers = path_field(path, "containers");
    struct field_path ephemeral = path_field(path, "ephemeralContainers");
    for (size_t i = 0; i < spec->n_init_containers; i++) {
        struct field_path p = path_index(&init, i);
        validate_container(spec->init_containers[i]->security_context, windows, &p, out);
    }
    for (size_t i = 0; i < spec->n_containers; i++) {
        struct field_path p = path_index(&containers, i);
        validate_container(spec->containers[i]->security_context, windows, &p, out);
    }
    for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
        const EphemeralContainerCommon *c =
            spec->ephemeral_containers[i]->ephemeral_container_common;
        struct field_path p = path_index(&ephemeral, i);
        if (c != NULL)
            validate_container(c->security_context, windows, &p, out);
    }
}

static void validate_windows(const PodSpec *spec, const struct field_path *path,
                             struct err_list *out)
{
    const PodSecurityContext *s = spec->security_context;
    struct field_path p = path_field(path, "securityContext");
    const struct setting of_spec[] = { { "hostUsers", spec->has_host_users },
                                       { "hostPID", spec->host_pid },
                                       { "hostIPC", spec->host_ipc },
                                       { "shareProcessNamespace",
                                         spec->has_share_process_namespace } };
    FORBID(of_spec, for_windows, path, out);
    if (s == NULL)
        return;
    const struct setting of_context[] = {
        { "appArmorProfile", s->app_armor_profile != NULL },
        { "seLinuxOptions", s->se_linux_options != NULL },
        { "seccompProfile", s->seccomp_profile != NULL },
        { "fsGroup", s->has_fs_group },
        { "fsGroupChangePolicy", s->fs_group_change_policy != NULL },
        { "sysctls", s->n_sysctls > 0 },
        { "runAsUser", s->has_run_as_user },
        { "runAsGroup", s->has_run_as_group },
        { "supplementalGroups", s->n_supplemental_groups > 0 },
        { "supplementalGroupsPolicy", s->supplemental_groups_policy != NULL },
        { "seLinuxChangePolicy", s->se_linux_change_policy != NULL }
    };
    FORBID(of_context, for_windows, &p, out);
}

static void validate_linux(const PodSpec *spec, const struct field_path *path, struct err_list *out)
{
    const PodSecurityContext *s = spec->security_context;
    struct field_path p = path_field(path, "securityContext");
    const struct setting of_windows[] = { { "windowsOptions",
                                            s != NULL && s->windows_options != NULL } };
    FORBID(of_windows, for_linux, &p, out);
}

void pod_os_validate(const struct PodSpec *spec, const struct field_path *path,
                     struct err_list *out)
{
    static const char *const systems[] = { "linux", "windows", NULL };
    struct field_path os = path_field(path, "os");
    struct field_path name = path_field(&os, "name");
    if (spec->os == NULL)
        return;
    if (text_empty(spec->os->name)) {
        rule_required(out, &name, "cannot be empty");
        return;
    }
    if (!check_one_of(out, &os, spec->os->name, systems))
        return;
    bool windows = text_eq(spec->os->name, "windows");
    if (windows)
        validate_windows(spec, path, out);
    else
        validate_linux(spec, path, out);
    validate_containers(spec, windows, path, out);
}
