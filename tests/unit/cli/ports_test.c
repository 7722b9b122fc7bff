/* port-forward's words: ports by number and by name, of pods and of services; addresses. */
#include <string.h>

#include "base/arena.h"
#include "cli/ports.h"
#include "tests/unit/unit.h"

#define POD                                                                                        \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"ports\":[{"      \
    "\"name\":\"http\",\"containerPort\":8080,\"protocol\":\"TCP\"}]},{\"ports\":[{\"name\":"      \
    "\"dns\",\"containerPort\":53,\"protocol\":\"UDP\"}]}]}}"
#define SERVICE(ip)                                                                                \
    "{\"kind\":\"Service\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"clusterIP\":\"" ip            \
    "\",\"ports\":[{\"name\":\"web\",\"port\":80,\"protocol\":\"TCP\",\"targetPort\":\"http\"},{"  \
    "\"name\":\"raw\",\"port\":81,\"targetPort\":9000},{\"name\":\"same\",\"port\":82},{\"name\":" \
    "\"lost\",\"port\":83,\"targetPort\":\"nope\"},{\"name\":\"udp\",\"port\":84,\"protocol\":"    \
    "\"UDP\",\"targetPort\":84}]}}"

static void test_words(void **state)
{
    static const struct {
        const char *word;
        const char *object;
        int local;
        int remote;
        const char *error;
    } cases[] = {
        { "80", POD, 80, 80, NULL },
        { "8080:80", POD, 8080, 80, NULL },
        { ":80", POD, 0, 80, NULL },
        { "0:80", POD, 0, 80, NULL },
        { "http", POD, 8080, 8080, NULL },
        { "9:http", POD, 9, 8080, NULL },
        { "nope", POD, 0, 0, "Pod 'p' does not have a named port 'nope'" },
        { "53", POD, 0, 0, "UDP protocol is not supported for 53" },
        { "dns", POD, 0, 0, "UDP protocol is not supported for dns" },
        { "80:", POD, 0, 0, "remote port cannot be empty" },
        { "1:2:3", POD, 0, 0, "invalid port format '1:2:3'" },
        { "80:0", POD, 0, 0, "remote port must be > 0" },
        { "x:80", POD, 0, 0,
          "error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax" },
        { "65536:80", POD, 0, 0,
          "error parsing local port '65536': strconv.ParseUint: parsing \"65536\": value out of "
          "range" },
        { "70000", POD, 0, 0,
          "error parsing local port '70000': strconv.ParseUint: parsing \"70000\": value out of "
          "range" },
        { "1:65536", POD, 0, 0,
          "error parsing remote port '65536': strconv.ParseUint: parsing \"65536\": value out of "
          "range" },
        { "80", SERVICE("10.0.0.1"), 80, 8080, NULL },
        { "5:web", SERVICE("10.0.0.1"), 5, 8080, NULL },
        { "web", SERVICE("10.0.0.1"), 80, 8080, NULL },
        { "81", SERVICE("10.0.0.1"), 81, 9000, NULL },
        { "82", SERVICE("10.0.0.1"), 82, 82, NULL },
        { "81", SERVICE("None"), 81, 81, NULL },
        { "99", SERVICE("10.0.0.1"), 0, 0, "Service s does not have a service port 99" },
        { "no", SERVICE("10.0.0.1"), 0, 0, "Service 's' does not have a named port 'no'" },
        { "83", SERVICE("10.0.0.1"), 0, 0, "Pod 'p' does not have a named port 'nope'" },
        { "udp", SERVICE("10.0.0.1"), 0, 0, "UDP protocol is not supported for udp" },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json *object;
        const struct json *pod;
        struct ports_pair pair = { 0, 0 };
        struct err e;
        assert_int_equal(json_parse(&a, str_from(POD), &pod, NULL), 0);
        assert_int_equal(json_parse(&a, str_from(cases[i].object), &object, NULL), 0);
        int rc = ports_read(&a, &cases[i].word, 1, object, pod, &pair, &e);
        if (cases[i].error != NULL) {
            assert_true(rc < 0);
            assert_string_equal(e.msg, cases[i].error);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_int_equal(pair.local, cases[i].local);
        assert_int_equal(pair.remote, cases[i].remote);
    }
    arena_deinit(&a);
}

static void test_addresses(void **state)
{
    static const struct flag_texts given = { .items = { "10.1.2.3", "localhost", "::1", "::" },
                                             .count = 4 };
    static const struct flag_texts wrong = { .items = { "somewhere" }, .count = 1 };
    struct ports_address out[8];
    struct arena a;
    struct err e;
    size_t count;
    (void)state;
    arena_init(&a);
    assert_int_equal(ports_addresses(&a, &given, out, &count, &e), 0);
    assert_int_equal(count, 4);
    assert_string_equal(out[0].host, "10.1.2.3");
    assert_false(out[0].of_localhost);
    assert_string_equal(out[1].host, "127.0.0.1");
    assert_true(out[1].of_localhost);
    assert_string_equal(out[2].host, "::");
    assert_string_equal(out[3].host, "::1");
    assert_true(out[3].v6);
    assert_true(ports_addresses(&a, &wrong, out, &count, &e) < 0);
    assert_string_equal(e.msg, "somewhere is not a valid IP");
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words),
                                        cmocka_unit_test(test_addresses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
