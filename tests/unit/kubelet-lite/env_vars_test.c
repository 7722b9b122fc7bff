/* Environments: order, expansion, sources, what is missing. */
#include <string.h>

#include "kubelet-lite/env_vars.h"
#include "tests/unit/kubelet-lite/fixture.h"
#include "tests/unit/unit.h"

static const struct pod_facts facts = { "10.0.0.9", "10.0.0.1", 2000, 1 << 30 };

static Pod *pod_with(struct fixture *f, const char *container)
{
    return fixture_pod(f, str_printf(&f->a,
                                     "{'metadata':{'name':'p','namespace':'n','labels':{'k':'v'}},"
                                     "'spec':{'nodeName':'node-1','containers':[{'name':'c',%s}]}}",
                                     container)
                              .data);
}

/* "A=1 B=2" */
static const char *env_of_pod(struct fixture *f, const char *container, int *out_rc, struct err *e)
{
    struct env_vars vars;
    struct str text = { "", 0 };
    Pod *pod = pod_with(f, container);
    *out_rc =
        container_env(&f->a, pod, pod->spec->containers[0], &facts, fixture_source(), &vars, e);
    for (size_t i = 0; *out_rc == 0 && i < vars.count; i++)
        text = str_printf(&f->a, "%.*s%s%.*s=%.*s", STR_ARG(text), i > 0 ? " " : "",
                          STR_ARG(vars.items[i].name), STR_ARG(vars.items[i].value));
    return str_dup(&f->a, text);
}

static void test_expand(void **state)
{
    struct fixture *f = *state;
    struct env_var items[] = { { STR("A"), STR("one") }, { STR("EMPTY"), STR("") } };
    struct env_vars vars = { items, 2, 2 };
    static const struct {
        const char *in;
        const char *out;
    } rows[] = { { "plain", "plain" },
                 { "$(A)", "one" },
                 { "x$(A)y$(A)", "xoneyone" },
                 { "$$(A)", "$(A)" },
                 { "$(NOPE)", "$(NOPE)" },
                 { "$A", "$A" },
                 { "$(A", "$(A" },
                 { "$", "$" },
                 { "a$", "a$" },
                 { "$(EMPTY)|", "|" },
                 { "$$$(A)", "$one" },
                 { "$$$$", "$$" },
                 { "$(A)$", "one$" },
                 { "$()", "$()" },
                 { "", "" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str out = env_expand(&f->a, str_from(rows[i].in), &vars);
        assert_string_equal(str_dup(&f->a, out), rows[i].out);
    }
}

static void test_sources(void **state)
{
    static const struct {
        const char *container;
        const char *out; /* NULL: an error */
        int rc;
        const char *message;
    } rows[] = {
        { "'env':[{'name':'A','value':'1'},{'name':'B','value':'$(A)2'},{'name':'A','value':'3'}]",
          "A=3 B=12", 0, NULL },
        { "'envFrom':[{'configMapRef':{'name':'cm'}}]", "a=1 b=two bad-key=x", 0, NULL },
        { "'envFrom':[{'prefix':'P_','configMapRef':{'name':'cm'}}],'env':[{'name':'P_a','value':"
          "'over'}]",
          "P_a=over P_b=two P_bad-key=x", 0, NULL },
        { "'envFrom':[{'configMapRef':{'name':'no'}}]", NULL, -ERR_NOT_FOUND,
          "configmap \"no\" not found" },
        { "'envFrom':[{'configMapRef':{'name':'no','optional':true}}]", "", 0, NULL },
        { "'envFrom':[{'secretRef':{'name':'sec'}}]", "p=word", 0, NULL },
        { "'env':[{'name':'S','valueFrom':{'secretKeyRef':{'name':'sec','key':'p'}}}]", "S=word", 0,
          NULL },
        { "'env':[{'name':'S','valueFrom':{'secretKeyRef':{'name':'sec','key':'q'}}}]", NULL,
          -ERR_NOT_FOUND, "couldn't find key q in Secret n/sec" },
        { "'env':[{'name':'S','valueFrom':{'configMapKeyRef':{'name':'cm','key':'q','optional':true"
          "}}}]",
          "", 0, NULL },
        { "'env':[{'name':'S','valueFrom':{'configMapKeyRef':{'name':'slow','key':'q'}}}]", NULL,
          -ERR_AGAIN, "not read yet" },
        { "'env':[{'name':'IP','valueFrom':{'fieldRef':{'fieldPath':'status.podIP'}}},{'name':'N',"
          "'valueFrom':{'fieldRef':{'fieldPath':'spec.nodeName'}}}]",
          "IP=10.0.0.9 N=node-1", 0, NULL },
        { "'resources':{'limits':{'cpu':'250m'}},'env':[{'name':'C','valueFrom':{"
          "'resourceFieldRef':{'resource':'limits.cpu'}}},{'name':'M','valueFrom':{"
          "'resourceFieldRef':{'resource':'limits.memory','divisor':'1Mi'}}}]",
          "C=1 M=1024", 0, NULL }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture *f = *state;
        struct err e = { 0 };
        int rc;
        const char *out = env_of_pod(f, rows[i].container, &rc, &e);
        assert_int_equal(rc, rows[i].rc);
        if (rows[i].out != NULL)
            assert_string_equal(out, rows[i].out);
        else
            assert_string_equal(e.msg, rows[i].message);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(test_expand), T(test_sources) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
