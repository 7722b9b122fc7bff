/* Node lifecycle: lost leases, taints, and eviction of pods that do not tolerate them. */
#ifndef CONTROLLERS_NODELIFECYCLE_H
#define CONTROLLERS_NODELIFECYCLE_H

#include "controllers/runtime/controller.h"

extern const struct controller nodelifecycle_controller;

#endif
