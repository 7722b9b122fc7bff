/* Inside the deployment controller: what its four files share. */
#ifndef CONTROLLERS_DEPLOYMENT_IMPL_H
#define CONTROLLERS_DEPLOYMENT_IMPL_H

#include "api/meta/selector.h"
#include "api/proto/apps.pb-c.h"
#include "controllers/objects.h"
#include "controllers/runtime/controller.h"

#define REVISION_ANNOTATION         "deployment.kubernetes.io/revision"
#define REVISION_HISTORY_ANNOTATION "deployment.kubernetes.io/revision-history"
#define DESIRED_ANNOTATION          "deployment.kubernetes.io/desired-replicas"
#define MAX_ANNOTATION              "deployment.kubernetes.io/max-replicas"
#define TEMPLATE_HASH_LABEL         "pod-template-hash"

/* One ReplicaSet of the deployment. */
struct rollout_set {
    const ReplicaSet *was; /* NULL: it is being made by this sync */
    ReplicaSet *now;       /* spec, metadata and annotations may be changed; status is was's */
    bool changed;
    int32_t scaled_from;
    bool scaled;
};

struct rollout {
    struct world *w;
    struct actions *out;
    struct arena *a;
    const Deployment *was;
    Deployment *d; /* copy: metadata, status may be changed */
    struct selector selector;
    struct rollout_set *sets; /* oldest first */
    size_t count;
    struct rollout_set *fresh; /* the new ReplicaSet; NULL: none yet */
    int64_t now;
};

/* ---- deployment.c ---- */
int32_t rollout_replicas(const struct rollout *r); /* spec.replicas, 1 when unset */
bool rollout_is_rolling(const struct rollout *r);
int32_t set_replicas(const struct rollout_set *s);
int32_t set_available(const struct rollout_set *s);

/* ---- deployment_revision.c ---- */
/* Sets r->fresh, keeps revisions and annotations in step; makes the ReplicaSet when create. False:
 * its name is taken by another object; the collision count was raised and this sync ends. */
bool rollout_revision(struct rollout *r, bool create);
void rollout_clean_up(struct rollout *r);

/* ---- deployment_scale.c ---- */
int32_t rollout_max_surge(const struct rollout *r);
int32_t rollout_max_unavailable(const struct rollout *r);
int32_t rollout_new_set_size(const struct rollout *r, int32_t current);
void rollout_annotate_size(struct rollout *r, struct rollout_set *s);
bool rollout_scale_set(struct rollout *r, struct rollout_set *s, int32_t replicas);
bool rollout_is_scaling(const struct rollout *r);
void rollout_scale(struct rollout *r); /* replicas changed, or paused */
void rollout_roll(struct rollout *r);
void rollout_recreate(struct rollout *r);

/* ---- deployment_status.c ---- */
bool rollout_complete(const struct rollout *r, const DeploymentStatus *status);
void rollout_condition(struct rollout *r, DeploymentStatus *status, const char *type,
                       const char *status_text, const char *reason, struct str message);
bool rollout_has_deadline(const struct rollout *r);
void rollout_check_paused(struct rollout *r);
void rollout_counters(struct rollout *r); /* Available only: scaling and paused */
void rollout_status(struct rollout *r);   /* with Progressing and ReplicaFailure */

#endif
