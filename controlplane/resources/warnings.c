/* Warnings that kinds share: about names, and about the templates of workloads. */
#include "controlplane/resources/warnings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"

void warn_at(const struct resource_context *c, struct resource_warnings *out,
             const struct field_path *p, const char *format, ...)
{
    va_list args;
    va_list again;
    if (out->count == RESOURCE_WARNINGS_MAX)
        return;
    const char *path = path_text(c->arena, p);
    size_t before = strlen(path) + strlen(": ");
    va_start(args, format);
    va_copy(again, args);
    size_t size = before + (size_t)vsnprintf(NULL, 0, format, args) + 1;
    char *text = arena_alloc(c->arena, size);
    (void)snprintf(text, size, "%s: ", path);
    (void)vsnprintf(text + before, size - before, format, again);
    va_end(again);
    va_end(args);
    out->texts[out->count++] = text;
}

void warn_name(const struct resource_context *c, const char *name, const char *what,
               struct resource_warnings *out)
{
    const struct field_path meta = path_field(NULL, "metadata");
    const struct field_path path = path_field(&meta, "name");
    struct name_messages m;
    struct buf all;
    if (name_dns1123_label(str_from(text_of(name)), &m))
        return;
    buf_init(&all);
    for (size_t i = 0; i < m.count; i++)
        buf_printf(&all, "%s%s", i == 0 ? "" : " ", m.text[i]);
    warn_at(c, out, &path,
            "this is used in %s, which can result in surprising behavior; a DNS label is "
            "recommended: [%.*s]",
            what, STR_ARG(buf_str(&all)));
    buf_deinit(&all);
}

void warn_workload(const struct resource_context *c, const void *object, const void *old,
                   const PodTemplateSpec *t, struct resource_warnings *out)
{
    const struct field_path spec = path_field(NULL, "spec");
    const struct field_path path = path_field(&spec, "template");
    const ObjectMeta *meta = resource_meta_const(object);
    if (old != NULL && meta->generation == resource_meta_const(old)->generation)
        return;
    if (old == NULL)
        warn_name(c, meta->name, "Pod names and hostnames", out);
    if (t != NULL && t->spec != NULL)
        warn_pod(c, t->spec, t->metadata, &path, out);
}
