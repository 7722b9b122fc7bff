/* See roster.h. */
#include "store/roster.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define FORMAT      1
#define FIELDS      5
#define FIELD_BYTES 128

static const char *const want_names[] = {
    [ROSTER_VOTER] = "voter", [ROSTER_STANDBY] = "standby", [ROSTER_GONE] = "gone"
};

const char *roster_want_name(enum roster_want want)
{
    ASSERT(want >= ROSTER_VOTER && want <= ROSTER_GONE);
    return want_names[want];
}

bool roster_name_is_good(struct str name)
{
    if (name.len == 0 || name.len > 63 || name.data[0] == '-' || name.data[name.len - 1] == '-')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

bool roster_address_is_good(struct str address)
{
    static const size_t scheme = sizeof("tcp:") - 1;

    if (!str_starts(address, str_lit("tcp:")) || address.len <= scheme ||
        address.len >= FIELD_BYTES)
        return false;
    for (size_t i = 0; i < address.len; i++)
        if (address.data[i] <= ' ' || address.data[i] > '~')
            return false;
    return true;
}

void roster_row_key(const char *name, struct buf *out)
{
    buf_append(out, ROSTER_PREFIX, sizeof(ROSTER_PREFIX) - 1);
    buf_append(out, name, strlen(name));
}

void roster_row_encode(const struct roster_row *row, struct buf *out)
{
    char text[2 * FIELD_BYTES + 64];
    int len =
        snprintf(text, sizeof(text), "%d %llu %s %s %s", FORMAT, (unsigned long long)row->member.id,
                 roster_want_name(row->want), row->member.raft_address, row->member.peer_address);

    ASSERT(len > 0 && (size_t)len < sizeof(text));
    buf_append(out, text, (size_t)len);
}

static bool take_field(struct str *rest, struct str *out)
{
    size_t len = 0;

    while (len < rest->len && rest->data[len] != ' ')
        len++;
    *out = str_of(rest->data, len);
    *rest = len < rest->len ? str_of(rest->data + len + 1, rest->len - len - 1) : str_of("", 0);
    return len > 0 && len < FIELD_BYTES;
}

static void copy_field(char *to, struct str from)
{
    memcpy(to, from.data, from.len);
    to[from.len] = '\0';
}

int roster_row_decode(struct str key, struct str value, struct roster_row *out, struct err *e)
{
    struct roster_row row = { 0 };
    struct str prefix = str_lit(ROSTER_PREFIX);
    struct str fields[FIELDS];
    struct str name;
    uint64_t format;

    if (!str_starts(key, prefix))
        return err_set(e, ERR_CORRUPT, "not a member's row");
    name = str_of(key.data + prefix.len, key.len - prefix.len);
    for (size_t i = 0; i < FIELDS; i++)
        if (!take_field(&value, &fields[i]))
            return err_set(e, ERR_CORRUPT, "member row %.*s: field %zu", STR_ARG(key), i + 1);
    if (!roster_name_is_good(name) || str_to_u64(fields[0], &format) != 0 || format != FORMAT ||
        str_to_u64(fields[1], &row.member.id) != 0 || row.member.id == 0 || value.len > 0)
        return err_set(e, ERR_CORRUPT, "member row %.*s does not decode", STR_ARG(key));
    for (int want = ROSTER_VOTER; want <= ROSTER_GONE; want++)
        if (str_eq_c(fields[2], want_names[want]))
            row.want = (enum roster_want)want;
    if (row.want == 0)
        return err_set(e, ERR_CORRUPT, "member row %.*s wishes %.*s", STR_ARG(key),
                       STR_ARG(fields[2]));
    copy_field(row.member.name, name);
    copy_field(row.member.raft_address, fields[3]);
    copy_field(row.member.peer_address, fields[4]);
    *out = row;
    return 0;
}

struct reading {
    struct roster *roster;
    struct err *e;
    int rc;
};

static bool on_row(void *ctx, const struct store_version *v)
{
    struct reading *r = ctx;
    struct roster_row *row = &r->roster->rows[r->roster->count];

    if (r->roster->count == ROSTER_MAX) {
        r->rc = err_set(r->e, ERR_LIMIT, "more than %d member rows", ROSTER_MAX);
        return false;
    }
    r->rc = roster_row_decode(v->key, v->value, row, r->e);
    row->revision = v->revision;
    r->roster->count += r->rc == 0 ? 1 : 0;
    return r->rc == 0;
}

int roster_read(struct store_group *cluster, struct roster *out, struct err *e)
{
    struct roster roster = { .next_id = 1 };
    struct reading reading = { .roster = &roster, .e = e };
    struct store_version next;
    struct store_read r;
    bool more;
    int rc = store_read_begin(cluster, 0, &r);

    if (rc != 0)
        return err_set(e, (enum err_code) - rc, "read the members");
    rc = store_read_scan(&r, str_lit(ROSTER_PREFIX), str_of("", 0), on_row, &reading, NULL, &more);
    if (rc == 0)
        rc = reading.rc;
    if (rc == 0 && store_read_get(&r, str_lit(ROSTER_NEXT_KEY), &next) == 0) {
        roster.next_revision = next.revision;
        rc = str_to_u64(next.value, &roster.next_id) == 0
                 ? 0
                 : err_set(e, ERR_CORRUPT, "the next member id does not decode");
    }
    store_read_end(&r);
    if (rc == 0)
        *out = roster;
    return rc;
}

void roster_from_members(struct roster *r, const struct store_member *members, size_t count)
{
    ASSERT(count <= ROSTER_MAX);
    *r = (struct roster){ .next_id = 1 };
    for (size_t i = 0; i < count; i++) {
        r->rows[r->count++] = (struct roster_row){ .member = members[i], .want = ROSTER_VOTER };
        if (members[i].id >= r->next_id)
            r->next_id = members[i].id + 1;
    }
}

const struct roster_row *roster_by_id(const struct roster *r, uint64_t id)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->rows[i].member.id == id)
            return &r->rows[i];
    return NULL;
}

bool roster_removed(const struct roster *r, uint64_t id)
{
    return r->next_revision != 0 && id < r->next_id && roster_by_id(r, id) == NULL;
}

size_t roster_members(const struct roster *r, struct store_member out[ROSTER_MAX])
{
    for (size_t i = 0; i < r->count; i++)
        out[i] = r->rows[i].member;
    return r->count;
}

const struct roster_row *roster_by_name(const struct roster *r, struct str name)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_eq_c(name, r->rows[i].member.name))
            return &r->rows[i];
    return NULL;
}
