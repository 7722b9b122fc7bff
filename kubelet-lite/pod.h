/*
 * One pod on this node, and the manager of all of them. Private to the agent's executor: the
 * decisions are in plan.h and status.h, here is what carries them out.
 *
 * A pod is idle or busy. Idle: pod_step takes over a newer spec, looks at the runtime when asked
 * to, plans, publishes the status, and starts the first action. Busy: an action (or the look) is
 * under way; what happens meanwhile sets flags, and the end of it steps again. So at any time at
 * most one thing is done for a pod, but any number of pods work at once (the gate bounds how many
 * keep the runtime busy). All of it on the agent's loop.
 */
#ifndef KUBELET_LITE_POD_H
#define KUBELET_LITE_POD_H

#include "api/client/client.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/list.h"
#include "base/map.h"
#include "kubelet-lite/cgroup.h"
#include "kubelet-lite/cri.h"
#include "kubelet-lite/cri_config.h"
#include "kubelet-lite/events.h"
#include "kubelet-lite/images.h"
#include "kubelet-lite/plan.h"
#include "kubelet-lite/pods.h"
#include "kubelet-lite/sources.h"
#include "kubelet-lite/volumes.h"

/* Back-off of what fails, in seconds: first, and at most. */
#define SANDBOX_BACKOFF_S 1, 60
#define VOLUME_BACKOFF_S  1, 120
#define CREATE_BACKOFF_S  1, 60

/* Failing things of one pod that are remembered. */
#define POD_HOLDS_MAX 16

struct pod_failure {
    char name[64]; /* container, or "" */
    char reason[40];
    char message[ERR_MESSAGE_BYTES];
    uint64_t until_ns;
    uint32_t count; /* failures in a row */
};

/* What a pool thread does for a pod: files, mounts, cgroups. */
struct pod_work {
    struct env_work work;
    struct env *env;
    int (*run)(struct pod_work *w, struct err *e);
    struct arena arena; /* of everything below */
    const char *pod_dir;
    const char *log_dir;
    const char *cgroup;
    struct cgroup_values values;
    struct volume_set volumes;
    const char *hosts_path;
    struct str hosts;
    bool prepare;         /* pod_work_begin: which of its parts are wanted, */
    bool mount;           /* and */
    bool mounting;        /* the outcome: which part failed */
    const char **folders; /* of each volumeMount: the volume's */
    const char **sub_paths;
    const char **mounts; /* the outcome: what to bind */
    size_t mount_count;
    int status;
    struct err err;
};

struct pod_stop {
    struct cri_call call;
    struct pod *pod;
};

/* A container that the list under way created and started. */
struct pod_made {
    char id[80];
    const struct Container *container; /* of the plan */
};

struct pod {
    struct pods *pods;
    struct list node;
    char *uid;
    char *namespace;
    char *name;

    /* Desired: in one arena each; next waits until the pod is idle. */
    struct arena *spec_arena;
    const Pod *spec; /* NULL: only remains in the runtime */
    struct arena *next_arena;
    const Pod *next;
    bool known;
    const char *refused; /* in spec_arena */
    uint64_t received_ns;
    bool holds_sources;

    /* Observed. */
    struct arena *view_arena;
    struct pod_view *view;
    uint64_t mark; /* of the last look */
    bool look_needed;
    bool lists_needed;      /* something may differ that the calls' own answers did not tell */
    uint64_t hint_until_ns; /* the runtime said that something ended; it does not show yet */

    /* Done by this process. */
    bool prepared;
    bool mounted;
    bool volumes_stale; /* a source changed while its files were being written */
    bool cleaned;
    bool frozen;   /* the final status is out: containers are being removed */
    bool deleting; /* the final DELETE was sent */
    struct pod_failure failures[POD_HOLDS_MAX];
    size_t failure_count;

    /* Under way. */
    bool busy;
    bool dirty;
    bool has_slot;
    bool waits_slot;
    struct list gate_node;
    struct plan plan;
    size_t at;
    size_t parts; /* of the action under way, at once */
    int parts_status;
    char sandbox_id[80]; /* made by the list under way; "" */
    uint32_t sandbox_attempt;
    struct pod_made made[PLAN_ACTIONS_MAX / 2];
    size_t made_count;
    char created_id[80];
    bool image_ahead; /* image holds what was looked up while the sandbox was made */
    struct cri_call call;
    struct pod_work work;
    struct image_request image;
    struct pod_stop *stops;
    size_t stop_count;
    size_t stops_left;
    int stops_status;
    struct pod_look *look;
    struct env_timer wake;
    struct client_call delete_call;
    struct arena delete_arena;
    struct buf delete_body;

    /* Status. */
    struct arena *last_arena;
    PodStatus *last; /* what was sent and has not come back yet; NULL: the API's is newest */
    uint64_t sent_hash;
    bool status_busy;
    bool status_again;
    struct client_call status_call;
    struct buf status_body;
    bool ready_told;
};

struct pods {
    struct pods_config config;
    struct list all;
    struct map by_uid;
    struct list gate_waiting;
    size_t gate_active;
    size_t gate_max;
    bool synced; /* the API's list of pods is complete */
    bool listed; /* the runtime was: a pod that is new since then has nothing there */
    bool closing;
    uint64_t added; /* counters for the queue's sample */
    uint64_t completed;
};

/* ---- pods.c ---- */
struct pod *pod_find(struct pods *p, const char *uid);
struct pod *pod_new(struct pods *pods, const char *uid, const char *namespace, const char *name);
void pod_free(struct pod *p);
void pod_step(struct pod *p);
/* The busy part is over: step again on this turn. */
void pod_idle(struct pod *p);
void pod_input_fill(struct pod *p, struct pod_input *in, struct pod_hold holds[POD_HOLDS_MAX],
                    Pod *copy);
uint64_t pod_wall(const struct pod *p);
void pod_place_fill(struct arena *a, const struct pod *p, struct pod_place *out);
void pod_facts_fill(const struct pod *p, struct pod_facts *out);
/* Remembers a failure with a back-off that doubles from first_s to max_s. */
void pod_fail(struct pod *p, const char *name, const char *reason, const char *message,
              uint64_t until_ns);
uint64_t pod_backoff_ns(struct pod *p, const char *name, uint64_t first_s, uint64_t max_s);
void pod_fail_clear(struct pod *p, const char *name);
void pod_event(struct pod *p, const char *container, bool init, bool warning, const char *reason,
               const char *format, ...) __attribute__((format(printf, 6, 7)));
void pod_announce(struct pod *p, const char *step, const char *container, int64_t extra);

/* ---- pod_look.c ---- */
void pod_look_start(struct pod *p); /* ends in pod_looked */
void pod_looked(struct pod *p, int status);

/* ---- pod_actions.c ---- */
void pod_run(struct pod *p);        /* the plan's actions from the first on */
bool pod_gate_enter(struct pod *p); /* false: the action is begun again when there is room */
void pod_gate_leave(struct pod *p);
/* Goes on behind the action at p->at, or with status != 0 ends the list. */
void pod_action_done(struct pod *p, int status);
/* The same, remembering the failure; name: the container that holds it up, "" for all of it. */
void pod_action_failed(struct pod *p, int status, const char *name, const char *reason,
                       const struct err *e, uint64_t first_s, uint64_t max_s);
bool pod_runtime_away(int status);

/* The actions from p->at on that make the files and the sandbox: all at once. */
void pod_begin(struct pod *p);
void pod_begin_worked(struct pod *p, int status, const struct err *e);
/* ConfigMaps and Secrets as this pod sees them. */
struct pod_source {
    struct source base;
    struct pod *pod;
};
struct pod_source pod_source(struct pod *p);

/* ---- pod_files.c ---- */
/* Starts the file work of an action; then pod_worked. */
void pod_work_start(struct pod *p, int (*run)(struct pod_work *w, struct err *e));
void pod_worked(struct pod *p, int status, const struct err *e);
int pod_work_prepare(struct pod_work *w, struct err *e); /* those of prepare and mount */
int pod_work_hosts(struct pod_work *w, struct err *e);
int pod_work_create(struct pod_work *w, struct err *e);
int pod_work_clean(struct pod_work *w, struct err *e);
void pod_work_begin(struct pod *p); /* clears the arena, fills the paths */

/* ---- pod_publish.c ---- */
void pod_publish(struct pod *p);

#endif
