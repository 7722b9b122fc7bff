/* Containers as the runtime is told them. */
#include <string.h>

#include "kubelet-lite/cri_config.h"
#include "tests/unit/kubelet-lite/fixture.h"
#include "tests/unit/unit.h"

static const struct pod_place place = { "/g/burstable/podu", "/logs/n_p_u", "/pods/u/etc-hosts",
                                        "node-1", 1 << 30 };

static Runtime__V1__ContainerConfig *config_of(struct fixture *f, const char *pod_spec,
                                               const char *container, struct err *e)
{
    static const char *mounts[] = { "/pods/u/volumes/v" };
    struct env_var items[] = { { STR("A"), STR("one") } };
    struct env_vars vars = { items, 1, 1 };
    struct container_place where = { .image_ref = "sha256:1",
                                     .image_user = "",
                                     .mounts = mounts,
                                     .vars = &vars,
                                     .attempt = 3,
                                     .backoff_level = 2 };
    Runtime__V1__ContainerConfig *c = NULL;
    Pod *pod = fixture_pod(f, str_printf(&f->a,
                                         "{'metadata':{'name':'p','namespace':'n','uid':'u'},"
                                         "'spec':{'containers':[{'name':'c','image':'i'%s}]%s}}",
                                         container, pod_spec)
                                  .data);
    return container_config(&f->a, pod, pod->spec->containers[0], &place, &where, &c, e) == 0
               ? c
               : NULL;
}

static void test_plain(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    Runtime__V1__ContainerConfig *c =
        config_of(f, "",
                  ",'command':['run','$(A)'],'args':['$$(A)'],'volumeMounts':[{'name':'v',"
                  "'mountPath':'data','readOnly':true}]",
                  &e);
    assert_non_null(c);
    assert_string_equal(c->metadata->name, "c");
    assert_int_equal(c->metadata->attempt, 3);
    assert_string_equal(c->log_path, "c/3.log");
    assert_string_equal(c->command[1], "one");
    assert_string_equal(c->args[0], "$(A)");
    assert_string_equal(c->envs[0]->key, "A");
    assert_int_equal(c->n_mounts, 2);
    assert_string_equal(c->mounts[0]->container_path, "/data");
    assert_true(c->mounts[0]->readonly);
    assert_string_equal(c->mounts[1]->container_path, "/etc/hosts");
    assert_int_equal(c->linux->resources->oom_score_adj, 1000);
    assert_true(c->linux->security_context->n_masked_paths > 0);
    assert_null(c->linux->security_context->run_as_user);
    bool found = false;
    for (size_t i = 0; i < c->n_annotations; i++)
        if (strcmp(c->annotations[i]->key, ANNOTATION_BACKOFF) == 0)
            found = strcmp(c->annotations[i]->value, "2") == 0;
    assert_true(found);
}

static void test_security(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    Runtime__V1__ContainerConfig *c = config_of(
        f, ",'securityContext':{'runAsUser':7,'runAsGroup':8,'fsGroup':9,'supplementalGroups':[5]}",
        ",'securityContext':{'runAsUser':1,'allowPrivilegeEscalation':false,'capabilities':{"
        "'drop':['ALL']},'seccompProfile':{'type':'RuntimeDefault'}}",
        &e);
    assert_non_null(c);
    const Runtime__V1__LinuxContainerSecurityContext *s = c->linux->security_context;
    assert_int_equal(s->run_as_user->value, 1);
    assert_int_equal(s->run_as_group->value, 8);
    assert_int_equal(s->n_supplemental_groups, 2);
    assert_int_equal(s->supplemental_groups[1], 9);
    assert_true(s->no_new_privs);
    assert_string_equal(s->capabilities->drop_capabilities[0], "ALL");
    assert_int_equal(s->seccomp->profile_type, RUNTIME__V1__PROFILE_TYPE__RuntimeDefault);
    c = config_of(f, "", ",'securityContext':{'privileged':true}", &e);
    assert_true(c->linux->security_context->privileged);
    assert_int_equal(c->linux->security_context->n_masked_paths, 0);
}

static void test_non_root(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    assert_null(config_of(f, ",'securityContext':{'runAsNonRoot':true}", "", &e));
    assert_string_equal(e.msg, "container has runAsNonRoot and image will run as root");
    assert_null(config_of(f, ",'securityContext':{'runAsNonRoot':true,'runAsUser':0}", "", &e));
    assert_non_null(config_of(f, ",'securityContext':{'runAsNonRoot':true,'runAsUser':5}", "", &e));
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_plain), T(test_security), T(test_non_root) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
