/* A pod's resolver, hosts file, and ports on the host's network. */
#include "tests/unit/controlplane/resources/fixture.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct create_case refused[] = {
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsConfig':{'nameservers':['1.1.1.1','::1'],'searches':['a.b.','_x._y','.','a_b'],'"
      "options':[{'name':'ndots','value':'2'}]}}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsPolicy':'None'}}",
      "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsConfig':{},'dnsPolicy':'None'}}",
      "spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver "
      "when `dnsPolicy` is None" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsConfig':{'nameservers':['1.1.1.1']},'dnsPolicy':'None'}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsConfig':{'nameservers':['x']}}}",
      "spec.dnsConfig.nameservers[0]: Invalid value: \"x\": must be a valid IP address, (e.g. "
      "10.9.8.7 or 2001:db8::ffff)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsConfig':{'nameservers':['1.1.1.1','1.1.1.2','1.1.1.3','1.1.1.4']}}}",
      "spec.dnsConfig.nameservers: Invalid value: "
      "[\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"1.1.1.4\"]: must not have more than 3 "
      "nameservers" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsConfig':{'searches':['A']}}}",
      "spec.dnsConfig.searches[0]: Invalid value: \"A\": a lowercase RFC 1123 subdomain must "
      "consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end "
      "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
      "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsConfig':{'searches':['a..b']}}}",
      "spec.dnsConfig.searches[0]: Invalid value: \"a..b\": a lowercase RFC 1123 subdomain "
      "must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and "
      "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
      "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsConfig':{'searches':['a-']}}}",
      "spec.dnsConfig.searches[0]: Invalid value: \"a-\": a lowercase RFC 1123 subdomain must "
      "consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end "
      "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
      "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'dnsConfig':{'options':[{'value':'x'}]}}}",
      "spec.dnsConfig.options[0]: Required value: must not be empty" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'hostAliases':[{'ip':'1.1.1.1','hostnames':['a.b']}]}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'hostAliases':[{'ip':'x'}]}}",
      "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. "
      "10.9.8.7 or 2001:db8::ffff)" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i'}]"
      ",'hostAliases':[{'ip':'::1','hostnames':['A']}]}}",
      "spec.hostAliases[0].hostnames[0]: Invalid value: \"A\": a lowercase RFC 1123 subdomain "
      "must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
      "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "ports':[{'containerPort':80}]}],'hostNetwork':true}}",
      "" },
    { "{'metadata':{'name':'p','namespace':'d'},'spec':{'containers':[{'name':'c','image':'i','"
      "ports':[{'containerPort':80,'hostPort':81}]}],'hostNetwork':true}}",
      "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` "
      "when `hostNetwork` is true" }
};

static void test_refused(void **state)
{
    (void)state;
    fixture_check_creates(KIND_POD, refused, COUNT(refused));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
