/*
 * Streams (exec, attach, portforward) and proxies. What passes has no schema: bodies and answers
 * are any bytes, so an operation is its name, its kind and, on the path, what its query may say.
 */
#include "api/meta/kinds.h"
#include "base/buf.h"
#include "controlplane/apiserver/openapi/paths_internal.h"
#include "controlplane/resources/registry.h"

static const struct {
    const char *subs; /* the subresources that take it */
    const char *name;
    const char *type;
    const char *doc;
} parameters[] = {
    { "exec", "command", "string",
      "Program to run and its arguments, one parameter each; no shell reads them." },
    { "attach exec", "container", "string",
      "Which of the pod's containers; may be left out when it has only one." },
    { "proxy", "path", "string", "Path that the request is sent to, behind the object's own." },
    { "portforward", "ports", "integer", "Ports of the pod; WebSocket clients name them here." },
    { "attach exec", "stderr", "boolean", "Pass on what is written to standard error." },
    { "attach exec", "stdin", "boolean", "Pass what the client sends to standard input." },
    { "attach exec", "stdout", "boolean", "Pass on what is written to standard output." },
    { "attach exec", "tty", "boolean", "Give the command a terminal." },
};

static const struct {
    const char *name;
    const char *verb; /* that discovery lists, or NULL: of proxies, which take any method */
} methods[] = { { "delete", "delete" }, { "get", "get" },     { "head", NULL },
                { "options", NULL },    { "patch", "patch" }, { "post", "create" },
                { "put", "update" } };

#define METHODS (sizeof(methods) / sizeof(methods[0]))

static bool is_proxy(const struct subresource *sub)
{
    return sub->bit == SUBRESOURCE_PROXY;
}

static void write_response(struct openapi_paths *p)
{
    buf_append_c(p->out, "\"responses\":{\"200\":{\"description\":\"OK\",");
    buf_append_c(p->out, p->version == OPENAPI_V2
                             ? "\"schema\":{\"type\":\"string\"}"
                             : "\"content\":{\"*/*\":{\"schema\":{\"type\":\"string\"}}}");
    buf_append_c(p->out, "},\"401\":{\"description\":\"Unauthorized\"}}");
}

static void write_operation(struct openapi_paths *p, const char *method, const struct kind_info *k,
                            const struct subresource *sub, bool with_path)
{
    struct str group = openapi_group_word(k->group);
    buf_printf(p->out, "\"%s\":{\"description\":\"Connect a request to the %s of a %s.\",", method,
               sub->name, k->name);
    buf_printf(p->out, "\"tags\":[\"%.*s_%s\"],\"operationId\":\"connect", STR_ARG(group),
               k->version);
    openapi_append_title(p->out, group);
    openapi_append_title(p->out, str_from(k->version));
    openapi_append_title(p->out, str_from(method));
    buf_append_c(p->out, k->namespaced ? "Namespaced" : "");
    buf_append_c(p->out, k->name);
    openapi_append_title(p->out, str_from(sub->name));
    buf_append_c(p->out, with_path ? "WithPath\"," : "\",");
    if (p->version == OPENAPI_V2) {
        buf_append_c(p->out, "\"consumes\":[\"*/*\"],\"produces\":[\"*/*\"],"
                             "\"schemes\":[\"https\"],");
    }
    write_response(p);
    buf_printf(p->out,
               ",\"x-kubernetes-action\":\"connect\",\"x-kubernetes-group-version-kind\":{"
               "\"group\":\"%s\",\"kind\":\"%s%s\",\"version\":\"%s\"}},",
               k->group, k->name, sub->options, k->version);
}

static void write_path_parameters(struct openapi_paths *p, const struct kind_info *k,
                                  const struct subresource *sub, bool with_path)
{
    bool first = true;
    buf_append_c(p->out, "\"parameters\":[");
    openapi_write_identity(p, true, k->namespaced);
    if (with_path) {
        openapi_write_parameter(p, "path", "path", "string", "What is asked for, behind proxy/.");
        buf_append_c(p->out, ",");
    }
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
        if (openapi_has_word(parameters[i].subs, sub->name)) {
            buf_append_c(p->out, first ? "" : ",");
            openapi_write_parameter(p, "query", parameters[i].name, parameters[i].type,
                                    parameters[i].doc);
            first = false;
        }
    }
    buf_append_c(p->out, "]");
}

static void write_path(struct openapi_paths *p, const struct kind_info *k,
                       const struct subresource *sub, bool with_path)
{
    buf_append_c(p->out, ",\"");
    openapi_write_prefix(p, k->group, k->version);
    buf_printf(p->out, "%s%s/{name}/%s%s\":{", k->namespaced ? "namespaces/{namespace}/" : "",
               k->plural, sub->name, with_path ? "/{path}" : "");
    for (size_t i = 0; i < METHODS; i++) {
        const char *verb = methods[i].verb;
        if (verb == NULL ? is_proxy(sub) : openapi_has_word(sub->verbs, verb)) {
            write_operation(p, methods[i].name, k, sub, with_path);
        }
    }
    write_path_parameters(p, k, sub, with_path);
    buf_append_c(p->out, "}");
}

void openapi_write_connect_paths(struct openapi_paths *p, const struct kind_info *parent,
                                 const struct subresource *sub)
{
    write_path(p, parent, sub, false);
    if (is_proxy(sub)) {
        write_path(p, parent, sub, true);
    }
}
