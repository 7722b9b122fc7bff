/* Annotations that a pod keeps. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_update(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d','annotations':{'a':'b'}},'spec':{'containers':[{"
          "'name':'c','image':'i'}]}}",
          "{'metadata':{'name':'p','namespace':'d','annotations':{'c':'d'}},'spec':{'containers':[{"
          "'name':'c','image':'i'}]}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d','annotations':{'kubernetes.io/"
          "config.mirror':'1'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "{'metadata':{'name':'p','namespace':'d','annotations':{'kubernetes.io/"
          "config.mirror':'1'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "}}",
          "{'metadata':{'name':'p','namespace':'d','annotations':{'kubernetes.io/"
          "config.mirror':'1'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod "
          "annotation" },
        { "{'metadata':{'name':'p','namespace':'d','annotations':{'kubernetes.io/"
          "config.mirror':'1'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "}}",
          "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or update "
          "mirror pod annotation" },
        { "{'metadata':{'name':'p','namespace':'d','annotations':{'kubernetes.io/"
          "config.mirror':'1'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "{'metadata':{'name':'p','namespace':'d','annotations':{'kubernetes.io/"
          "config.mirror':'2'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or update "
          "mirror pod annotation" },
        { "{'metadata':{'name':'p','namespace':'d','annotations':{'container.apparmor.security."
          "beta.kubernetes.io/c':'unconfined'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "{'metadata':{'name':'p','namespace':'d','annotations':{'container.apparmor.security."
          "beta.kubernetes.io/c':'runtime/"
          "default'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Forbidden: may "
          "not remove or update AppArmor annotations" },
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "}}",
          "{'metadata':{'name':'p','namespace':'d','annotations':{'container.apparmor.security."
          "beta.kubernetes.io/c':'runtime/"
          "default'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Forbidden: may "
          "not add AppArmor annotations" },
        { "{'metadata':{'name':'p','namespace':'d','annotations':{'container.apparmor.security."
          "beta.kubernetes.io/c':'unconfined','kubernetes.io/"
          "config.mirror':'1'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "}}",
          "[metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Forbidden: may "
          "not remove or update AppArmor annotations, "
          "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or update "
          "mirror pod annotation]" }
    };
    (void)state;
    fixture_check_updates(KIND_POD, cases, COUNT(cases));
}

static void test_status(void **state)
{
    static const struct update_case cases[] = {
        { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "}}",
          "{'metadata':{'name':'p','namespace':'d','annotations':{'kubernetes.io/"
          "config.mirror':'1'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod "
          "annotation" },
        { "{'metadata':{'name':'p','namespace':'d','annotations':{'kubernetes.io/"
          "config.mirror':'1'}},'spec':{'containers':[{'name':'c','image':'i'}]}}",
          "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
          "}}",
          "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or update "
          "mirror pod annotation" }
    };
    (void)state;
    fixture_check_statuses(KIND_POD, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_update),
                                        cmocka_unit_test(test_status) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
