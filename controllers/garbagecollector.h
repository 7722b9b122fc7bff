/* The garbage collector: what becomes of the dependents of an object that goes. */
#ifndef CONTROLLERS_GARBAGECOLLECTOR_H
#define CONTROLLERS_GARBAGECOLLECTOR_H

#include "controllers/runtime/controller.h"

extern const struct controller garbagecollector_controller;

#endif
