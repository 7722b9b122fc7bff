/*
 * What a member is known by, the same whether `gantryd init` made it or a joining machine was given
 * it: the certificate's names, cluster.conf, the CA's hash.
 *
 * cluster.conf is a few words a line, so that a person can read and a script can write it:
 *     cluster 3f2a…
 *     member 1 m1 tcp:10.250.0.11:2380 tcp:10.250.0.11:2381
 */
#ifndef CONTROLPLANE_IDENTITY_H
#define CONTROLPLANE_IDENTITY_H

#include <stdint.h>

#include "base/err.h"
#include "net/pki.h"
#include "store/store.h"

struct arena;
struct buf;
struct env;

/* Members' ports for what they say to each other: outside Raft, and Raft's own messages. */
#define MEMBER_PEER_PORT 2380
#define MEMBER_RAFT_PORT 2381
#define MEMBER_API_PORT  6443

/* In members/NAME: this member has never run. `gantryd run` removes it after the first start, so
 * that a data folder that was lost later is not taken for a new member's: it would vote again. */
#define MEMBER_FIRST_START_FILE "first-start"
/* In the data folder: `gantryd join` made it, so it may be empty, once. */
#define MEMBER_JOINED_FILE        "JOINED"

#define IDENTITY_CERTIFICATE_DAYS 365
/* The first address of the service range: what pods will call the API by. */
#define IDENTITY_SERVICE_ADDRESS "10.96.0.1"
#define IDENTITY_CLUSTER_BYTES   64
#define IDENTITY_CA_HASH_BYTES   80 /* "sha256:" and 64 hex digits */
#define IDENTITY_ADDRESSES_MAX   4

/* A member's certificate: for clients, for other members, towards kubelets. host: numeric or a
 * name; also: a further one, may be absent. The request's strings are in the arena. */
void identity_member_request(struct arena *a, struct str name, struct str host, struct str also,
                             uint64_t now_s, struct pki_request *out);
bool identity_is_numeric(struct str host);
/* "tcp:10.0.0.1:2380" to "10.0.0.1", "tcp:[::1]:2380" to "::1"; absent when it is no such thing. */
struct str identity_host(struct str address);
/* The other way, with brackets where they belong. */
struct str identity_address(struct arena *a, struct str host, unsigned port);
/* As a URL has it: "10.0.0.1:6443", "[::1]:6443". */
struct str identity_authority(struct arena *a, struct str host, unsigned port);

/* "sha256:…" of the CA's key. */
int identity_ca_hash(struct str ca_pem, char out[IDENTITY_CA_HASH_BYTES], struct err *e);
/* -ERR_INVALID_ARGUMENT: no such thing. */
int identity_ca_hash_parse(struct str text, uint8_t out[PKI_SHA256_BYTES], struct err *e);

void identity_conf_write(struct buf *out, struct str cluster, const struct store_member *members,
                         size_t count);
/* Reads <folder>/cluster.conf into config->members, and the cluster's id. -ERR_PARSE names the
 * line; -ERR_NOT_FOUND says what to do. */
int identity_conf_read(struct env *env, struct arena *a, const char *folder,
                       struct store_config *config, char out_cluster[IDENTITY_CLUSTER_BYTES],
                       struct err *e);

#endif
