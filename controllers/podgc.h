/* Pod garbage: pods of nodes that are gone, unbound terminating pods, too many finished pods. */
#ifndef CONTROLLERS_PODGC_H
#define CONTROLLERS_PODGC_H

#include "controllers/runtime/controller.h"

extern const struct controller podgc_controller;

#endif
