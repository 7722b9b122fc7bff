/*
 * POST /gantry/v1/join: a machine without any certificate shows a token and a signing request, and
 * is given the certificate of the member that the token is for, with what else it needs to start.
 *
 * Only a member that finds ca.key in its cluster folder can sign; it reads it for the moment of
 * signing, on the work pool. The token is deleted in a transaction after the signing and before the
 * answer, so that it gives one certificate and no more; and a member is given one certificate,
 * however many tokens there are for it (join_given_key). Unknown, expired and wrong tokens get one
 * answer, and all of this member's loops together allow so many tries a second.
 */
#include <string.h>

#include "base/buf.h"
#include "controlplane/members_op.h"
#include "net/pki.h"

#define KEY_BYTES_MAX 16384

bool join_may_try(struct members_api *api)
{
    uint64_t second = env_wall_ns(api->config.env) / ENV_S;
    if (atomic_exchange(&api->second, second) != second)
        atomic_store(&api->tries, 0);
    return atomic_fetch_add(&api->tries, 1) < api->config.tries_per_s;
}

/* ---- signing: a pool thread ---- */

static void sign(struct env_work *w)
{
    struct members_op *op = container_of(w, struct members_op, work);
    struct env *env = op->api->config.env;
    struct pki_pair ca = { .certificate_pem = op->api->config.ca_pem };
    struct pki_request request;
    op->status =
        env_file_read(env, &op->arena, op->ca_key_path.data, KEY_BYTES_MAX, &ca.key_pem, &op->err);
    if (op->status != 0)
        return;
    identity_member_request(&op->arena, str_from(op->row.member.name),
                            identity_host(str_from(op->row.member.raft_address)), op->address,
                            env_wall_ns(env) / ENV_S, &request);
    op->status = pki_sign_csr(&op->arena, &ca, op->csr, &request, &op->certificate, &op->err);
    memset((char *)(uintptr_t)ca.key_pem.data, 0, ca.key_pem.len);
}

static void make_answer(struct members_op *op)
{
    const struct members_api *api = op->api;
    struct store_member members[STORE_MEMBERS_MAX];
    size_t count = 0;
    struct buf conf;
    struct buf b;
    for (size_t i = 0; i < op->roster.count; i++) {
        if (op->roster.rows[i].want != ROSTER_GONE)
            members[count++] = op->roster.rows[i].member;
    }
    buf_init(&conf);
    buf_init(&b);
    identity_conf_write(&conf, str_from(api->config.cluster), members, count);
    buf_printf(&b, "{\"name\":\"%s\",\"id\":%llu,\"certificate\":", op->row.member.name,
               (unsigned long long)op->row.member.id);
    json_write_string(&b, op->certificate, false);
    buf_append_c(&b, ",\"ca\":");
    json_write_string(&b, api->config.ca_pem, false);
    buf_append_c(&b, ",\"clusterConf\":");
    json_write_string(&b, buf_str(&conf), false);
    buf_append_c(&b, "}\n");
    op->answer = str_copy(&op->arena, buf_str(&b));
    buf_deinit(&conf);
    buf_deinit(&b);
}

static void on_signed(struct env_work *w)
{
    struct members_op *op = container_of(w, struct members_op, work);
    if (op->status == -ERR_NOT_FOUND) {
        members_op_fail(op, 501,
                        "this member has no ca.key in its cluster folder and cannot sign: join at "
                        "the member that has it, or copy it there for as long as machines join");
    } else if (op->status == -ERR_PARSE || op->status == -ERR_INVALID_ARGUMENT) {
        members_op_fail(op, 400, "%s", op->err.msg);
    } else if (op->status != 0) {
        members_op_fail(op, 500, "%s", op->err.msg);
    } else {
        make_answer(op);
        members_op_write(op);
    }
}

/* ---- the request ---- */

static void fail_token(struct members_op *op)
{
    members_op_fail(op, 403,
                    "the token is not good: unknown, used or expired; `gantry member token NAME` "
                    "makes another");
}

void join_decide(struct members_op *op)
{
    const struct members_api_config *c = &op->api->config;
    struct str token = members_op_text(op, "token");
    const struct roster_row *row;
    uint64_t revision = 0;
    struct str name;
    struct buf key;
    op->csr = members_op_text(op, "csr");
    op->address = members_op_text(op, "address");
    if (!join_token_check(store_group(c->store, STORE_CLUSTER), &op->arena, token,
                          env_wall_ns(c->env) / ENV_MS, &name, &revision)) {
        fail_token(op);
        return;
    }
    row = roster_by_name(&op->roster, name);
    if (row == NULL || row->want == ROSTER_GONE) {
        fail_token(op);
        return;
    }
    if (join_was_given(store_group(c->store, STORE_CLUSTER), row->member.id)) {
        members_op_fail(op, 409,
                        "member %s was given its certificate: another machine must not stand for "
                        "it; remove it and add it again",
                        row->member.name);
        return;
    }
    if (op->address.len > 0 && !identity_is_numeric(op->address)) {
        members_op_fail(op, 400, "the address '%.*s' is not numeric", STR_ARG(op->address));
        return;
    }
    op->row = *row;
    roster_txn_deinit(&op->txn);
    roster_txn_init(&op->txn);
    buf_init(&key);
    join_token_key(token, &key);
    roster_txn_delete(&op->txn, buf_str(&key), revision);
    roster_txn_row(&op->txn, row); /* unchanged, and guarded: still a member when it is used */
    buf_clear(&key);
    join_given_key(row->member.id, &key);
    roster_txn_put(&op->txn, buf_str(&key), str_lit("1"), 0, 0); /* of two at once, one */
    buf_deinit(&key);
    op->ca_key_path = str_printf(&op->arena, "%s/ca.key", c->folder);
    op->work = (struct env_work){ 0 };
    env_work(op->loop, &op->work, sign, on_signed);
}
