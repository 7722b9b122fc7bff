/* A new pod's labels in its own selectors; a template's stay as they are. */
#include "api/proto/apps.pb-c.h"
#include "api/proto/core.pb-c.h"
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define TERM                                                                                       \
    "{'topologyKey':'h','matchLabelKeys':['x','none'],'mismatchLabelKeys':['t'],'labelSelector':{" \
    "'matchExpressions':[{'key':'q','operator':'Exists'}]}}"
#define SPEC                                                                                       \
    "'spec':{'containers':[{'name':'c','image':'i'}],'topologySpreadConstraints':[{'maxSkew':1,"   \
    "'topologyKey':'z','whenUnsatisfiable':'DoNotSchedule','matchLabelKeys':['x'],"                \
    "'labelSelector':{'matchLabels':{'q':'r'}}},{'maxSkew':1,'topologyKey':'z',"                   \
    "'whenUnsatisfiable':'ScheduleAnyway'}],'affinity':{'podAffinity':{"                           \
    "'requiredDuringSchedulingIgnoredDuringExecution':[{'topologyKey':'h'}],"                      \
    "'preferredDuringSchedulingIgnoredDuringExecution':[{'weight':1,'podAffinityTerm':" TERM       \
    "}]},'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[" TERM               \
    "],'preferredDuringSchedulingIgnoredDuringExecution':[{'weight':1,'podAffinityTerm':" TERM     \
    "}]}}}"

static void check_one(const LabelSelectorRequirement *r, const char *key, const char *operator,
                      const char * value)
{
    assert_string_equal(r->key, key);
    assert_string_equal(r->operator_, operator);
    assert_int_equal(r->n_values, 1);
    assert_string_equal(r->values[0], value);
}

/* Behind what is asked for; a label that the pod does not have asks for nothing. */
static void check_term(const PodAffinityTerm *t)
{
    const LabelSelector *s = t->label_selector;
    assert_int_equal(s->n_match_expressions, 3);
    assert_string_equal(s->match_expressions[0]->key, "q");
    check_one(s->match_expressions[1], "x", "In", "y");
    check_one(s->match_expressions[2], "t", "NotIn", "u");
    assert_int_equal(t->n_match_label_keys, 2);
}

static void test_pod(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    Pod *pod = fixture_object(&f, KIND_POD, "{'metadata':{'labels':{'t':'u','x':'y'}}," SPEC "}");
    resource_prepare_create(resource_of(KIND_POD), &f.context, pod);
    const TopologySpreadConstraint *c = pod->spec->topology_spread_constraints[0];
    assert_int_equal(c->label_selector->n_match_expressions, 1);
    check_one(c->label_selector->match_expressions[0], "x", "In", "y");
    assert_null(pod->spec->topology_spread_constraints[1]->label_selector);
    const PodAffinity *near = pod->spec->affinity->pod_affinity;
    const PodAntiAffinity *away = pod->spec->affinity->pod_anti_affinity;
    assert_null(near->required_during_scheduling_ignored_during_execution[0]->label_selector);
    check_term(near->preferred_during_scheduling_ignored_during_execution[0]->pod_affinity_term);
    check_term(away->required_during_scheduling_ignored_during_execution[0]);
    check_term(away->preferred_during_scheduling_ignored_during_execution[0]->pod_affinity_term);
    fixture_deinit(&f);
}

static void test_template(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    ReplicaSet *set = fixture_object(
        &f, KIND_REPLICA_SET, "{'spec':{'template':{'metadata':{'labels':{'x':'y'}}," SPEC "}}}");
    resource_prepare_create(resource_of(KIND_REPLICA_SET), &f.context, set);
    const PodSpec *spec = set->spec->template_->spec;
    assert_int_equal(spec->topology_spread_constraints[0]->label_selector->n_match_expressions, 0);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pod),
                                        cmocka_unit_test(test_template) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
