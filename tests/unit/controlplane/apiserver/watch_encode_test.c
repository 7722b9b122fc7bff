/* One event's bytes: protobuf frames taken apart again, JSON lines beside them, and that equal
 * styles share an encoding. */
#include <string.h>

#include "api/meta/kinds.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "controlplane/apiserver/status.h"
#include "controlplane/apiserver/watch_encode.h"
#include "tests/unit/unit.h"

static const struct object_style json = { .media = { .type = MEDIA_JSON } };
static const struct object_style protobuf = { .media = { .type = MEDIA_PROTOBUF } };
static const struct object_style partial = { .media = { .type = MEDIA_PROTOBUF,
                                                        .transform = TRANSFORM_PARTIAL } };

struct fixture {
    struct watch_cache cache;
    const struct kind_info *kind;
    WatchEvent *event;
    Unknown *object;
};

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    watch_cache_init(&f->cache);
    f->kind = kind_info(KIND_CONFIG_MAP);
    *state = f;
    return 0;
}

static void forget(struct fixture *f)
{
    if (f->event != NULL) {
        watch_event__free_unpacked(f->event, NULL);
        unknown__free_unpacked(f->object, NULL);
    }
    f->event = NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    forget(f);
    watch_cache_deinit(&f->cache);
    mem_free(f);
    return 0;
}

/* A ConfigMap as it is stored: without a resourceVersion. */
static struct str payload(struct arena *a)
{
    ObjectMeta meta = OBJECT_META__INIT;
    ConfigMap map = CONFIG_MAP__INIT;
    meta.name = (char *)(uintptr_t) "m";
    meta.namespace_ = (char *)(uintptr_t) "ns";
    map.metadata = &meta;
    uint8_t *bytes = arena_alloc(a, config_map__get_packed_size(&map));
    return str_of(bytes, config_map__pack(&map, bytes));
}

/* Takes a frame apart: length, WatchEvent, the object's envelope. */
static void take_apart(struct fixture *f, struct shared *bytes, const char *type)
{
    struct str frame = shared_str(bytes);
    forget(f);
    assert_true(frame.len > WATCH_LENGTH_BYTES);
    assert_int_equal(load_be32((const uint8_t *)frame.data), frame.len - WATCH_LENGTH_BYTES);
    f->event = watch_event__unpack(NULL, frame.len - WATCH_LENGTH_BYTES,
                                   (const uint8_t *)frame.data + WATCH_LENGTH_BYTES);
    assert_non_null(f->event);
    assert_string_equal(f->event->type, type);
    const ProtobufCBinaryData *raw = &f->event->object->raw;
    assert_memory_equal(raw->data, "k8s\0", 4);
    f->object = unknown__unpack(NULL, raw->len - 4, raw->data + 4);
    assert_non_null(f->object);
}

static void expect_kind(const struct fixture *f, const char *version, const char *kind)
{
    assert_string_equal(f->object->type_meta->api_version, version);
    assert_string_equal(f->object->type_meta->kind, kind);
}

static void test_an_object(void **state)
{
    static const struct {
        enum watch_type type;
        const char *text;
    } rows[] = { { WATCH_ADDED, "ADDED" },
                 { WATCH_MODIFIED, "MODIFIED" },
                 { WATCH_DELETED, "DELETED" } };
    struct fixture *f = *state;
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        watch_cache_clear(&f->cache);
        take_apart(f, watch_encode(&f->cache, rows[i].type, f->kind, payload(&a), 42, &protobuf),
                   rows[i].text);
        expect_kind(f, "v1", "ConfigMap");
        ConfigMap *map = config_map__unpack(NULL, f->object->raw.len, f->object->raw.data);
        assert_non_null(map);
        assert_string_equal(map->metadata->name, "m");
        assert_string_equal(map->metadata->namespace_, "ns");
        assert_string_equal(map->metadata->resource_version, "42");
        config_map__free_unpacked(map, NULL);
    }
    arena_deinit(&a);
}

static void test_its_metadata(void **state)
{
    struct fixture *f = *state;
    struct arena a;
    arena_init(&a);
    take_apart(f, watch_encode(&f->cache, WATCH_ADDED, f->kind, payload(&a), 7, &partial), "ADDED");
    expect_kind(f, "meta.k8s.io/v1", "PartialObjectMetadata");
    PartialObjectMetadata *m =
        partial_object_metadata__unpack(NULL, f->object->raw.len, f->object->raw.data);
    assert_non_null(m);
    assert_string_equal(m->metadata->name, "m");
    assert_string_equal(m->metadata->resource_version, "7");
    partial_object_metadata__free_unpacked(m, NULL);
    arena_deinit(&a);
}

/* Only the last one of the initial events says so. */
static void test_bookmarks(void **state)
{
    struct fixture *f = *state;
    for (int end = 0; end < 2; end++) {
        take_apart(f, watch_encode_bookmark(&f->cache, f->kind, 9, end == 1, &protobuf),
                   "BOOKMARK");
        expect_kind(f, "v1", "ConfigMap");
        ConfigMap *map = config_map__unpack(NULL, f->object->raw.len, f->object->raw.data);
        assert_non_null(map);
        assert_string_equal(map->metadata->resource_version, "9");
        assert_int_equal(map->metadata->n_annotations, end);
        if (end == 1) {
            assert_string_equal(map->metadata->annotations[0]->key, "k8s.io/initial-events-end");
            assert_string_equal(map->metadata->annotations[0]->value, "true");
        }
        config_map__free_unpacked(map, NULL);
    }
}

static void test_an_error(void **state)
{
    struct fixture *f = *state;
    struct status s = { 0 };
    struct arena a;
    arena_init(&a);
    (void)status_rv_too_old(&a, &s, 3, 8);
    take_apart(f, watch_encode_error(&f->cache, &s, MEDIA_PROTOBUF), "ERROR");
    expect_kind(f, "v1", "Status");
    Status *told = status__unpack(NULL, f->object->raw.len, f->object->raw.data);
    assert_non_null(told);
    assert_int_equal(told->code, 410);
    assert_string_equal(told->reason, "Expired");
    assert_string_equal(told->message, "too old resource version: 3 (8)");
    status__free_unpacked(told, NULL);
    struct str line = shared_str(watch_encode_error(&f->cache, &s, MEDIA_JSON));
    assert_true(str_starts(line, str_lit("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\"")));
    assert_true(str_ends(line, str_lit("}}\n")));
    arena_deinit(&a);
}

static void test_one_encoding_for_all(void **state)
{
    struct fixture *f = *state;
    struct watch_cache *c = &f->cache;
    struct arena a;
    arena_init(&a);
    struct str p = payload(&a);
    struct shared *first = watch_encode(c, WATCH_ADDED, f->kind, p, 5, &protobuf);
    struct shared *line = watch_encode(c, WATCH_ADDED, f->kind, p, 5, &json);
    assert_ptr_equal(watch_encode(c, WATCH_ADDED, f->kind, p, 5, &protobuf), first);
    assert_ptr_equal(watch_encode(c, WATCH_ADDED, f->kind, p, 5, &json), line);
    assert_ptr_not_equal(watch_encode(c, WATCH_ADDED, f->kind, p, 5, &partial), first);
    assert_ptr_not_equal(watch_encode(c, WATCH_DELETED, f->kind, p, 5, &protobuf), first);
    assert_true(str_starts(shared_str(line), str_lit("{\"type\":\"ADDED\",\"object\":{\"kind\":"
                                                     "\"ConfigMap\",\"apiVersion\":\"v1\"")));
    assert_true(str_ends(shared_str(line), str_lit("}}\n")));
    /* More than it keeps: the oldest go, none is lost to its user before the next call. */
    for (size_t i = 0; i < 2 * WATCH_CACHE_MAX; i++)
        take_apart(f, watch_encode_bookmark(c, f->kind, i + 1, false, &protobuf), "BOOKMARK");
    assert_null(watch_encode(c, WATCH_ADDED, f->kind, str_lit("\xff\xff"), 5, &json));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_object, setup, teardown),
        cmocka_unit_test_setup_teardown(test_its_metadata, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bookmarks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_encoding_for_all, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
