/* Security contexts of pods and containers, and what an operating system rules out. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"

#define APPARMOR_PROFILE_BYTES_MAX 4095 /* a path */
#define SYSCTL_NAME_BYTES_MAX      253

static const char *const profile_types[] = { "Localhost", "RuntimeDefault", "Unconfined", NULL };

static void check_id(struct err_list *out, const struct field_path *up, const char *name, bool has,
                     int64_t id)
{
    struct field_path p = path_field(up, name);
    if (has && (id < 0 || id > INT32_MAX))
        rule_invalid_number(out, &p, id, "must be between 0 and 2147483647, inclusive");
}

static void validate_seccomp(const SeccompProfile *s, const struct field_path *up,
                             struct err_list *out)
{
    struct field_path p = path_field(up, "seccompProfile");
    struct field_path type = path_field(&p, "type");
    struct field_path profile = path_field(&p, "localhostProfile");
    if (s == NULL)
        return;
    if (text_empty(s->type))
        rule_required(out, &type, "type is required when seccompProfile is set");
    else
        (void)check_one_of(out, &type, s->type, profile_types);
    if (text_eq(s->type, "Localhost")) {
        if (s->localhost_profile == NULL)
            rule_required(out, &profile, "must be set when seccomp type is Localhost");
        else
            check_local_path(out, &profile, s->localhost_profile);
    } else if (s->localhost_profile != NULL) {
        struct arena *a = out->arena;
        struct str shown =
            str_printf(a, "{\"Type\":%s,\"LocalhostProfile\":%s}", text_quoted(a, s->type),
                       text_quoted(a, s->localhost_profile));
        rule_invalid(out, &profile, str_dup(a, shown),
                     "can only be set when seccomp type is Localhost");
    }
}

static bool is_padded(const char *text)
{
    size_t len = strlen(text);
    return len > 0 &&
           (strchr(" \t\r\n", text[0]) != NULL || strchr(" \t\r\n", text[len - 1]) != NULL);
}

static void validate_local_apparmor(const char *name, const struct field_path *p,
                                    struct err_list *out)
{
    if (text_empty(name))
        rule_required(out, p, "must be set when AppArmor type is Localhost");
    else if (is_padded(name))
        rule_invalid_text(out, p, name, "must not be padded with whitespace");
    if (strlen(text_of(name)) > APPARMOR_PROFILE_BYTES_MAX)
        rule_too_long(out, p, APPARMOR_PROFILE_BYTES_MAX);
}

static void validate_apparmor(const AppArmorProfile *a, const struct field_path *up,
                              struct err_list *out)
{
    struct field_path p = path_field(up, "appArmorProfile");
    struct field_path type = path_field(&p, "type");
    struct field_path profile = path_field(&p, "localhostProfile");
    if (a == NULL)
        return;
    if (text_empty(a->type))
        rule_required(out, &type, "type is required when appArmorProfile is set");
    else if (!check_one_of(out, &type, a->type, profile_types))
        return;
    else if (text_eq(a->type, "Localhost"))
        validate_local_apparmor(a->localhost_profile, &profile, out);
    else if (a->localhost_profile != NULL)
        rule_invalid_text(out, &profile, a->localhost_profile,
                          "can only be set when AppArmor type is Localhost");
}

/* ---- containers ---- */

static void validate_proc_mount(const SecurityContext *s, const PodSpec *spec,
                                const struct field_path *up, struct err_list *out)
{
    static const char *const types[] = { "Default", "Unmasked", NULL };
    struct field_path p = path_field(up, "procMount");
    bool host_users = !spec->has_host_users || spec->host_users;
    if (s->proc_mount == NULL)
        return;
    (void)check_one_of(out, &p, s->proc_mount, types);
    if (host_users && text_eq(s->proc_mount, "Unmasked"))
        rule_invalid_text(out, &p, s->proc_mount, "`hostUsers` must be false to use `Unmasked`");
}

static void validate_escalation(const SecurityContext *s, const struct field_path *p,
                                struct err_list *out)
{
    const Capabilities *c = s->capabilities;
    if (!s->has_allow_privilege_escalation || s->allow_privilege_escalation)
        return;
    if (s->has_privileged && s->privileged)
        rule_invalid_message(out, p, &schema_SecurityContext, s,
                             "cannot set `allowPrivilegeEscalation` to false and `privileged` to "
                             "true");
    for (size_t i = 0; c != NULL && i < c->n_add; i++) {
        if (text_eq(c->add[i], "CAP_SYS_ADMIN"))
            rule_invalid_message(out, p, &schema_SecurityContext, s,
                                 "cannot set `allowPrivilegeEscalation` to false and "
                                 "`capabilities.Add` CAP_SYS_ADMIN");
    }
}

void pod_container_security_validate(const struct Container *c, const struct PodSpec *spec,
                                     const struct field_path *up, struct err_list *out)
{
    const SecurityContext *s = c->security_context;
    struct field_path p = path_field(up, "securityContext");
    if (s == NULL)
        return;
    check_id(out, &p, "runAsUser", s->has_run_as_user, s->run_as_user);
    check_id(out, &p, "runAsGroup", s->has_run_as_group, s->run_as_group);
    validate_proc_mount(s, spec, &p, out);
    validate_seccomp(s->seccomp_profile, &p, out);
    validate_escalation(s, &p, out);
    validate_apparmor(s->app_armor_profile, &p, out);
}

/* ---- pods ---- */

static bool is_sysctl_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Segments of letters and digits with - and _ inside, joined by dots or slashes. */
static bool is_sysctl(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++) {
        bool joint = name[i] == '.' || name[i] == '/';
        bool inner = joint || name[i] == '-' || name[i] == '_';
        if (!inner && !is_sysctl_letter(name[i]))
            return false;
        bool first = i == 0 || name[i - 1] == '.' || name[i - 1] == '/';
        bool last = i + 1 == len || name[i + 1] == '.' || name[i + 1] == '/';
        if (inner && (first || (last && !joint) || i + 1 == len))
            return false;
    }
    return len > 0 && len <= SYSCTL_NAME_BYTES_MAX;
}

/* Does the name begin with the prefix, its dots written as dots or as slashes? */
static bool sysctl_begins(const char *name, const char *prefix)
{
    for (; *prefix != '\0'; prefix++, name++) {
        if (*name != *prefix && !(*prefix == '.' && *name == '/'))
            return false;
    }
    return true;
}

/* A sysctl of a namespace that the pod shares with the host would be the host's. */
static void validate_host_sysctl(const char *name, const PodSpec *spec, const struct field_path *p,
                                 struct err_list *out)
{
    static const char *const ipc[] = { "kernel.shm", "kernel.msg", "fs.mqueue." };
    if (spec->host_network && sysctl_begins(name, "net."))
        rule_invalid_text(out, p, name, "may not be specified when 'hostNetwork' is true");
    bool is_ipc = strcmp(name, "kernel.sem") == 0 || strcmp(name, "kernel/sem") == 0;
    for (size_t i = 0; i < sizeof(ipc) / sizeof(ipc[0]); i++)
        is_ipc = is_ipc || sysctl_begins(name, ipc[i]);
    if (spec->host_ipc && is_ipc)
        rule_invalid_text(out, p, name, "may not be specified when 'hostIPC' is true");
}

static void validate_sysctls(const PodSecurityContext *s, const PodSpec *spec,
                             const struct field_path *up, struct err_list *out)
{
    struct field_path list = path_field(up, "sysctls");
    struct keys taken = keys_new(out->arena, s->n_sysctls);
    for (size_t i = 0; i < s->n_sysctls; i++)
        keys_add(&taken, (struct key){ .text = s->sysctls[i]->name });
    keys_sort(&taken);
    for (size_t i = 0; i < s->n_sysctls; i++) {
        const char *name = text_of(s->sysctls[i]->name);
        struct field_path at = path_index(&list, i);
        struct field_path p = path_field(&at, "name");
        if (name[0] == '\0')
            rule_required(out, &p, "");
        else if (!is_sysctl(name))
            rule_invalid_text(out, &p, name,
                              "must have at most 253 characters and match regex "
                              "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*"
                              "[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
        else if (keys_repeated(&taken, i))
            rule_duplicate(out, &p, name);
        validate_host_sysctl(name, spec, &p, out);
    }
}

static void validate_policies(const PodSecurityContext *s, const struct field_path *p,
                              struct err_list *out)
{
    static const char *const owners[] = { "Always", "OnRootMismatch", NULL };
    static const char *const groups[] = { "Merge", "Strict", NULL };
    static const char *const labels[] = { "MountOption", "Recursive", NULL };
    struct field_path owner = path_field(p, "fsGroupChangePolicy");
    struct field_path group = path_field(p, "supplementalGroupsPolicy");
    struct field_path label = path_field(p, "seLinuxChangePolicy");
    if (s->fs_group_change_policy != NULL)
        (void)check_one_of(out, &owner, s->fs_group_change_policy, owners);
    validate_seccomp(s->seccomp_profile, p, out);
    validate_apparmor(s->app_armor_profile, p, out);
    if (s->supplemental_groups_policy != NULL)
        (void)check_one_of(out, &group, s->supplemental_groups_policy, groups);
    if (s->se_linux_change_policy != NULL)
        (void)check_one_of(out, &label, s->se_linux_change_policy, labels);
}

void pod_security_validate(const struct PodSpec *spec, const struct field_path *path,
                           struct err_list *out)
{
    static const PodSecurityContext none = POD_SECURITY_CONTEXT__INIT;
    const PodSecurityContext *s = spec->security_context == NULL ? &none : spec->security_context;
    struct field_path p = path_field(path, "securityContext");
    struct field_path groups = path_field(&p, "supplementalGroups");
    struct field_path share = path_field(&p, "shareProcessNamespace"); /* upstream's place for it */
    check_id(out, &p, "fsGroup", s->has_fs_group, s->fs_group);
    check_id(out, &p, "runAsUser", s->has_run_as_user, s->run_as_user);
    check_id(out, &p, "runAsGroup", s->has_run_as_group, s->run_as_group);
    for (size_t i = 0; i < s->n_supplemental_groups; i++) {
        struct field_path at = path_index(&groups, i);
        if (s->supplemental_groups[i] < 0 || s->supplemental_groups[i] > INT32_MAX)
            rule_invalid_number(out, &at, s->supplemental_groups[i],
                                "must be between 0 and 2147483647, inclusive");
    }
    if (spec->host_pid && spec->share_process_namespace)
        rule_invalid(out, &share, "true",
                     "ShareProcessNamespace and HostPID cannot both be enabled");
    validate_sysctls(s, spec, &p, out);
    validate_policies(s, &p, out);
}

void pod_host_users_validate(const struct PodSpec *spec, const struct field_path *path,
                             struct err_list *out)
{
    const struct {
        const char *field; /* as upstream writes them here */
        bool set;
    } shared[] = { { "hostNetwork", spec->host_network },
                   { "HostPID", spec->host_pid },
                   { "HostIPC", spec->host_ipc } };
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        struct field_path p = path_field(path, shared[i].field);
        if (spec->has_host_users && !spec->host_users && shared[i].set)
            rule_forbidden(out, &p, "when `pod.Spec.HostUsers` is false");
    }
}
