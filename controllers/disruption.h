/* Works out what each PodDisruptionBudget allows now; the eviction subresource obeys it. */
#ifndef CONTROLLERS_DISRUPTION_H
#define CONTROLLERS_DISRUPTION_H

#include "controllers/runtime/controller.h"

extern const struct controller disruption_controller;

#endif
