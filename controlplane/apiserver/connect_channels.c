/*
 * Channels of a WebSocket (the first byte of a message is the channel's number) translated to
 * streams of SPDY. Row i of the table is stream 2i+1.
 *
 * Opened: every stream is opened towards the runtime, and the client is not read until all are
 * replied to (data of a stream that was not is thrown away there). Then messages pass piece by
 * piece. Exec ends with one message on the error channel, a Status; when the runtime has ended the
 * streams, the WebSocket is closed. When the agent goes away before that Status, it is written
 * here.
 */
#include <string.h>

#include "base/assert.h"
#include "controlplane/apiserver/connect.h"
#include "net/spdy.h"

#define ROWS_MAX (2 * CONNECT_PORTS_MAX)
/* Of exec's closing Status; what is beyond is dropped. */
#define STATUS_BYTES_MAX (64u << 10)
/* Of the channel number that closes another (v5). */
#define CHANNEL_CLOSE 255

enum { STDIN, STDOUT, STDERR, STATUS, RESIZE };

/* What the message under way is for. */
enum { TARGET_UNKNOWN = -1, TARGET_NOBODY = -2, TARGET_CLOSE = -3 };

struct channel {
    uint8_t number;
    const char *type; /* streamtype */
    struct str port;  /* of port-forward */
    struct str request_id;
    bool to_agent;
    bool from_agent;
    bool fin_sent;
    bool replied;
    bool ended; /* the runtime's side */
};

struct channels {
    struct spdy_decoder in;
    struct spdy_encoder out;
    struct channel rows[ROWS_MAX];
    size_t count;
    size_t replied;
    bool going_away;
    int target; /* row of the message under way, or TARGET_X */
    char carry[4];
    size_t carry_len; /* base64 of it that waits for the rest of its group */
    struct buf status;
    bool status_sent;
};

static uint32_t stream_of(size_t row)
{
    return (uint32_t)(2 * row + 1);
}

static struct channel *row_of(struct channels *ch, uint32_t stream)
{
    return stream % 2 == 1 && stream / 2 < ch->count ? &ch->rows[stream / 2] : NULL;
}

/* ---- towards the client ---- */

static void send_message(struct connect *c, uint8_t number, struct str bytes)
{
    if (!c->protocol->base64) {
        websocket_write(&c->frame, WEBSOCKET_BINARY, true, str_of(&number, 1), bytes, NULL);
    } else {
        struct arena a;
        char digit = (char)('0' + number % 10);
        arena_init(&a);
        websocket_write(&c->frame, WEBSOCKET_TEXT, true, str_of(&digit, 1), str_base64(&a, bytes),
                        NULL);
        arena_deinit(&a);
    }
    connect_to_client(c);
}

/* The first protocol has no Status: an error is its text, success is silence. */
static void send_status(struct connect *c, struct str status)
{
    struct channels *ch = c->channels;
    ch->status_sent = true;
    if (c->protocol->version > 1 || str_find(status, str_lit("\"status\":\"Success\"")) < 0) {
        send_message(c, STATUS, status);
    }
}

/* ---- from the agent ---- */

static void send_ports(struct connect *c)
{
    struct channels *ch = c->channels;
    for (size_t i = 0; i < ch->count; i++) {
        uint64_t port = 0;
        (void)str_to_u64(ch->rows[i].port, &port); /* was checked */
        const uint8_t bytes[2] = { (uint8_t)port, (uint8_t)(port >> 8) };
        send_message(c, ch->rows[i].number, str_of(bytes, 2));
    }
}

static void on_reply(struct connect *c, struct channel *row)
{
    struct channels *ch = c->channels;
    if (row == NULL || row->replied) {
        return;
    }
    row->replied = true;
    if (++ch->replied < ch->count) {
        return;
    }
    if (c->kind == CONNECT_FORWARD) {
        send_ports(c);
    }
    http_body_resume(c->request->x);
}

static bool is_status(const struct connect *c, const struct channel *row)
{
    return c->kind != CONNECT_FORWARD && row->number == STATUS;
}

static void on_data(struct connect *c, struct channel *row)
{
    struct channels *ch = c->channels;
    struct str bytes = ch->in.data;
    if (row == NULL || !row->from_agent || row->ended) {
        return;
    }
    if (is_status(c, row)) {
        buf_append_str(&ch->status, str_slice(bytes, 0, STATUS_BYTES_MAX - ch->status.len));
    } else if (bytes.len > 0) {
        send_message(c, row->number, bytes);
    }
}

static void on_stream_end(struct connect *c, struct channel *row)
{
    struct channels *ch = c->channels;
    if (row == NULL || row->ended) {
        return;
    }
    row->ended = true;
    if (is_status(c, row) && ch->status.len > 0) {
        send_status(c, buf_str(&ch->status));
    }
}

/* Has the runtime said all that it will? */
static bool all_said(const struct connect *c)
{
    const struct channels *ch = c->channels;
    bool ended = true;
    for (size_t i = 0; i < ch->count; i++) {
        bool counts = ch->rows[i].from_agent &&
                      (c->kind != CONNECT_FORWARD || strcmp(ch->rows[i].type, "data") == 0);
        ended = ended && (ch->rows[i].ended || !counts);
    }
    return c->kind == CONNECT_FORWARD ? ended : ch->status_sent && (ended || ch->going_away);
}

static void on_event(struct connect *c, enum spdy_event event)
{
    struct channels *ch = c->channels;
    struct channel *row = row_of(ch, ch->in.stream);
    switch (event) {
    case SPDY_EVENT_SYN_REPLY:
        on_reply(c, row);
        break;
    case SPDY_EVENT_DATA:
        on_data(c, row);
        if (ch->in.fin) {
            on_stream_end(c, row);
        }
        break;
    case SPDY_EVENT_RST_STREAM:
        on_stream_end(c, row);
        break;
    case SPDY_EVENT_PING:
        spdy_write_ping(&c->frame, ch->in.value);
        connect_to_agent(c);
        break;
    case SPDY_EVENT_GOAWAY:
        ch->going_away = true;
        break;
    default: /* the runtime opens no streams */
        break;
    }
}

static void agent_ended(struct connect *c, int status)
{
    struct channels *ch = c->channels;
    if (c->kind != CONNECT_FORWARD && !ch->status_sent) {
        send_status(c, connect_broken(c));
    }
    connect_close(c, status == 0 ? WEBSOCKET_NORMAL : WEBSOCKET_INTERNAL, "");
}

static void from_agent(struct connect *c, struct str bytes)
{
    struct channels *ch = c->channels;
    enum spdy_event event;
    while (!c->finished && (event = spdy_decode(&ch->in, &bytes)) != SPDY_EVENT_MORE) {
        if (event == SPDY_EVENT_ERROR) {
            agent_ended(c, -ERR_PROTOCOL);
            return;
        }
        on_event(c, event);
    }
    if (!c->finished && all_said(c)) {
        connect_close(c, WEBSOCKET_NORMAL, "");
    }
}

/* ---- from the client ---- */

static void to_agent(struct connect *c, size_t row, bool fin, struct str bytes)
{
    struct channel *k = &c->channels->rows[row];
    if (k->fin_sent || (bytes.len == 0 && !fin)) {
        return;
    }
    k->fin_sent = fin;
    spdy_write_data(&c->frame, stream_of(row), fin, bytes);
    connect_to_agent(c);
}

/* The row of a channel that the client may write to, or TARGET_NOBODY. */
static int find_target(const struct channels *ch, uint8_t number)
{
    for (size_t i = 0; i < ch->count; i++) {
        if (ch->rows[i].number == number && ch->rows[i].to_agent) {
            return (int)i;
        }
    }
    return TARGET_NOBODY;
}

/* The message's first byte says whose the rest is. */
static void pick_target(struct connect *c, struct str *bytes)
{
    struct channels *ch = c->channels;
    uint8_t number = (uint8_t)bytes->data[0];
    *bytes = str_slice(*bytes, 1, bytes->len);
    ch->carry_len = 0;
    if (c->protocol->base64) {
        number = (uint8_t)(number - '0');
    }
    ch->target = c->protocol->version == 5 && number == CHANNEL_CLOSE ? TARGET_CLOSE
                                                                      : find_target(ch, number);
}

/* Decodes what there is in whole groups of four, and keeps the rest. False when it is not base64.
 */
static bool take_base64(struct channels *ch, struct arena *a, struct str *bytes)
{
    size_t len = ch->carry_len + bytes->len;
    char *joined = arena_alloc(a, len);
    memcpy(joined, ch->carry, ch->carry_len);
    memcpy(joined + ch->carry_len, bytes->data, bytes->len);
    size_t whole = len / 4 * 4;
    ch->carry_len = len - whole;
    memcpy(ch->carry, joined + whole, ch->carry_len);
    return str_base64_decode(a, str_of(joined, whole), bytes) == 0;
}

static void take_message(struct connect *c)
{
    struct channels *ch = c->channels;
    struct str bytes = c->websocket.data;
    struct arena a;
    if (c->websocket.first) {
        ch->target = TARGET_UNKNOWN;
    }
    if (bytes.len == 0) {
        return;
    }
    if (ch->target == TARGET_UNKNOWN) {
        pick_target(c, &bytes);
    }
    if (bytes.len == 0 || ch->target == TARGET_NOBODY) {
        return;
    }
    arena_init(&a);
    if (c->protocol->base64 && !take_base64(ch, &a, &bytes)) {
        connect_close(c, WEBSOCKET_PROTOCOL, "not base64");
    } else if (ch->target >= 0) {
        to_agent(c, (size_t)ch->target, false, bytes);
    } else if (ch->target == TARGET_CLOSE) {
        int closed = find_target(ch, (uint8_t)bytes.data[0]);
        ch->target = TARGET_NOBODY;
        if (closed >= 0) {
            to_agent(c, (size_t)closed, true, str_lit(""));
        }
    }
    arena_deinit(&a);
}

static void from_client(struct connect *c, struct str bytes)
{
    connect_websocket(c, bytes, take_message);
}

/* ---- the beginning ---- */

static void opened(struct connect *c)
{
    struct channels *ch = c->channels;
    for (size_t i = 0; i < ch->count; i++) {
        struct channel *k = &ch->rows[i];
        const struct http_header headers[] = { { str_lit("streamtype"), str_from(k->type) },
                                               { str_lit("port"), k->port },
                                               { str_lit("requestid"), k->request_id } };
        k->fin_sent = !k->to_agent && c->kind == CONNECT_FORWARD;
        spdy_write_syn_stream(&ch->out, &c->frame, stream_of(i), k->fin_sent, headers,
                              k->port.len > 0 ? 3 : 1);
    }
    connect_to_agent(c);
    http_body_pause(c->request->x);
}

static struct channel *add_row(struct channels *ch, uint8_t number, const char *type)
{
    ASSERT(ch->count < ROWS_MAX);
    struct channel *k = &ch->rows[ch->count++];
    k->number = number;
    k->type = type;
    return k;
}

static void prepare_exec(struct connect *c)
{
    static const struct {
        const char *param;
        const char *type;
        uint8_t number;
        bool to_agent;
    } rows[] = { { NULL, "error", STATUS, false },
                 { "stdin", "stdin", STDIN, true },
                 { "stdout", "stdout", STDOUT, false },
                 { "stderr", "stderr", STDERR, false },
                 { "tty", "resize", RESIZE, true } };
    const struct route *route = &c->request->route;
    bool tty = route_param_bool(route, "tty");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool wanted = rows[i].param == NULL || route_param_bool(route, rows[i].param);
        if (wanted && !(tty && rows[i].number == STDERR)) { /* a terminal has one output */
            struct channel *k = add_row(c->channels, rows[i].number, rows[i].type);
            k->to_agent = rows[i].to_agent;
            k->from_agent = !rows[i].to_agent;
        }
    }
}

static int prepare_port(struct connect *c, struct str port)
{
    struct channels *ch = c->channels;
    struct request *r = c->request;
    uint64_t number = 0;
    if (str_to_u64(port, &number) != 0 || number == 0 || number > UINT16_MAX) {
        return status_bad_request(
            &r->status, str_printf(&r->arena, "port \"%.*s\" is not a number between 1 and 65535",
                                   STR_ARG(port)));
    }
    if (ch->count == ROWS_MAX) {
        return status_bad_request(
            &r->status, str_printf(&r->arena, "at most %d ports in one stream", CONNECT_PORTS_MAX));
    }
    struct str id = str_printf(&r->arena, "%zu", ch->count / 2);
    struct channel *error = add_row(ch, (uint8_t)(ch->count + 1), "error");
    error->from_agent = true;
    error->port = port;
    error->request_id = id;
    struct channel *data = add_row(ch, (uint8_t)(ch->count - 1), "data");
    data->to_agent = true;
    data->from_agent = true;
    data->port = port;
    data->request_id = id;
    return 0;
}

static int prepare_forward(struct connect *c)
{
    const struct route *route = &c->request->route;
    for (size_t i = 0; i < route->params_count; i++) {
        struct str rest = route->params[i].value;
        struct str port;
        while (str_eq_c(route->params[i].name, "ports") && rest.len > 0 &&
               str_split(&rest, ',', &port)) {
            int rc = prepare_port(c, port);
            if (rc != 0) {
                return rc;
            }
        }
    }
    return c->channels->count > 0
               ? 0
               : status_bad_request(&c->request->status, str_lit("query parameter \"ports\" is "
                                                                 "required"));
}

int connect_channels_prepare(struct connect *c)
{
    struct channels *ch = arena_new(&c->request->arena, struct channels);
    c->channels = ch;
    spdy_decoder_init(&ch->in);
    spdy_encoder_init(&ch->out);
    buf_init(&ch->status);
    ch->target = TARGET_UNKNOWN;
    if (c->kind == CONNECT_FORWARD) {
        return prepare_forward(c);
    }
    prepare_exec(c);
    return 0;
}

void connect_channels_release(struct connect *c)
{
    struct channels *ch = c->channels;
    if (ch != NULL) {
        spdy_decoder_deinit(&ch->in);
        spdy_encoder_deinit(&ch->out);
        buf_deinit(&ch->status);
    }
}

#define CHANNELS(protocol_name, is_forward, number, is_base64)                                     \
    {                                                                                              \
        .name = protocol_name, .forward = is_forward, .version = number, .base64 = is_base64,      \
        .opened = opened, .from_client = from_client, .from_agent = from_agent,                    \
        .agent_ended = agent_ended                                                                 \
    }

static const struct connect_protocol protocols[] = {
    CHANNELS("v5.channel.k8s.io", false, 5, false),
    CHANNELS("v4.channel.k8s.io", false, 4, false),
    CHANNELS("v4.base64.channel.k8s.io", false, 4, true),
    CHANNELS("channel.k8s.io", false, 1, false),
    CHANNELS("base64.channel.k8s.io", false, 1, true),
    CHANNELS("", false, 1, false),
    CHANNELS("", true, 4, false),
    CHANNELS("v4.channel.k8s.io", true, 4, false),
    CHANNELS("v4.base64.channel.k8s.io", true, 4, true),
};

const struct connect_protocol *connect_channels_find(struct str name, bool forward)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (protocols[i].forward == forward && str_eq_c(name, protocols[i].name)) {
            return &protocols[i];
        }
    }
    return NULL;
}
