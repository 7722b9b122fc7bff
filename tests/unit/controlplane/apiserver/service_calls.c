/* See service_calls.h. */
#include "tests/unit/controlplane/apiserver/service_calls.h"

static const char *target(struct harness *h, const char *name)
{
    return str_printf(&h->arena, SERVICES "/%s", name).data;
}

struct reply service_create(struct harness *h, const char *name, const char *spec)
{
    struct str body =
        str_printf(&h->arena, "{\"metadata\":{\"name\":\"%s\"},\"spec\":{%s}}", name, spec);
    return harness_post(h, SERVICES, body.data);
}

struct reply service_patch(struct harness *h, const char *name, const char *patch)
{
    return harness_send(h, "PATCH", target(h, name),
                        "Content-Type: application/merge-patch+json\r\n", patch);
}

void service_remove(struct harness *h, const char *name)
{
    struct reply r = harness_send(h, "DELETE", target(h, name), NULL, NULL);
    harness_expect(&r, 200);
}
