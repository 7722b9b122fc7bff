/* See the header. */
#include "cli/tar.h"

#include <string.h>

/* Where the fields of a header lie. */
enum {
    NAME_AT = 0,
    NAME_BYTES = 100,
    MODE_AT = 100,
    UID_AT = 108,
    GID_AT = 116,
    ID_BYTES = 8,
    SIZE_AT = 124,
    TIME_AT = 136,
    NUMBER_BYTES = 12,
    SUM_AT = 148,
    SUM_BYTES = 8,
    TYPE_AT = 156,
    LINK_AT = 157,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_BYTES = 155
};

#define LONG_NAME "././@LongLink"

/* ---- numbers ---- */

static void put_octal(uint8_t *at, size_t digits, uint64_t value)
{
    for (size_t i = digits; i > 0; i--) {
        at[i - 1] = (uint8_t)('0' + (value & 7));
        value >>= 3;
    }
}

/* Octal and a NUL where it fits, else base 256 with the first bit set. */
static void put_number(uint8_t *at, size_t bytes, uint64_t value)
{
    if (value >> (3 * (bytes - 1)) == 0) {
        put_octal(at, bytes - 1, value);
        return;
    }
    for (size_t i = bytes - 1; i > 0; i--) {
        at[i] = (uint8_t)value;
        value >>= 8;
    }
    at[0] = 0x80;
}

static uint64_t get_number(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    if ((at[0] & 0x80) != 0) {
        for (size_t i = 1; i < bytes; i++)
            value = value << 8 | at[i];
        return value;
    }
    for (size_t i = 0; i < bytes; i++)
        if (at[i] >= '0' && at[i] <= '7')
            value = value << 3 | (uint64_t)(at[i] - '0');
        else if (at[i] != ' ')
            break;
    return value;
}

/* Of all bytes, those of the sum itself as blanks. */
static unsigned sum_of(const uint8_t *block)
{
    unsigned sum = 0;
    for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : block[i];
    return sum;
}

/* ---- writing ---- */

static void write_block(struct buf *out, const struct tar_entry *e)
{
    uint8_t block[TAR_BLOCK_BYTES] = { 0 };
    if (e->name.len > 0)
        memcpy(block + NAME_AT, e->name.data, e->name.len < NAME_BYTES ? e->name.len : NAME_BYTES);
    put_number(block + MODE_AT, ID_BYTES, e->mode);
    put_number(block + UID_AT, ID_BYTES, e->uid);
    put_number(block + GID_AT, ID_BYTES, e->gid);
    put_number(block + SIZE_AT, NUMBER_BYTES, e->size);
    put_number(block + TIME_AT, NUMBER_BYTES, e->modified_s > 0 ? (uint64_t)e->modified_s : 0);
    block[TYPE_AT] = (uint8_t)e->type;
    if (e->link.len > 0)
        memcpy(block + LINK_AT, e->link.data, e->link.len < NAME_BYTES ? e->link.len : NAME_BYTES);
    memcpy(block + MAGIC_AT, "ustar  ", 8);                  /* GNU's, as its long names are */
    put_octal(block + SUM_AT, SUM_BYTES - 2, sum_of(block)); /* then a NUL and a blank */
    block[SUM_AT + SUM_BYTES - 1] = ' ';
    buf_append(out, block, sizeof block);
}

/* A name that does not fit is the data of an entry of its own. */
static void write_long(struct buf *out, int type, struct str text)
{
    const struct tar_entry e = { .type = type, .name = str_lit(LONG_NAME), .size = text.len + 1 };
    if (text.len <= NAME_BYTES)
        return;
    write_block(out, &e);
    buf_append_str(out, text);
    buf_append_byte(out, '\0');
    tar_write_padding(out, e.size);
}

void tar_write_header(struct buf *out, const struct tar_entry *entry)
{
    write_long(out, 'K', entry->link);
    write_long(out, 'L', entry->name);
    write_block(out, entry);
}

void tar_write_padding(struct buf *out, uint64_t size)
{
    static const uint8_t zeros[TAR_BLOCK_BYTES] = { 0 };
    uint64_t over = size % TAR_BLOCK_BYTES;
    if (over > 0)
        buf_append(out, zeros, TAR_BLOCK_BYTES - (size_t)over);
}

void tar_write_end(struct buf *out)
{
    static const uint8_t zeros[2 * TAR_BLOCK_BYTES] = { 0 };
    buf_append(out, zeros, sizeof zeros);
}

/* ---- reading ---- */

void tar_reader_init(struct tar_reader *r)
{
    buf_init(&r->text);
    buf_init(&r->name);
    buf_init(&r->link);
}

void tar_reader_deinit(struct tar_reader *r)
{
    buf_deinit(&r->text);
    buf_deinit(&r->name);
    buf_deinit(&r->link);
}

bool tar_reader_between(const struct tar_reader *r)
{
    return r->have == 0 && r->left == 0 && r->pad == 0 && r->extra == 0;
}

static struct str field(const uint8_t *at, size_t bytes)
{
    return str_of(at, bytes == 0 ? 0 : strnlen((const char *)at, bytes));
}

/* A name with a NUL in it would be judged as one and opened as another. */
static int take_path(struct buf *to, struct str value, struct err *e)
{
    if (str_find_char(value, '\0', 0) >= 0)
        return err_set(e, ERR_PARSE, "tar archive: a name has a NUL in it");
    buf_clear(to);
    buf_append_str(to, value);
    return 0;
}

/* "25 path=a/b\n" again and again: a length, that of the whole record, a key and a value. */
static int take_pax(struct tar_reader *r, struct err *e)
{
    struct str rest = buf_str(&r->text);
    while (rest.len > 0) {
        uint64_t len = 0;
        ptrdiff_t blank = str_find_char(rest, ' ', 0);
        if (blank <= 0 || str_to_u64(str_slice(rest, 0, (size_t)blank), &len) != 0 ||
            len <= (size_t)blank + 1 || len > rest.len)
            return 0;
        struct str record = str_slice(rest, (size_t)blank + 1, (size_t)len - 1);
        ptrdiff_t equals = str_find_char(record, '=', 0);
        rest = str_slice(rest, (size_t)len, rest.len);
        if (equals < 0)
            continue;
        struct str key = str_slice(record, 0, (size_t)equals);
        struct str value = str_slice(record, (size_t)equals + 1, record.len);
        struct buf *to = str_eq_c(key, "path")       ? &r->name
                         : str_eq_c(key, "linkpath") ? &r->link
                                                     : NULL;
        if (to != NULL && take_path(to, value, e) != 0)
            return -ERR_PARSE;
        if (str_eq_c(key, "size"))
            r->sized = str_to_u64(value, &r->size) == 0;
    }
    return 0;
}

static int take_extra(struct tar_reader *r, struct err *e)
{
    int rc = 0;
    struct str text = field(r->text.data, r->text.len);
    struct buf *to = r->extra == 'L' ? &r->name : r->extra == 'K' ? &r->link : NULL;
    if (to != NULL) {
        buf_clear(to);
        buf_append_str(to, text);
    } else if (r->extra == 'x') {
        rc = take_pax(r, e);
    }
    buf_clear(&r->text);
    r->extra = 0;
    return rc;
}

static int entry_over(struct tar_reader *r, struct err *e)
{
    if (r->extra == 0)
        return r->end(r, e);
    return take_extra(r, e);
}

static struct str name_of(struct tar_reader *r, struct buf *whole)
{
    struct str prefix = field(r->block + PREFIX_AT, PREFIX_BYTES);
    struct str name = field(r->block + NAME_AT, NAME_BYTES);
    bool posix = memcmp(r->block + MAGIC_AT, "ustar\0", 6) == 0;
    if (r->name.len > 0)
        return buf_str(&r->name);
    if (posix && prefix.len > 0)
        buf_printf(whole, "%.*s/", STR_ARG(prefix));
    buf_append_str(whole, name);
    return buf_str(whole);
}

static int take_entry(struct tar_reader *r, struct err *e)
{
    struct buf whole;
    uint8_t type = r->block[TYPE_AT];
    buf_init(&whole);
    const struct tar_entry entry = {
        .type = type == '\0' || type == '7' ? TAR_FILE : type,
        .name = name_of(r, &whole),
        .link = r->link.len > 0 ? buf_str(&r->link) : field(r->block + LINK_AT, NAME_BYTES),
        .size = r->left,
        .mode = (uint32_t)get_number(r->block + MODE_AT, ID_BYTES),
        .modified_s = (int64_t)get_number(r->block + TIME_AT, NUMBER_BYTES)
    };
    int rc = r->entry(r, &entry, e);
    buf_deinit(&whole);
    buf_clear(&r->name);
    buf_clear(&r->link);
    return rc;
}

static bool is_empty(const uint8_t *block)
{
    for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
        if (block[i] != 0)
            return false;
    return true;
}

static int take_header(struct tar_reader *r, struct err *e)
{
    int type = r->block[TYPE_AT];
    r->have = 0;
    r->over = is_empty(r->block);
    if (r->over)
        return 0;
    if (get_number(r->block + SUM_AT, SUM_BYTES) != sum_of(r->block))
        return err_set(e, ERR_PARSE, "what came is no tar archive");
    bool extra = type == 'L' || type == 'K' || type == 'x' || type == 'g';
    bool bodiless = type == TAR_HARD_LINK || type == TAR_LINK || type == TAR_FOLDER;
    r->left = r->sized && !extra ? r->size : get_number(r->block + SIZE_AT, NUMBER_BYTES);
    r->sized = r->sized && extra;
    if (bodiless)
        r->left = 0;
    r->pad = (TAR_BLOCK_BYTES - r->left % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
    r->extra = extra ? type : 0;
    if (extra && r->left > TAR_EXTRA_BYTES_MAX)
        return err_set(e, ERR_LIMIT, "a name in the archive is longer than %u bytes",
                       TAR_EXTRA_BYTES_MAX);
    int rc = extra ? 0 : take_entry(r, e);
    return rc == 0 && r->left == 0 ? entry_over(r, e) : rc;
}

static int take_data(struct tar_reader *r, struct str bytes, struct err *e)
{
    int rc = 0;
    if (r->extra != 0)
        buf_append_str(&r->text, bytes);
    else
        rc = r->data(r, bytes, e);
    r->left -= bytes.len;
    return rc == 0 && r->left == 0 ? entry_over(r, e) : rc;
}

int tar_read(struct tar_reader *r, struct str bytes, struct err *e)
{
    int rc = 0;
    while (rc == 0 && bytes.len > 0 && !r->over) {
        uint64_t wanted = r->left > 0 ? r->left : r->pad > 0 ? r->pad : TAR_BLOCK_BYTES - r->have;
        size_t n = wanted < bytes.len ? (size_t)wanted : bytes.len;
        struct str piece = str_slice(bytes, 0, n);
        bytes = str_slice(bytes, n, bytes.len);
        if (r->left > 0) {
            rc = take_data(r, piece, e);
        } else if (r->pad > 0) {
            r->pad -= n;
        } else {
            memcpy(r->block + r->have, piece.data, n);
            r->have += n;
            if (r->have == TAR_BLOCK_BYTES)
                rc = take_header(r, e);
        }
    }
    return rc;
}
