/* -o FORMAT: whole objects as text, in kubectl's formats. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/columns.h"
#include "cli/verb.h"

struct buf;
struct json;
struct jsonpath;

/* Of a template or a set of columns read from a file. */
#define OUTPUT_FILE_BYTES_MAX (64u << 10)

enum output_format {
    OUTPUT_JSON,
    OUTPUT_YAML,
    OUTPUT_NAME,
    OUTPUT_JSONPATH,
    OUTPUT_JSONPATH_AS_JSON,
    OUTPUT_COLUMNS
};

struct output {
    enum output_format format;
    struct str template;
    const struct jsonpath *path;
    struct columns columns;
    bool strict;         /* of JSONPath: what is missing is an error */
    bool managed_fields; /* kept in JSON and YAML */
    bool no_headers;
    size_t printed; /* documents so far */
};

/* format: what stands after -o; template: of --template, may be NULL. The other members of *io may
 * be set before. e for cli_error_of. */
int output_parse(struct cli *c, const char *format, const char *template, struct output *io,
                 struct err *e);
/* object: an object, a List, or {type, object} of a watch. On failure *out_says is the whole
 * sentence; what was filled in before is in out. */
int output_print(struct cli *c, struct output *o, const struct json *object, struct buf *out,
                 struct str *out_says);
/* {kind: List, apiVersion: v1, items}: how several objects are printed. */
const struct json *output_list(struct cli *c, const struct json *const *objects, size_t count);

#endif
