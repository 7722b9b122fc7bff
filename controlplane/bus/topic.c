/* Names, rows and records of the bus; see the header. */
#include "controlplane/bus/topic.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

#define EPHEMERAL_SUFFIX "#ephemeral"
#define RECORD_HEADER    8

static bool name_chars_valid(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
        if (!ok)
            return false;
    }
    return name.len > 0;
}

bool topic_name_valid(struct str name)
{
    return name.len <= TOPIC_NAME_BYTES_MAX && name_chars_valid(name);
}

bool channel_is_ephemeral(struct str name)
{
    return str_ends(name, str_lit(EPHEMERAL_SUFFIX));
}

bool channel_name_valid(struct str name)
{
    if (name.len > TOPIC_NAME_BYTES_MAX)
        return false;
    if (channel_is_ephemeral(name))
        name.len -= strlen(EPHEMERAL_SUFFIX);
    return name_chars_valid(name);
}

bool topic_is_system(struct str name)
{
    return str_starts(name, str_lit(TOPIC_SYSTEM_PREFIX));
}

struct str topic_row_key(struct arena *a, struct str topic)
{
    return str_printf(a, "topic/%.*s", STR_ARG(topic));
}

struct str channel_row_key(struct arena *a, struct str topic, struct str channel)
{
    return str_printf(a, "channel/%.*s/%.*s", STR_ARG(topic), STR_ARG(channel));
}

struct str channel_row_prefix(struct arena *a, struct str topic)
{
    return str_printf(a, "channel/%.*s/", STR_ARG(topic));
}

struct str topic_record(struct arena *a, uint64_t wall_ns, struct str body)
{
    char *bytes = arena_alloc(a, RECORD_HEADER + body.len);
    store_le64(bytes, wall_ns);
    if (body.len > 0)
        memcpy(bytes + RECORD_HEADER, body.data, body.len);
    return str_of(bytes, RECORD_HEADER + body.len);
}

void topic_record_read(struct str record, uint64_t *out_wall_ns, struct str *out_body)
{
    if (record.len < RECORD_HEADER) {
        *out_wall_ns = 0;
        *out_body = str_of(NULL, 0);
        return;
    }
    *out_wall_ns = load_le64(record.data);
    *out_body = str_slice(record, RECORD_HEADER, record.len);
}
