/* What a mapping from changes to keys works on; made by the runtime, and by tests of mappings. */
#ifndef CONTROLLERS_RUNTIME_ENQUEUE_H
#define CONTROLLERS_RUNTIME_ENQUEUE_H

#include "api/client/workqueue.h"
#include "controllers/runtime/controller.h"

struct enqueue {
    const struct controller *controller;
    struct workqueue *queue;
    struct lister *const *listers; /* by kind */
    const struct controllers_flags *flags;
};

#endif
