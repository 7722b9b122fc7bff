/* Private to this folder: what the operations on objects and the streams write alike. */
#ifndef CONTROLPLANE_APISERVER_OPENAPI_PATHS_INTERNAL_H
#define CONTROLPLANE_APISERVER_OPENAPI_PATHS_INTERNAL_H

#include "base/str.h"
#include "controlplane/apiserver/openapi/paths.h"

struct kind_info;
struct subresource;

/* The paths of a stream or a proxy: each method is one operation of action "connect". */
void openapi_write_connect_paths(struct openapi_paths *p, const struct kind_info *parent,
                                 const struct subresource *sub);

/* in: "path" (then it is required) or "query". */
void openapi_write_parameter(struct openapi_paths *p, const char *in, const char *name,
                             const char *type, const char *doc);
/* The parameters name and namespace, a comma behind each. */
void openapi_write_identity(struct openapi_paths *p, bool name, bool ns);
/* "/api/v1/" or "/apis/apps/v1/". */
void openapi_write_prefix(struct openapi_paths *p, const char *group, const char *version);
/* The word with its first letter large. */
void openapi_append_title(struct buf *out, struct str word);
/* "core", "apps", "coordination": how tags and operations call a group. */
struct str openapi_group_word(const char *group);
/* Is it one of those, with spaces between? */
bool openapi_has_word(const char *words, const char *word);

#endif
