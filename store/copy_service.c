/* See the header. A call over gRPC outlives its stream when the caller went away first. */
#include "store/copy_service.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/peers.h"
#include "store/proto/peer.pb-c.h"

struct copy_service {
    struct env_loop *loop;
    struct copies *copies[STORE_BUS + 1];
    struct peers *peers;
    struct grpc_service grpc;
};

/* ---- the service ---- */

static void on_answered(struct env_msg *m)
{
    struct copy_call *c = container_of(m, struct copy_call, msg);
    c->done(c);
}

static void answer(struct copy_service *s, struct copy_call *c, int status)
{
    c->status = status;
    env_post(s->loop, &c->msg, on_answered);
}

static void pack(const ProtobufCMessage *m, struct buf *out)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    buf_reserve(out, len);
    out->len += protobuf_c_message_pack(m, out->data + out->len);
}

static struct copies *copies_of(struct copy_service *s, uint32_t group)
{
    return group <= STORE_BUS ? s->copies[group] : NULL;
}

static int malformed(struct copy_call *c)
{
    return err_set(&c->err, ERR_INVALID_ARGUMENT, "malformed");
}

static int open_copy(struct copy_service *s, struct copy_call *c, struct str request)
{
    CopyOpenRequest *m = copy_open_request__unpack(NULL, request.len, (const void *)request.data);
    CopyOpenResponse out = COPY_OPEN_RESPONSE__INIT;
    struct copy_info info;
    struct copies *copies = m != NULL ? copies_of(s, m->group) : NULL;
    int rc = copies == NULL ? malformed(c)
                            : copies_ask(copies, m->min_index, m->has_copy_id ? m->copy_id : 0,
                                         &info, &c->err);
    if (m != NULL)
        copy_open_request__free_unpacked(m, NULL);
    if (rc == 0) {
        out.ready = true;
        out.has_copy_id = out.has_bytes = out.has_sha256 = true;
        out.has_index = out.has_term = out.has_revision = out.has_digest = true;
        out.has_compacted = out.has_level = true;
        out.copy_id = info.id;
        out.bytes = info.bytes;
        out.sha256 = (ProtobufCBinaryData){ .data = info.sha256, .len = sizeof info.sha256 };
        out.index = info.point.index;
        out.term = info.point.term;
        out.revision = info.point.revision;
        out.digest = info.point.digest;
        out.compacted = info.point.compacted;
        out.level = info.point.level;
    } else if (rc != -ERR_AGAIN) {
        return rc;
    }
    pack(&out.base, &c->reply);
    return 0;
}

static void on_read(struct copy_read *r)
{
    struct copy_call *c = container_of(r, struct copy_call, read);
    CopyReadResponse out = COPY_READ_RESPONSE__INIT;
    c->status = r->status;
    c->err = r->err;
    if (r->status == 0) {
        out.data = (ProtobufCBinaryData){ .data = r->bytes.data, .len = r->bytes.len };
        pack(&out.base, &c->reply);
    }
    buf_deinit(&r->bytes);
    c->done(c);
}

/* 0: on_read follows. */
static int read_copy(struct copy_service *s, struct copy_call *c, struct str request)
{
    CopyReadRequest *m = copy_read_request__unpack(NULL, request.len, (const void *)request.data);
    struct copies *copies = m != NULL ? copies_of(s, m->group) : NULL;
    if (copies != NULL) {
        c->read = (struct copy_read){
            .id = m->copy_id, .offset = m->offset, .bytes_max = m->bytes_max, .done = on_read
        };
        copies_read(copies, &c->read);
    }
    if (m != NULL)
        copy_read_request__free_unpacked(m, NULL);
    return copies != NULL ? 0 : malformed(c);
}

void copy_service_call(struct copy_service *s, const char *path, struct str request,
                       struct copy_call *c)
{
    buf_init(&c->reply);
    c->err = (struct err){ 0 };
    if (strcmp(path, COPY_OPEN_PATH) == 0) {
        answer(s, c, open_copy(s, c, request));
        return;
    }
    ASSERT(strcmp(path, COPY_READ_PATH) == 0);
    int rc = read_copy(s, c, request);
    if (rc != 0)
        answer(s, c, rc);
}

/* ---- over gRPC ---- */

struct served {
    struct peers_served served;
    struct copy_call call;
};

static void served_free(struct peers_served *p)
{
    struct served *v = container_of(p, struct served, served);
    buf_deinit(&v->call.reply);
    mem_free(v);
}

static void on_done(struct copy_call *c)
{
    struct served *v = container_of(c, struct served, call);
    struct grpc_stream *stream = v->served.stream;
    if (stream != NULL && c->status == 0)
        grpc_stream_send(stream, buf_str(&c->reply));
    if (stream != NULL)
        grpc_stream_finish_err(stream, c->status, &c->err);
    peers_served(&v->served);
}

static void serve(struct grpc_stream *stream, struct str bytes)
{
    struct copy_service *s = stream->ctx;
    if (peers_admit(s->peers, stream) == 0)
        return;
    struct served *v = mem_alloc(sizeof *v);
    peers_serve(&v->served, stream, served_free);
    v->call.done = on_done;
    copy_service_call(s, stream->method->path, bytes, &v->call);
}

#define REQUEST_BYTES_MAX 1024 /* of a few numbers */

static const struct grpc_method methods[] = {
    { .path = COPY_OPEN_PATH,
      .kind = GRPC_UNARY,
      .message_bytes_max = REQUEST_BYTES_MAX,
      .message = serve,
      .closed = peers_served_closed },
    { .path = COPY_READ_PATH,
      .kind = GRPC_UNARY,
      .message_bytes_max = REQUEST_BYTES_MAX,
      .message = serve,
      .closed = peers_served_closed },
};

struct copy_service *copy_service_new(struct env_loop *loop,
                                      struct copies *const copies[STORE_BUS + 1])
{
    struct copy_service *s = mem_alloc(sizeof *s);
    s->loop = loop;
    memcpy(s->copies, copies, sizeof s->copies);
    s->grpc = (struct grpc_service){ .name = "CopyService",
                                     .methods = methods,
                                     .method_count = sizeof methods / sizeof methods[0],
                                     .ctx = s };
    return s;
}

void copy_service_set_peers(struct copy_service *s, struct peers *peers)
{
    s->peers = peers;
}

const struct grpc_service *copy_service_grpc(struct copy_service *s)
{
    return &s->grpc;
}

void copy_service_free(struct copy_service *s)
{
    mem_free(s);
}
