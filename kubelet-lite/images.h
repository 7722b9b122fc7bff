/*
 * Images by pull policy: look first, pull when needed, back off after failures (10 s, doubled, at
 * most 5 min, as upstream). Pulls wait in one queue; IMAGES_PULLS_MAX run at a time. Agent's loop.
 */
#ifndef KUBELET_LITE_IMAGES_H
#define KUBELET_LITE_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "kubelet-lite/cri.h"

struct images;

#define IMAGES_PULLS_MAX     2
#define IMAGES_BACKOFF_MIN_S 10
#define IMAGES_BACKOFF_MAX_S 300

struct image_request {
    /* The caller's; borrowed until done. */
    const char *image;
    const char *policy; /* "Always", "IfNotPresent", "Never" */
    void (*done)(struct image_request *r);
    void *priv;

    /* The answer, valid in done and until the request is started again. */
    int status;
    const char *reason; /* of a failure: ErrImagePull, ImagePullBackOff, ErrImageNeverPull */
    struct err err;
    uint64_t retry_ns; /* of a failure: wall clock before which a retry is in vain */
    bool pulled;
    uint64_t pull_ns; /* how long the pull took */
    uint64_t wait_ns; /* and how long it had waited */
    uint64_t size;
    char ref[160];
    bool has_uid;
    int64_t uid;
    char user[64];

    struct images *images;
    struct list node;
    struct cri_call call;
    uint64_t since_ns;
};

struct images *images_new(struct env_loop *loop, struct cri *cri);
void images_free(struct images *i); /* no request active */
void images_ensure(struct images *i, struct image_request *r);
/* Only looks, never pulls: status 0 when nothing is left for images_ensure to do. */
void images_look(struct images *i, struct image_request *r);
void image_request_deinit(struct image_request *r);
/* Requests that wait for a pull or are being pulled, and for how long the oldest one has. */
void images_load(const struct images *i, size_t *out_waiting, size_t *out_active,
                 uint64_t *out_oldest_ms);

#endif
