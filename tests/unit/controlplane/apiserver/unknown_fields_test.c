/*
 * A newer client's protobuf has fields that this server does not know. They are stored, they come
 * back in protobuf, and older clients that speak JSON, and every kind of patch, leave them alone.
 */
#include <string.h>

#include "api/proto/apps.pb-c.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/err.h"
#include "tests/unit/controlplane/apiserver/harness.h"
#include "tests/unit/unit.h"

#define DEPLOYS "/apis/apps/v1/namespaces/default/deployments"
#define WEB     DEPLOYS "/web"
#define PB      "application/vnd.kubernetes.protobuf"

/* One per message that got an unknown field. */
enum {
    MARK_ROOT,
    MARK_METADATA,
    MARK_SPEC,
    MARK_STRATEGY,
    MARK_TEMPLATE,
    MARK_POD_SPEC,
    MARK_CONTAINER,
    MARK_PORT,
    MARK_TOLERATION,
    MARK_QUANTITY,
    MARK_STATUS,
    MARK_COUNT
};

static const char deployment[] =
    "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"web\"},\"spec\":{"
    "\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{"
    "\"labels\":{\"app\":\"web\"}},\"spec\":{\"tolerations\":[{\"key\":\"a\"},{\"key\":\"b\"}],"
    "\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"ports\":[{\"containerPort\":80}],"
    "\"resources\":{\"limits\":{\"cpu\":\"1\"}}},{\"name\":\"d\",\"image\":\"i\"}]}}},"
    "\"status\":{}}";

static struct str mark_text(struct arena *a, size_t mark)
{
    return str_printf(a, "<unknown-%zu>", mark);
}

/* Field 5000, a length-delimited text. */
static void mark(struct arena *a, void *message, size_t which)
{
    ProtobufCMessage *m = message;
    struct str text = mark_text(a, which);
    uint8_t *data = arena_alloc(a, text.len + 1);
    data[0] = (uint8_t)text.len;
    memcpy(data + 1, text.data, text.len);
    m->n_unknown_fields = 1;
    m->unknown_fields = arena_array(a, 1, sizeof(*m->unknown_fields));
    m->unknown_fields->tag = 5000;
    m->unknown_fields->wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    m->unknown_fields->len = text.len + 1;
    m->unknown_fields->data = data;
}

static struct str marked_body(struct harness *h)
{
    struct arena *a = &h->arena;
    const struct json *j = NULL;
    struct err e = { 0 };
    void *message = NULL;
    struct buf b;
    assert_int_equal(json_parse(a, str_lit(deployment), &j, &e), 0);
    assert_int_equal(schema_decode(a, &schema_Deployment, j, SCHEMA_STRICT, &message, NULL, &e), 0);
    Deployment *d = message;
    PodSpec *pod = d->spec->template_->spec;
    d->spec->strategy = schema_new(a, &schema_DeploymentStrategy);
    void *const messages[MARK_COUNT] = {
        [MARK_ROOT] = d,
        [MARK_METADATA] = d->metadata,
        [MARK_SPEC] = d->spec,
        [MARK_STRATEGY] = d->spec->strategy,
        [MARK_TEMPLATE] = d->spec->template_,
        [MARK_POD_SPEC] = pod,
        [MARK_CONTAINER] = pod->containers[1],
        [MARK_PORT] = pod->containers[0]->ports[0],
        [MARK_TOLERATION] = pod->tolerations[1],
        [MARK_QUANTITY] = pod->containers[0]->resources->limits[0]->value,
        [MARK_STATUS] = d->status,
    };
    for (size_t i = 0; i < MARK_COUNT; i++)
        mark(a, messages[i], i);
    const struct encoding encoding = { .api_version = str_lit("apps/v1"),
                                       .kind = str_lit("Deployment") };
    buf_init(&b);
    envelope_write(&b, &schema_Deployment, schema_pack_arena(a, &schema_Deployment, d), &encoding);
    struct str body = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return body;
}

/* Every mark but the one that the step took away with its message. */
static void assert_marks(struct harness *h, const char *step, size_t gone)
{
    struct reply r = harness_send(h, "GET", WEB, "Accept: " PB "\r\n", NULL);
    harness_expect(&r, 200);
    for (size_t i = 0; i < MARK_COUNT; i++) {
        bool found = str_find(r.body, mark_text(&h->arena, i)) >= 0;
        if (found != (i != gone))
            fail_msg("%s: mark %zu is %s", step, i, found ? "there" : "lost");
    }
    struct reply text = harness_get(h, WEB);
    harness_lacks(&text, "unknown-");
}

static struct reply send_text(struct harness *h, const char *method, const char *target,
                              const char *type, struct str body)
{
    struct str header = str_printf(&h->arena, "Content-Type: application/%s\r\n", type);
    return harness_send_bytes(h, method, target, header.data, body);
}

/* Applies one step and checks that all but `gone` is still there; first everything is put back. */
static void step(struct harness *h, const char *method, const char *target, const char *type,
                 struct str body, size_t gone)
{
    struct reply back =
        harness_send_bytes(h, "PUT", WEB, "Content-Type: " PB "\r\n", marked_body(h));
    harness_expect(&back, 200);
    assert_marks(h, "before", MARK_STATUS);
    struct reply r = send_text(h, method, target, type, body);
    harness_expect(&r, 200);
    assert_marks(h, type, gone);
}

static void survive(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_send_bytes(h, "POST", DEPLOYS, "Content-Type: " PB "\r\n", marked_body(h));
    harness_expect(&r, 201);
    assert_marks(h, "create", MARK_STATUS); /* a create has no status */
    step(h, "PUT", WEB, "json", str_from(deployment), MARK_STATUS);
    struct reply yaml = harness_send(h, "GET", WEB, "Accept: application/yaml\r\n", NULL);
    ptrdiff_t rv = str_find(yaml.body, str_lit("  resourceVersion:"));
    assert_true(rv > 0);
    struct str tail = str_slice(yaml.body, (size_t)rv, yaml.body.len);
    struct str without_rv =
        str_printf(&h->arena, "%.*s%.*s", (int)rv, yaml.body.data,
                   STR_ARG(str_slice(tail, (size_t)str_find_char(tail, '\n', 0) + 1, tail.len)));
    step(h, "PUT", WEB, "yaml", without_rv, MARK_STATUS);
    step(h, "PATCH", WEB, "merge-patch+json", str_lit("{\"spec\":{\"replicas\":3}}"), MARK_STATUS);
    step(h, "PATCH", WEB, "strategic-merge-patch+json",
         str_lit("{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"new\",\"image\":"
                 "\"i\"},{\"name\":\"d\",\"image\":\"j\"}]}}}}"),
         MARK_STATUS);
    step(h, "PATCH", WEB, "json-patch+json",
         str_lit("[{\"op\":\"remove\",\"path\":\"/spec/template/spec/tolerations/0\"}]"),
         MARK_STATUS);
    step(h, "PATCH", WEB "/scale", "merge-patch+json", str_lit("{\"spec\":{\"replicas\":5}}"),
         MARK_STATUS);
    step(h, "PATCH", WEB "/status", "merge-patch+json",
         str_lit("{\"status\":{\"observedGeneration\":1}}"), MARK_STATUS);
    step(h, "PUT", WEB "/status", "json", str_from(deployment), MARK_STATUS);
}

/* What goes takes its unknown fields along. */
static void removed(void **state)
{
    struct harness *h = *state;
    step(h, "PATCH", WEB, "strategic-merge-patch+json",
         str_lit("{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}"), MARK_STATUS);
    struct reply r =
        send_text(h, "PATCH", WEB, "json-patch+json",
                  str_lit("[{\"op\":\"remove\",\"path\":\"/spec/template/spec/tolerations/1\"}]"));
    harness_expect(&r, 200);
    r = harness_send(h, "GET", WEB, "Accept: " PB "\r\n", NULL);
    harness_lacks(&r, "<unknown-8>");
    assert_true(str_find(r.body, str_lit("<unknown-6>")) > 0);
}

/* A newer controller's status too, and a write of the spec keeps it. */
static void status_survives(void **state)
{
    struct harness *h = *state;
    struct reply r =
        harness_send_bytes(h, "PUT", WEB "/status", "Content-Type: " PB "\r\n", marked_body(h));
    harness_expect(&r, 200);
    r = send_text(h, "PATCH", WEB "/status", "merge-patch+json",
                  str_lit("{\"status\":{\"replicas\":1}}"));
    harness_expect(&r, 200);
    r = send_text(h, "PUT", WEB "/status", "json", str_from(deployment));
    harness_expect(&r, 200);
    r = send_text(h, "PATCH", WEB, "merge-patch+json", str_lit("{\"spec\":{\"replicas\":7}}"));
    harness_expect(&r, 200);
    r = harness_send(h, "GET", WEB, "Accept: " PB "\r\n", NULL);
    assert_true(str_find(r.body, str_lit("<unknown-10>")) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(survive), cmocka_unit_test(removed),
                                        cmocka_unit_test(status_survives) };
    return cmocka_run_group_tests(tests, harness_setup, harness_teardown);
}
