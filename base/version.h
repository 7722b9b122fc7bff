/* The version of everything built from this tree, and of Kubernetes' API it serves. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define GANTRY_VERSION            "0.1.0"
#define GANTRY_KUBERNETES_VERSION "v1.35.0"

#endif
