/* Decoding keeps no copy of a message that arrives whole. */
#include "net/grpc_frame.h"

#include "base/err.h"

void grpc_frames_init(struct grpc_frames *f, uint32_t bytes_max)
{
    *f = (struct grpc_frames){ .bytes_max = bytes_max };
    buf_init(&f->in);
}

void grpc_frames_deinit(struct grpc_frames *f)
{
    buf_deinit(&f->in);
}

bool grpc_frames_partial(const struct grpc_frames *f)
{
    return f->in.len > 0 && !f->given;
}

void grpc_frame_head(uint8_t out[GRPC_FRAME_HEAD_BYTES], size_t len)
{
    out[0] = 0;
    store_be32(out + 1, (uint32_t)len);
}

/* The message's length, from a complete frame head. */
static int check_head(const struct grpc_frames *f, const uint8_t *head, size_t *out_len)
{
    if (head[0] > 1)
        return -ERR_PROTOCOL;
    if (head[0] == 1)
        return -ERR_UNIMPLEMENTED;
    *out_len = load_be32(head + 1);
    return *out_len > f->bytes_max ? -ERR_LIMIT : 0;
}

static void take(struct grpc_frames *f, struct str *in, size_t upto)
{
    size_t want = upto > f->in.len ? upto - f->in.len : 0;
    size_t n = in->len < want ? in->len : want;
    if (n == 0)
        return;
    buf_append(&f->in, in->data, n);
    *in = str_slice(*in, n, in->len);
}

int grpc_frames_next(struct grpc_frames *f, struct str *in, struct str *out)
{
    size_t len = 0;
    if (f->given) {
        f->given = false;
        buf_deinit(&f->in);
        buf_init(&f->in);
    }
    if (f->in.len == 0 && in->len >= GRPC_FRAME_HEAD_BYTES) {
        int rc = check_head(f, (const uint8_t *)in->data, &len);
        if (rc != 0)
            return rc;
        if (in->len - GRPC_FRAME_HEAD_BYTES >= len) {
            *out = str_slice(*in, GRPC_FRAME_HEAD_BYTES, GRPC_FRAME_HEAD_BYTES + len);
            *in = str_slice(*in, GRPC_FRAME_HEAD_BYTES + len, in->len);
            return 1;
        }
    }
    take(f, in, GRPC_FRAME_HEAD_BYTES);
    if (f->in.len < GRPC_FRAME_HEAD_BYTES)
        return 0;
    int rc = check_head(f, f->in.data, &len);
    if (rc != 0)
        return rc;
    take(f, in, GRPC_FRAME_HEAD_BYTES + len);
    if (f->in.len < GRPC_FRAME_HEAD_BYTES + len)
        return 0;
    *out = str_slice(buf_str(&f->in), GRPC_FRAME_HEAD_BYTES, f->in.len);
    f->given = true;
    return 1;
}
