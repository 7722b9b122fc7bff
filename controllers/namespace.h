/* The namespace controller: empties Terminating namespaces. */
#ifndef CONTROLLERS_NAMESPACE_H
#define CONTROLLERS_NAMESPACE_H

#include "controllers/runtime/controller.h"

extern const struct controller namespace_controller;

#endif
