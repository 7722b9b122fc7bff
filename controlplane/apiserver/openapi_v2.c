/* Messages are built from the inside out: each function wraps what the one before it wrote. The
 * numbers are those of OpenAPIv2.proto of google/gnostic-models. */
#include "controlplane/apiserver/openapi_v2.h"

#include "api/meta/kinds.h"
#include "base/buf.h"
#include "controlplane/resources/registry.h"

enum { DOCUMENT_SWAGGER = 1, DOCUMENT_INFO = 2, DOCUMENT_PATHS = 8, DOCUMENT_DEFINITIONS = 9 };
enum { INFO_TITLE = 1, INFO_VERSION = 2 };
enum { PATHS_PATH = 2 };
enum { NAMED_NAME = 1, NAMED_VALUE = 2 };
enum { PATH_ITEM_PATCH = 8 };
enum { OPERATION_PARAMETERS = 8, OPERATION_EXTENSION = 13 };
enum { ITEM_PARAMETER = 1, PARAMETER_NON_BODY = 2, NON_BODY_QUERY = 3 };
enum { QUERY_IN = 2, QUERY_NAME = 4, QUERY_TYPE = 6 };
enum { ANY_YAML = 2 };

static void put(struct buf *out, uint32_t number, struct str bytes)
{
    buf_put_varint(out, number << 3 | 2);
    buf_put_bytes(out, bytes);
}

static void put_c(struct buf *out, uint32_t number, const char *text)
{
    put(out, number, str_from(text));
}

/* *b becomes a message that holds the old *b as one field. */
static void wrap(struct buf *b, uint32_t number)
{
    struct buf outer;
    buf_init(&outer);
    put(&outer, number, buf_str(b));
    buf_deinit(b);
    *b = outer;
}

static void put_parameter(struct buf *operation, const char *name)
{
    struct buf b;
    buf_init(&b);
    put_c(&b, QUERY_IN, "query");
    put_c(&b, QUERY_NAME, name);
    put_c(&b, QUERY_TYPE, "string");
    wrap(&b, NON_BODY_QUERY);
    wrap(&b, PARAMETER_NON_BODY);
    wrap(&b, ITEM_PARAMETER);
    put(operation, OPERATION_PARAMETERS, buf_str(&b));
    buf_deinit(&b);
}

/* x-kubernetes-group-version-kind, as YAML text. */
static void put_kind(struct buf *operation, const struct kind_info *k)
{
    struct buf text;
    struct buf any;
    struct buf named;
    buf_init(&text);
    buf_init(&any);
    buf_init(&named);
    buf_printf(&text, "group: \"%s\"\nkind: %s\nversion: %s\n", k->group, k->name, k->version);
    put(&any, ANY_YAML, buf_str(&text));
    put_c(&named, NAMED_NAME, "x-kubernetes-group-version-kind");
    put(&named, NAMED_VALUE, buf_str(&any));
    put(operation, OPERATION_EXTENSION, buf_str(&named));
    buf_deinit(&text);
    buf_deinit(&any);
    buf_deinit(&named);
}

static void put_path(struct buf *paths, const struct kind_info *k)
{
    struct buf name;
    struct buf item;
    struct buf named;
    buf_init(&name);
    buf_init(&item);
    buf_init(&named);
    buf_printf(&name, "%s%s/%s%s/%s/{name}", k->group[0] == '\0' ? "/api" : "/apis/", k->group,
               k->version, k->namespaced ? "/namespaces/{namespace}" : "", k->plural);
    put_parameter(&item, "dryRun");
    put_parameter(&item, "fieldManager");
    put_parameter(&item, "fieldValidation");
    put_kind(&item, k);
    wrap(&item, PATH_ITEM_PATCH);
    put(&named, NAMED_NAME, buf_str(&name));
    put(&named, NAMED_VALUE, buf_str(&item));
    put(paths, PATHS_PATH, buf_str(&named));
    buf_deinit(&name);
    buf_deinit(&item);
    buf_deinit(&named);
}

void openapi_v2_write(struct buf *out)
{
    struct buf info;
    struct buf paths;
    buf_init(&info);
    buf_init(&paths);
    put_c(&info, INFO_TITLE, "Kubernetes");
    put_c(&info, INFO_VERSION, "v1.35.0");
    for (size_t i = 0; i < resource_count(); i++) {
        const struct kind_info *k = kind_info(resource_at(i)->kind);
        if (k->stored) {
            put_path(&paths, k);
        }
    }
    put_c(out, DOCUMENT_SWAGGER, "2.0");
    put(out, DOCUMENT_INFO, buf_str(&info));
    put(out, DOCUMENT_PATHS, buf_str(&paths));
    put(out, DOCUMENT_DEFINITIONS, str_lit(""));
    buf_deinit(&info);
    buf_deinit(&paths);
}
