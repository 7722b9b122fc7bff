/*
 * The deployment controller, in four files:
 *
 *   deployment.c          claims ReplicaSets, decides which way a sync goes
 *   deployment_revision.c finds or makes the new ReplicaSet; revisions; history clean-up
 *   deployment_scale.c    rolling update, recreate, proportional scaling
 *   deployment_status.c   counters and conditions
 *
 * A sync changes copies: of ReplicaSets (struct rollout_set) and of the Deployment. At its end each
 * object that differs is written once.
 */
#ifndef CONTROLLERS_DEPLOYMENT_H
#define CONTROLLERS_DEPLOYMENT_H

#include "controllers/runtime/controller.h"

extern const struct controller deployment_controller;

#endif
