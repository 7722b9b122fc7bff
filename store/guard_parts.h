/* What the guard's files share. See guard.h for the rules. */
#ifndef STORE_GUARD_PARTS_H
#define STORE_GUARD_PARTS_H

#include "store/guard.h"

/* libraft's progress.h: raft_progress.state. */
enum { GUARD_PROBE, GUARD_PIPELINE, GUARD_SNAPSHOT };

/* ---- guard.c ---- */

struct guard *guard_of(const struct raft_io *io);
bool guard_rule(const struct guard *g, enum guard_rule r);
int guard_fatal(struct guard *g, const char *what, int code);
/* A backend's answer: a failure is fatal (G5). */
int guard_checked(struct guard *g, const char *what, int rv);

/* ---- guard_write.c ---- */

int guard_append(struct raft_io *io, struct raft_io_append *req, const struct raft_entry entries[],
                 unsigned n, raft_io_append_cb cb);
int guard_truncate(struct raft_io *io, raft_index index);
int guard_set_term(struct raft_io *io, raft_term term);
int guard_set_vote(struct raft_io *io, raft_id id);
void guard_refer(struct guard *g, struct guard_reference *reference, raft_index first,
                 const struct raft_entry *entries, unsigned n);
void guard_unrefer(struct guard *g, struct guard_reference *reference);
/* The library's log ends before index. */
void guard_references_truncated(struct guard *g, raft_index index);
/* How many of the received entries the library may be given. */
unsigned guard_referable(const struct guard *g, const struct raft_append_entries *a);
/* At close, in the order the library can bear. */
void guard_cancel_writes(struct guard *g);

/* ---- guard_send.c ---- */

int guard_send(struct raft_io *io, struct raft_io_send *req, const struct raft_message *m,
               raft_io_send_cb cb);
/* G11: takes back what the library thinks it has sent. Before the library may send again. */
void guard_restore_cuts(struct guard *g);
/* G14: after a leader's tick. */
void guard_send_beats(struct guard *g);
/* G14: TimeoutNow, once everything is confirmed. */
void guard_send_timeout_now(struct guard *g);
/* A reply of this leadership arrived. */
void guard_peer_replied(struct guard *g, raft_id id, bool rejected);

/* ---- guard_install.c ---- */

/* An offered snapshot: passed on, held or dropped. */
void guard_offered(struct guard *g, struct raft_message *m);
/* Goes on with a fetched one if nothing is in the way. Not inside the library. */
void guard_install_step(struct guard *g);
void guard_install_forget(struct guard *g);
int guard_snapshot_put(struct raft_io *io, unsigned trailing, struct raft_io_snapshot_put *req,
                       const struct raft_snapshot *snapshot, raft_io_snapshot_put_cb cb);
int guard_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req,
                       raft_io_snapshot_get_cb cb);
int guard_async_work(struct raft_io *io, struct raft_io_async_work *req, raft_io_async_work_cb cb);

/* ---- guard_configuration.c ---- */

/* Strict about bounds; out is empty after a failure. */
bool guard_configuration_decode(const struct raft_buffer *buf, struct raft_configuration *out);
void guard_configuration_loaded(struct guard *g, const struct raft_snapshot *snapshot,
                                raft_index start, const struct raft_entry *entries, size_t count);
/* raft_start has filled the library's log. */
void guard_configuration_started(struct guard *g);
void guard_configuration_appended(struct guard *g, raft_index first,
                                  const struct raft_entry *entries, unsigned n);
void guard_configuration_truncated(struct guard *g, raft_index index);
void guard_configuration_installed(struct guard *g);
/* Before the library handles it: rolls back what it will truncate. */
void guard_configuration_conflict(struct guard *g, const struct raft_append_entries *a);
void guard_configuration_close(struct guard *g);
/* G18: the library makes a sole voter leader of the term that it is in. */
bool guard_is_sole_voter(const struct raft *r);
bool guard_will_elect_itself(const struct guard *g); /* in this tick */
void guard_begin_term(struct guard *g);
/* G15, G17: hands a RequestVote to the library, or not. */
void guard_receive_vote(struct guard *g, struct raft_message *m);

/* ---- guard_log.c ---- */

/* The highest index that a quorum of voters has, were `sender` to match `match`. On a leader. */
raft_index guard_quorum_match(const struct raft *r, raft_id sender, raft_index match);
/* NULL unless leading with this peer. */
struct raft_progress *guard_progress(const struct raft *r, raft_id id);
const struct raft_server *guard_server(const struct raft *r, raft_id id);
/* What the library would only have asserted: no two leaders in a term, entries well formed. */
bool guard_message_is_sane(const struct raft *r, const struct raft_message *m);
/* Frees what a received message carries. */
void guard_drop_message(struct raft_message *m);
/* G19. */
void guard_skip_compacted(const struct raft *r, struct raft_append_entries *a);
/* Leaves a heartbeat of an AppendEntries. */
void guard_drop_entries(struct raft_append_entries *a);
/* Leaves the first n entries of it. */
void guard_keep_entries(struct raft_append_entries *a, unsigned n);

#endif
