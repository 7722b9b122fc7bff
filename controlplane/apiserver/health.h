/*
 * /livez, /readyz and /healthz: named checks, in the form of Kubernetes' own: /readyz?verbose,
 * /readyz/NAME, ?exclude=NAME (may be repeated).
 *
 * Live is what a restart may cure: never the lack of a quorum or of a leader. Ready is what a load
 * balancer asks: this member serves reads and writes now. Each failing check says why.
 */
#ifndef CONTROLPLANE_APISERVER_HEALTH_H
#define CONTROLPLANE_APISERVER_HEALTH_H

#include "controlplane/apiserver/request.h"
#include "store/store.h"

/* Less than this free where the data is, and the log is held or soon will be (raft_disk.h). Long
 * before, an alarm refuses what grows (store.h). */
#define HEALTH_DISK_BYTES_MIN (64ull << 20)
#define HEALTH_TEXT_BYTES     256

enum health_kind { HEALTH_LIVE, HEALTH_READY };

/* path: "readyz", as it appears in the answer. */
enum request_run health_run(struct request *r, enum health_kind kind, const char *path);

/* ---- what a group's status means; text says why, or what to know although it is good ---- */

bool health_of_group(const struct store_status *s, char text[HEALTH_TEXT_BYTES]);
bool health_of_log(const struct store_status *s, char text[HEALTH_TEXT_BYTES]);
bool health_of_disk(const struct store_status *s, char text[HEALTH_TEXT_BYTES]);
/* Never false: writes that grow nothing go on. */
bool health_of_alarm(const struct store_status *s, char text[HEALTH_TEXT_BYTES]);

#endif
