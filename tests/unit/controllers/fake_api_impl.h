/* Inside the API model: what its two files share. */
#ifndef TESTS_UNIT_CONTROLLERS_FAKE_API_IMPL_H
#define TESTS_UNIT_CONTROLLERS_FAKE_API_IMPL_H

#include "api/proto/meta.pb-c.h"
#include "tests/unit/controllers/fake_api.h"

struct schema;

struct answer {
    int http_status;
    struct str body;
};

/* fake_api.c: objects */
const struct schema *fake_schema(enum kind kind);
ObjectMeta *fake_meta(void *object);
void fake_store(struct fake_api *f, struct arena *a, enum kind kind, void *object, bool fresh);
void *fake_load(struct fake_api *f, struct arena *a, enum kind kind, struct str namespace,
                struct str name);
void fake_prepare_new(struct fake_api *f, struct arena *a, void *object);
void fake_remove_now(struct fake_api *f, struct arena *a, enum kind kind, void *object);
bool fake_delete_object(struct fake_api *f, struct arena *a, enum kind kind, void *object,
                        bool now_please);

/* fake_verbs.c: answers a call */
void fake_handle(struct fake_api *f, struct client_call *c);
void fake_bump_generation(struct arena *a, const struct schema *s, void *object, void *old);
size_t fake_items(struct fake_api *f, struct arena *a, enum kind kind, struct str namespace,
                  const void ***out);

#endif
