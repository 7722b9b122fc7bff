/* See the header. Texts of errors are kubectl's, so that scripts that read them go on working. */
#include "cli/manifest.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/meta/selector.h"
#include "api/schema/yaml.h"
#include "base/buf.h"
#include "base/env.h"
#include "cli/compose.h"

#define STDIN_NAME "STDIN"
/* Bytes of a read. */
#define READ_BYTES (64u << 10)

const struct flag manifest_rows[] = {
    { .name = "filename",
      .letter = 'f',
      .type = FLAG_LIST,
      .at = offsetof(struct manifest_flags, files),
      .help = "The objects that these files and folders name; - is standard input.",
      .values = VALUES_FILES },
    { .name = "recursive",
      .letter = 'R',
      .type = FLAG_BOOL,
      .at = offsetof(struct manifest_flags, recursive),
      .help = "With -f: the folders in a folder, too." },
    { .name = "kustomize",
      .letter = 'k',
      .at = offsetof(struct manifest_flags, kustomize),
      .help = "Not done by gantry: build the folder first, then use -f -.",
      .values = VALUES_FILES },
    { 0 }
};

static void fail(struct manifests *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct manifests *m, const char *format, ...)
{
    struct buf b;
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_init(&b);
    buf_append_c(&b, text);
    m->errors =
        arena_grow(m->arena, m->errors, m->errors_count, &m->errors_capacity, sizeof *m->errors);
    m->errors[m->errors_count++] = str_dup(m->arena, buf_str(&b));
    buf_deinit(&b);
}

/* ---- objects of a text ---- */

static bool missing(const struct json *object, const char *key)
{
    const struct json *value = json_get_c(object, key);
    return value == NULL || value->type != JSON_STRING || value->count == 0;
}

/* Both are told at once, as upstream's check does. */
static bool check_type(struct manifests *m, const struct json *object, struct str source)
{
    bool version = missing(object, "apiVersion");
    bool kind = missing(object, "kind");
    if (!version && !kind)
        return true;
    if (m->unchecked) {
        struct json sorted = compose_sorted(m->arena, object);
        struct str text = compose_text(m->arena, &sorted);
        fail(m, "unable to decode \"%.*s\": Object '%s' is missing in '%.*s'", STR_ARG(source),
             kind ? "Kind" : "apiVersion", STR_ARG(text));
        return false;
    }
    fail(m,
         "error validating \"%.*s\": error validating data: %s; if you choose to ignore these "
         "errors, turn validation off with --validate=false",
         STR_ARG(source),
         version && kind ? "[apiVersion not set, kind not set]"
         : version       ? "apiVersion not set"
                         : "kind not set");
    return false;
}

static bool add_object(struct manifests *m, const struct json *object, struct str source,
                       int depth);

/* Items may leave out what the list says of them. */
static bool add_items(struct manifests *m, const struct json *list, struct str source, int depth)
{
    const struct json *items = NULL;
    size_t count = compose_items(json_get_c(list, "items"), &items);
    struct str kind = json_str(json_get_c(list, "kind"));
    struct json of = json_string(str_slice(kind, 0, kind.len - strlen("List")));
    for (size_t i = 0; i < count; i++) {
        struct json *item = arena_copy(m->arena, &items[i], sizeof *item);
        if (of.count > 0 && item->type == JSON_OBJECT && missing(item, "kind"))
            *item = compose_with(m->arena, item, "kind", &of);
        if (of.count > 0 && item->type == JSON_OBJECT && missing(item, "apiVersion"))
            *item = compose_with(m->arena, item, "apiVersion", json_get_c(list, "apiVersion"));
        if (!add_object(m, item, source, depth + 1))
            return false;
    }
    return true;
}

static bool add_object(struct manifests *m, const struct json *object, struct str source, int depth)
{
    if (object->type != JSON_OBJECT) {
        fail(m,
             "error validating \"%.*s\": error validating data: invalid object to validate; if you "
             "choose to ignore these errors, turn validation off with --validate=false",
             STR_ARG(source));
        return false;
    }
    if (!check_type(m, object, source))
        return false;
    const struct json *items = json_get_c(object, "items");
    if (str_ends(json_str(json_get_c(object, "kind")), str_lit("List")) && items != NULL &&
        items->type == JSON_ARRAY) {
        if (depth < MANIFEST_DEPTH_MAX)
            return add_items(m, object, source, depth);
        fail(m, "error parsing %.*s: lists in lists nest deeper than %d", STR_ARG(source),
             MANIFEST_DEPTH_MAX);
        return false;
    }
    if (m->count == MANIFEST_OBJECTS_MAX) {
        fail(m, "error parsing %.*s: more than %d objects; apply fewer files at a time",
             STR_ARG(source), MANIFEST_OBJECTS_MAX);
        return false;
    }
    m->items = arena_grow(m->arena, m->items, m->count, &m->capacity, sizeof *m->items);
    m->items[m->count++] = (struct manifest){ .object = object, .source = source };
    return true;
}

/* ---- documents of a text ---- */

/* How long the JSON value is that the text begins with: up to the brace that closes it. 0: it does
 * not end. */
static size_t json_value_len(struct str text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (quoted && c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '{' || c == '[')) {
            depth++;
        } else if (!quoted && (c == '}' || c == ']')) {
            if (depth <= 1)
                return i + 1;
            depth--;
        }
    }
    return 0;
}

static struct str skip_space(struct str text)
{
    size_t i = 0;
    while (i < text.len && isspace((unsigned char)text.data[i]))
        i++;
    return str_slice(text, i, text.len);
}

/* JSON values, one after the other; stops at what is none. False: an error was said. */
static bool parse_json(struct manifests *m, struct str *text, struct str source)
{
    while (*text = skip_space(*text), text->len > 0 && text->data[0] == '{') {
        const struct json *object;
        struct err e;
        size_t len = json_value_len(*text);
        if (len == 0) {
            fail(m, "error parsing %.*s: unexpected EOF", STR_ARG(source));
            return false;
        }
        if (json_parse(m->arena, str_slice(*text, 0, len), &object, &e) != 0) {
            fail(m, "error parsing %.*s: %s", STR_ARG(source), e.msg);
            return false;
        }
        if (!add_object(m, object, source, 0))
            return false;
        *text = str_slice(*text, len, text->len);
    }
    return true;
}

static bool is_separator(struct str line)
{
    return str_starts(line, str_lit("---"));
}

/* The text up to the next separator; the rest begins after that line. */
static struct str next_document(struct str *text)
{
    struct str all = *text;
    struct str line;
    while (str_split(text, '\n', &line)) {
        if (is_separator(line))
            return str_slice(all, 0, (size_t)(line.data - all.data));
    }
    return all;
}

static bool parse_document(struct manifests *m, struct str text, struct str source)
{
    struct yaml_duplicates duplicates = { 0 };
    const struct json *object;
    struct err e;
    if (yaml_parse_body(m->arena, text, &object, &duplicates, &e) != 0) {
        fail(m, "error parsing %.*s: error converting YAML to JSON: %s", STR_ARG(source), e.msg);
        return false;
    }
    return object->type == JSON_NULL || add_object(m, object, source, 0);
}

void manifests_parse(struct manifests *out, struct str text, struct str source)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (str_starts(text, str_lit(mark)))
        text = str_slice(text, sizeof mark - 1, text.len);
    /* A file may begin in JSON and go on in YAML. */
    if (!parse_json(out, &text, source))
        return;
    while (text.len > 0)
        if (!parse_document(out, next_document(&text), source))
            return;
}

/* ---- files ---- */

int manifest_read_fd(struct arena *a, int fd, struct str *out, struct err *e)
{
    struct buf b;
    ssize_t n = 0;
    buf_init(&b);
    do {
        buf_reserve(&b, READ_BYTES);
        n = read(fd, b.data + b.len, READ_BYTES);
        b.len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && b.len <= MANIFEST_BYTES_MAX);
    int rc = n < 0 ? err_set(e, ERR_IO, "it cannot be read")
             : b.len > MANIFEST_BYTES_MAX
                 ? err_set(e, ERR_TOO_LARGE, "more than %u bytes", MANIFEST_BYTES_MAX)
                 : 0;
    *out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return rc;
}

struct walk {
    struct cli *cli;
    struct manifests *out;
    bool recursive;
    size_t files;
};

static void read_file(struct walk *w, const char *path)
{
    struct str text;
    struct err e;
    if (++w->files > MANIFEST_FILES_MAX) {
        if (w->files == MANIFEST_FILES_MAX + 1)
            fail(w->out, "more than %d files; apply fewer folders at a time", MANIFEST_FILES_MAX);
        return;
    }
    if (env_file_read(w->cli->env, w->out->arena, path, MANIFEST_BYTES_MAX, &text, &e) != 0) {
        fail(w->out, "error reading %s: %s", path, e.msg);
        return;
    }
    manifests_parse(w->out, text, str_from(path));
}

static bool is_manifest_name(struct str name)
{
    return str_ends(name, str_lit(".json")) || str_ends(name, str_lit(".yaml")) ||
           str_ends(name, str_lit(".yml"));
}

/* In the order of names, folders in their place. */
static void read_folder(struct walk *w, const char *path, int depth)
{
    struct str *names;
    size_t count;
    struct err e;
    if (depth == MANIFEST_DEPTH_MAX) {
        fail(w->out, "error reading %s: folders nest deeper than %d", path, MANIFEST_DEPTH_MAX);
        return;
    }
    if (env_dir_list(w->cli->env, w->out->arena, path, &names, &count, &e) != 0) {
        fail(w->out, "error reading %s: %s", path, e.msg);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct env_stat st;
        const char *separator = path[strlen(path) - 1] == '/' ? "" : "/";
        const char *inner =
            str_printf(w->out->arena, "%s%s%.*s", path, separator, STR_ARG(names[i])).data;
        if (env_path_stat(w->cli->env, inner, &st, NULL) != 0)
            continue;
        if (st.is_dir && w->recursive)
            read_folder(w, inner, depth + 1);
        else if (!st.is_dir && is_manifest_name(names[i]))
            read_file(w, inner);
    }
}

static void read_stdin(struct walk *w)
{
    struct str text;
    struct err e;
    if (manifest_read_fd(w->out->arena, STDIN_FILENO, &text, &e) != 0)
        fail(w->out, "error reading " STDIN_NAME ": %s", e.msg);
    else
        manifests_parse(w->out, text, str_lit(STDIN_NAME));
}

static void read_path(struct walk *w, const char *path)
{
    struct env_stat st;
    if (strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0) {
        fail(w->out, "%s: gantry fetches no manifests; download it and name the file with -f",
             path);
    } else if (strcmp(path, "-") == 0) {
        read_stdin(w);
    } else if (path[0] == '\0' || env_path_stat(w->cli->env, path, &st, NULL) != 0) {
        fail(w->out, "the path \"%s\" does not exist", path);
    } else if (st.is_dir) {
        size_t before = w->files;
        read_folder(w, path, 0);
        if (w->files == before)
            fail(w->out, "error reading [%s]: recognized file extensions are [.json .yaml .yml]",
                 path);
    } else {
        read_file(w, path);
    }
}

void manifests_read(struct cli *c, const struct manifest_flags *f, struct manifests *out)
{
    struct walk w = { .cli = c, .out = out, .recursive = f->recursive };
    out->arena = &c->arena;
    if (f->kustomize != NULL) {
        fail(out,
             "-k %s: gantry builds no kustomizations; `kustomize build %s | gantry ... -f -` does",
             f->kustomize, f->kustomize);
        return;
    }
    for (size_t i = 0; i < f->files.count; i++)
        read_path(&w, f->files.items[i]);
}

bool manifest_named(const struct manifest_flags *f)
{
    return f->files.count > 0 || f->kustomize != NULL;
}

static bool is_selected(struct arena *a, const struct selector *s, const struct json *object)
{
    const struct json *members = json_get_c(json_get_c(object, "metadata"), "labels");
    size_t count = members != NULL && members->type == JSON_OBJECT ? members->count : 0;
    struct label *pairs = arena_array(a, count, sizeof *pairs);
    for (size_t i = 0; i < count; i++)
        pairs[i] =
            (struct label){ members->u.members[i].key, json_str(&members->u.members[i].value) };
    struct labels labels = labels_of_pairs(pairs, count);
    return selector_matches(s, &labels);
}

int manifests_select(struct manifests *m, const char *text, struct err *e)
{
    struct selector selector = { 0 };
    size_t kept = 0;
    int rc = selector_parse(m->arena, str_from(text), &selector, e);
    for (size_t i = 0; rc == 0 && i < m->count; i++)
        if (is_selected(m->arena, &selector, m->items[i].object))
            m->items[kept++] = m->items[i];
    m->count = rc == 0 ? kept : m->count;
    return rc;
}
