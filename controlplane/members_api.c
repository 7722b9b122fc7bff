/* See members_api.h: which verb a path is, and what each decides from rows and views. */
#include "controlplane/members_api.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "controlplane/members_op.h"
#include "net/tls.h"
#include "store/membership.h"

#define NAME_BYTES_MAX 48 /* gantry-member-NAME is a certificate's common name: 64 bytes */

/* ---- what is known ---- */

/* The row of the path's member, or NULL after the answer. One that is going is none. */
static struct roster_row *row_of(struct members_op *op)
{
    for (size_t i = 0; i < op->roster.count; i++) {
        struct roster_row *row = &op->roster.rows[i];
        if (!str_eq_c(op->name, row->member.name))
            continue;
        if (row->want != ROSTER_GONE)
            return row;
        members_op_fail(op, 409, "member %s is being removed", row->member.name);
        return NULL;
    }
    if (op->roster.next_revision == 0)
        members_op_fail(op, 503, "the cluster is starting: its members are not written yet");
    else
        members_op_fail(op, 404, "no member '%.*s'; `gantry member list` shows who there is",
                        STR_ARG(op->name));
    return NULL;
}

static struct roster_txn *new_txn(struct members_op *op)
{
    roster_txn_deinit(&op->txn);
    roster_txn_init(&op->txn);
    return &op->txn;
}

static void answer_later(struct members_op *op, int status, struct str body)
{
    op->answer_status = status;
    op->answer = str_copy(&op->arena, body);
}

static void wish(struct members_op *op, struct roster_row *row, enum roster_want want)
{
    struct str body =
        str_printf(&op->arena, "{\"name\":\"%s\",\"id\":%llu,\"want\":\"%s\"}\n", row->member.name,
                   (unsigned long long)row->member.id, roster_want_name(want));
    if (row->want == want) {
        members_op_answer(op, 200, body);
        return;
    }
    row->want = want;
    roster_txn_row(new_txn(op), row);
    answer_later(op, 200, body);
    members_op_write(op);
}

/* ---- add, token ---- */

static void answer_token(struct members_op *op, const struct roster_row *row, int status,
                         const char *token)
{
    answer_later(op, status,
                 str_printf(&op->arena,
                            "{\"name\":\"%s\",\"id\":%llu,\"want\":\"%s\",\"token\":\"%s\","
                            "\"tokenSeconds\":%llu,\"caHash\":\"%s\"}\n",
                            row->member.name, (unsigned long long)row->member.id,
                            roster_want_name(row->want), token,
                            (unsigned long long)(JOIN_TOKEN_MS / 1000), op->api->ca_hash));
}

static void copy_text(char *to, size_t size, struct str from)
{
    (void)snprintf(to, size, "%.*s", STR_ARG(from)); /* fits: looked at by the caller */
}

/* 0, or the answer is given. */
static int read_new_row(struct members_op *op, struct roster_row *row)
{
    struct str name = members_op_text(op, "name");
    struct str raft = members_op_text(op, "raftAddress");
    struct str peer = members_op_text(op, "peerAddress");
    if (name.len > NAME_BYTES_MAX || !roster_name_is_good(name)) {
        members_op_fail(op, 400, "the name '%.*s' is not 1 to %d of [a-z0-9-]", STR_ARG(name),
                        NAME_BYTES_MAX);
        return -ERR_INVALID_ARGUMENT;
    }
    if (!roster_address_is_good(raft) || !roster_address_is_good(peer) || str_eq(raft, peer) ||
        identity_host(raft).len == 0 || identity_host(peer).len == 0) {
        members_op_fail(op, 400, "raftAddress and peerAddress are 'tcp:HOST:PORT', and differ");
        return -ERR_INVALID_ARGUMENT;
    }
    *row = (struct roster_row){ .want = ROSTER_STANDBY };
    row->member.id = op->roster.next_id;
    copy_text(row->member.name, sizeof row->member.name, name);
    copy_text(row->member.raft_address, sizeof row->member.raft_address, raft);
    copy_text(row->member.peer_address, sizeof row->member.peer_address, peer);
    return 0;
}

/* 0, or the answer is given or comes later. */
static int check_new_row(struct members_op *op, const struct roster_row *row)
{
    for (size_t i = 0; i < op->roster.count; i++) {
        const struct roster_row *other = &op->roster.rows[i];
        bool named = strcmp(other->member.name, row->member.name) == 0;
        bool there = strcmp(other->member.raft_address, row->member.raft_address) == 0 ||
                     strcmp(other->member.peer_address, row->member.peer_address) == 0;
        if (named && other->want == ROSTER_GONE) {
            if (!members_op_later(op))
                members_op_fail(op, 409,
                                "the old member %s is still being removed: one of its groups has "
                                "no leader, or no majority without it; see `gantry member list`",
                                row->member.name);
            return -ERR_AGAIN;
        }
        if (named || (there && other->want != ROSTER_GONE)) {
            members_op_fail(op, 409,
                            "member %s (id %llu) %s; remove it first, or `gantry member token %s` "
                            "if it has not joined yet",
                            other->member.name, (unsigned long long)other->member.id,
                            named ? "is there" : "has that address", other->member.name);
            return -ERR_ALREADY_EXISTS;
        }
    }
    if (op->roster.count == ROSTER_MAX) {
        members_op_fail(op, 409, "there are %d members, those that are going included: no more",
                        ROSTER_MAX);
        return -ERR_LIMIT;
    }
    return 0;
}

static void add_decide(struct members_op *op)
{
    struct roster_row row;
    struct roster_txn *txn;
    char token[JOIN_TOKEN_BYTES];
    if (op->roster.next_revision == 0) {
        members_op_fail(op, 503, "the cluster is starting: its members are not written yet");
        return;
    }
    if (read_new_row(op, &row) != 0 || check_new_row(op, &row) != 0)
        return;
    txn = new_txn(op);
    roster_txn_row(txn, &row);
    roster_txn_take_id(txn, &op->roster);
    join_token_make(op->api->config.env, txn, str_from(row.member.name), token);
    answer_token(op, &row, 201, token);
    members_op_write(op);
}

/* A member that was part of the cluster has promised things: an empty one must not stand for it. */
static bool has_joined(const struct view *v, uint64_t id)
{
    for (enum store_group_id group = STORE_CLUSTER; group <= STORE_BUS; group++) {
        if (members_role(v, group, id) == VIEW_VOTER || members_lag(v, group, id) != UINT64_MAX)
            return true;
    }
    return members_answers(v, id);
}

static void token_decide(struct members_op *op)
{
    struct roster_row *row = row_of(op);
    char token[JOIN_TOKEN_BYTES];
    if (row == NULL)
        return;
    if (view_leader(&op->view.view, STORE_CLUSTER) == NULL ||
        view_leader(&op->view.view, STORE_BUS) == NULL) {
        members_op_fail(op, 503, "not both groups have a leader that answers; try again");
        return;
    }
    if (has_joined(&op->view.view, row->member.id) ||
        join_was_given(store_group(op->api->config.store, STORE_CLUSTER), row->member.id)) {
        members_op_fail(op, 409,
                        "member %s has joined: to put a new one in its place, remove it and add it "
                        "again",
                        row->member.name);
        return;
    }
    join_token_make(op->api->config.env, new_txn(op), op->name, token);
    roster_txn_row(&op->txn, row); /* unchanged, and guarded */
    answer_token(op, row, 200, token);
    members_op_write(op);
}

/* ---- promote, demote, remove ---- */

static void promote_decide(struct members_op *op)
{
    const struct view *v = &op->view.view;
    struct roster_row *row = row_of(op);
    if (row == NULL)
        return;
    for (enum store_group_id group = STORE_CLUSTER;
         group <= STORE_BUS && row->want != ROSTER_VOTER && !members_op_flag(op, "wait"); group++) {
        uint64_t lag = members_lag(v, group, row->member.id);
        char text[32] = "all";
        if (lag <= MEMBERSHIP_LAG || members_role(v, group, row->member.id) == VIEW_VOTER)
            continue;
        if (lag != UINT64_MAX)
            (void)snprintf(text, sizeof text, "%llu", (unsigned long long)lag); /* fits */
        members_op_fail(op, 409,
                        "member %s is not caught up: it lacks %s entries of group %s; try again "
                        "when it is, or promote it with --wait",
                        row->member.name, text, members_group_name(group));
        return;
    }
    wish(op, row, ROSTER_VOTER);
}

/* Would the voters other than id be a majority that answers, in both groups? The reason if not. */
static bool can_do_without(struct members_op *op, const struct roster_row *row)
{
    const struct view *v = &op->view.view;
    for (enum store_group_id group = STORE_CLUSTER; group <= STORE_BUS; group++) {
        const struct view_group *g = view_leader(v, group);
        size_t voters = 0;
        size_t heard = 0;
        if (g == NULL) {
            /* One may be elected just now. */
            if (!members_op_later(op))
                members_op_fail(op, 503, "group %s has no leader that answers",
                                members_group_name(group));
            return false;
        }
        for (size_t i = 0; i < g->servers_count; i++) {
            const struct view_server *s = &g->servers[i];
            if (s->role != VIEW_VOTER || s->id == row->member.id)
                continue;
            voters++;
            heard += s->heard || members_answers(v, s->id);
        }
        if (members_role(v, group, row->member.id) == VIEW_VOTER && heard <= voters / 2) {
            members_op_fail(op, 409,
                            "without %s only %zu of %zu voters of group %s answer: the cluster "
                            "would stop; bring one back first (--force: as soon as one is back)",
                            row->member.name, heard, voters, members_group_name(group));
            return false;
        }
    }
    return true;
}

static void lessen(struct members_op *op, enum roster_want want)
{
    struct roster_row *row = row_of(op);
    size_t others = 0;
    if (row == NULL)
        return;
    for (size_t i = 0; i < op->roster.count; i++)
        others += op->roster.rows[i].want == ROSTER_VOTER && &op->roster.rows[i] != row;
    if (row->want == ROSTER_VOTER && others == 0) {
        members_op_fail(op, 409,
                        "member %s is the last voter; promote another first, then try again",
                        row->member.name);
        return;
    }
    if (!members_op_flag(op, "force") && !can_do_without(op, row))
        return;
    wish(op, row, want);
}

static void demote_decide(struct members_op *op)
{
    lessen(op, ROSTER_STANDBY);
}

static void remove_decide(struct members_op *op)
{
    lessen(op, ROSTER_GONE);
}

/* ---- transfer ---- */

static void transfer_group(struct members_op *op);

/* The voter that answers and has most, other than the leader. */
static const struct roster_row *best_successor(const struct members_op *op)
{
    const struct view *v = &op->view.view;
    const struct view_group *g = view_leader(v, op->group);
    const struct roster_row *best = NULL;
    uint64_t match = 0;
    for (size_t i = 0; g != NULL && i < g->servers_count; i++) {
        const struct view_server *s = &g->servers[i];
        const struct roster_row *row = roster_by_id(&op->roster, s->id);
        if (s->role != VIEW_VOTER || s->id == g->leader_id || row == NULL ||
            row->want != ROSTER_VOTER || !members_answers(v, s->id) || s->match_index < match)
            continue;
        best = row;
        match = s->match_index;
    }
    return best;
}

/* Who leads and is ready to: takes writes. */
static uint64_t leader_now(const struct members_op *op)
{
    const struct view_group *g = view_leader(&op->view.view, op->group);
    return g != NULL ? g->leader_id : 0;
}

static void next_group(struct members_op *op)
{
    if (op->group == op->group_last) {
        members_op_answer(op, 200, str_lit("{\"moved\":true}\n"));
        return;
    }
    op->group++;
    op->deadline_ms = 0;
    transfer_group(op);
}

static void on_transferred(struct transfer_ask *t)
{
    struct members_op *op = container_of(t, struct members_op, transfer);
    if (t->status != 0)
        members_op_fail(op, 503, "the leader of group %s does not answer (%s); try again",
                        members_group_name(op->group), err_name(t->status));
    else
        (void)members_op_later(op); /* the first one never fails */
}

static void transfer_group(struct members_op *op)
{
    const struct roster_row *to =
        str_eq_c(op->name, "-") ? best_successor(op) : roster_by_name(&op->roster, op->name);
    if (to == NULL) {
        members_op_fail(op, 409, "group %s has no other voter that could lead now",
                        members_group_name(op->group));
        return;
    }
    if (members_role(&op->view.view, op->group, to->member.id) != VIEW_VOTER ||
        !members_answers(&op->view.view, to->member.id)) {
        members_op_fail(op, 409, "member %s cannot lead: it is no voter of group %s, or is down",
                        to->member.name, members_group_name(op->group));
        return;
    }
    op->transfer = (struct transfer_ask){
        .loop = op->loop, .done = on_transferred, .group = op->group, .member_id = to->member.id
    };
    if (leader_now(op) == to->member.id)
        next_group(op);
    else
        admin_transfer(store_admin(op->api->config.store), &op->transfer);
}

/* First with what is asked for, then, again and again, to see whether it has come about. */
static void transfer_decide(struct members_op *op)
{
    struct str group = members_op_text(op, "group");
    if (op->transfer.member_id != 0) {
        if (leader_now(op) == op->transfer.member_id)
            next_group(op);
        else if (!members_op_later(op))
            members_op_fail(op, 504, "leadership of group %s did not move within %d s; try again",
                            members_group_name(op->group), MEMBERS_WAIT_MS / 1000);
        return;
    }
    if (group.len > 0 && !str_eq_c(group, "cluster") && !str_eq_c(group, "bus")) {
        members_op_fail(op, 400, "group is 'cluster' or 'bus'");
        return;
    }
    if (!str_eq_c(op->name, "-") && row_of(op) == NULL)
        return;
    op->group = str_eq_c(group, "bus") ? STORE_BUS : STORE_CLUSTER;
    op->group_last = str_eq_c(group, "cluster") ? STORE_CLUSTER : STORE_BUS;
    transfer_group(op);
}

/* ---- the paths ---- */

static const struct members_verb verbs[] = {
    { "GET", NULL, false, true, members_list },
    { "POST", NULL, true, false, add_decide },
    { "POST", "token", true, true, token_decide },
    { "POST", "promote", true, true, promote_decide },
    { "POST", "demote", true, true, demote_decide },
    { "POST", "remove", true, true, remove_decide },
    { "POST", "transfer", true, true, transfer_decide },
};
static const struct members_verb join_verb = { "POST", "join", true, false, join_decide };

static const struct members_verb *find_verb(struct str method, struct str word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (str_eq_c(method, verbs[i].method) &&
            (verbs[i].name == NULL ? word.len == 0 : str_eq_c(word, verbs[i].name)))
            return &verbs[i];
    }
    return NULL;
}

static void refuse(struct http_exchange *x, int status, const char *json)
{
    x->events = &http_events_none;
    http_reply(x, status, "application/json", str_from(json));
}

static void serve_members(struct members_api *api, struct http_exchange *x, struct str rest)
{
    const struct members_verb *verb;
    struct str name = { "", 0 };
    if (!x->peer->identity->verified) {
        refuse(x, 401, "{\"error\":\"a client certificate of the cluster's CA is needed\"}\n");
        return;
    }
    if (rest.len > 0)
        (void)str_split(&rest, '/', &name); /* never exhausted: it is not empty */
    verb = find_verb(x->method, rest);
    if (verb == NULL || (name.len > 0) != (rest.len > 0))
        refuse(x, 404, "{\"error\":\"no such path; see controlplane/members_api.h\"}\n");
    else
        members_op_begin(api, x, verb, name);
}

bool members_api_serve(struct members_api *api, struct http_exchange *x)
{
    static const struct str members = STR("/gantry/v1/members");
    if (str_eq_c(x->path, "/gantry/v1/join")) {
        if (!str_eq_c(x->method, "POST"))
            refuse(x, 405, "{\"error\":\"POST only\"}\n");
        else if (!join_may_try(api))
            refuse(x, 429, "{\"error\":\"too many machines join at once; try again\"}\n");
        else
            members_op_begin(api, x, &join_verb, str_of("", 0));
        return true;
    }
    if (str_eq(x->path, members)) {
        serve_members(api, x, str_of("", 0));
        return true;
    }
    if (!str_starts(x->path, members) || x->path.data[members.len] != '/')
        return false;
    serve_members(api, x, str_slice(x->path, members.len + 1, x->path.len));
    return true;
}

int members_api_new(const struct members_api_config *config, struct members_api **out,
                    struct err *e)
{
    struct members_api *api = mem_alloc(sizeof *api);
    api->config = *config;
    if (api->config.tries_per_s == 0)
        api->config.tries_per_s = JOIN_TRIES_PER_S;
    int rc = identity_ca_hash(config->ca_pem, api->ca_hash, e);
    if (rc != 0) {
        mem_free(api);
        return rc;
    }
    *out = api;
    return 0;
}

void members_api_free(struct members_api *api)
{
    mem_free(api);
}
