/* See the header. The request is held while it stands in line or work of its is under way. */
#include "controlplane/apiserver/list_stream.h"

#include "api/schema/json.h"
#include "controlplane/apiserver/request_metrics.h"
#include "net/gzip.h"

void list_stream_init(struct list_stream *s, struct list_writer *w, int (*fill)(struct request *r))
{
    *s = (struct list_stream){ .writer = w, .fill = fill };
    buf_init(&s->text);
    buf_init(&s->packed);
}

void list_stream_deinit(struct list_stream *s)
{
    gzip_stream_free(s->gzip);
    buf_deinit(&s->text);
    buf_deinit(&s->packed);
}

static struct request *request_of(struct list_stream *s)
{
    return s->writer->request;
}

static void on_turn(struct turn *t);

static void next_piece(struct list_stream *s)
{
    struct request *r = request_of(s);
    request_hold(r);
    s->busy = true;
    turns_wait(&r->loop->turns, &s->turn, on_turn);
}

static void write_piece(struct list_stream *s, struct buf *piece)
{
    struct request *r = request_of(s);
    http_write(r->x, buf_str(piece));
    buf_clear(piece);
    if (s->last) {
        http_end(r->x);
        request_metrics_answered(r->route.verb, 200,
                                 env_now_ns(r->server->config.env) - r->began_ns);
    } else if (http_queued(r->x) > HTTP_QUEUE_HIGH_BYTES) {
        s->waiting = true;
        buf_deinit(&r->out); /* a client that reads no more keeps no room for the next piece */
        buf_deinit(&s->text);
        buf_deinit(&s->packed);
    } else {
        next_piece(s);
    }
}

static bool is_indented(const struct request *r)
{
    return r->pretty && r->media.type != MEDIA_PROTOBUF;
}

static struct buf *plain_piece(struct list_stream *s)
{
    struct request *r = request_of(s);
    return is_indented(r) ? &s->text : &r->out;
}

static void pack_piece(struct env_work *w)
{
    struct list_stream *s = container_of(w, struct list_stream, work);
    gzip_stream_pack(s->gzip, &s->packed, buf_str(plain_piece(s)), s->last);
}

static void on_packed(struct env_work *w)
{
    struct list_stream *s = container_of(w, struct list_stream, work);
    struct request *r = request_of(s);
    buf_clear(plain_piece(s));
    s->busy = false;
    if (r->x != NULL) {
        write_piece(s, &s->packed);
    }
    request_unhold(r); /* may free both */
}

/* What is in r->out, in the form that was asked for. */
static void send_piece(struct list_stream *s)
{
    struct request *r = request_of(s);
    if (s->last) {
        buf_append_str(&r->out, buf_str(&s->writer->tail));
        if (r->media.type != MEDIA_PROTOBUF && !is_indented(r)) {
            buf_append_c(&r->out, "\n");
        }
    }
    if (is_indented(r)) {
        json_indent_piece(&s->text, buf_str(&r->out), &s->depth);
        buf_clear(&r->out);
    }
    if (s->gzip == NULL) {
        write_piece(s, plain_piece(s));
        return;
    }
    request_hold(r);
    s->busy = true;
    env_work(r->loop->loop, &s->work, pack_piece, on_packed);
}

static void on_turn(struct turn *t)
{
    struct list_stream *s = container_of(t, struct list_stream, turn);
    struct request *r = request_of(s);
    s->busy = false;
    int rc = r->x == NULL ? -ERR_CANCELED : s->fill(r);
    s->last = rc == 0;
    if (rc >= 0) {
        send_piece(s);
    } else if (r->x != NULL) {
        http_reset(r->x, rc);
    }
    request_unhold(r); /* may free both */
}

enum request_run list_stream_begin(struct list_stream *s)
{
    struct request *r = request_of(s);
    struct buf *head = &s->writer->head;
    if (r->takes_gzip) {
        s->gzip = gzip_stream_new();
        request_header(r, "content-encoding", str_lit("gzip"));
        request_header(r, "vary", str_lit("Accept-Encoding"));
    }
    r->x->stalls = HTTP_STALLS_CUT; /* it keeps a place among the requests in work, and history */
    request_stream_head(r, media_name(r->media.type, false));
    /* The first piece is what was gathered, behind the head. */
    buf_append_str(head, buf_str(&r->out));
    buf_deinit(&r->out);
    r->out = *head;
    buf_init(head);
    send_piece(s);
    return RUN_STREAM;
}

void list_stream_drained(struct list_stream *s)
{
    if (s->waiting && !s->busy) {
        s->waiting = false;
        next_piece(s);
    }
}
