/* Every active namespace has a ServiceAccount default and the ConfigMap kube-root-ca.crt. */
#ifndef CONTROLLERS_SERVICEACCOUNT_H
#define CONTROLLERS_SERVICEACCOUNT_H

#include "controllers/runtime/controller.h"

extern const struct controller serviceaccount_controller;
extern const struct controller rootca_controller;

#endif
