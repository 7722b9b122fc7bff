/* The table itself, and the lookups every request makes. */
#include "api/meta/kinds.h"

#include "api/proto/schemas.h"
#include "base/assert.h"

/* Names that are made of others are spelt out: text to grep for is worth more than a macro. */
struct kind_row {
    struct kind_info info;
    const char *api_version;
    const char *resource_group;
    const char *name_group;
};

static const struct kind_row kinds[KIND_COUNT] = {
    [KIND_NAMESPACE] = { { KIND_NAMESPACE, false, true, "", "v1", "Namespace", "NamespaceList",
                           "namespaces", "namespace", "ns", "", &schema_Namespace,
                           &schema_NamespaceList },
                         "v1",
                         "namespaces",
                         "Namespace" },
    [KIND_NODE] = { { KIND_NODE, false, true, "", "v1", "Node", "NodeList", "nodes", "node", "no",
                      "", &schema_Node, &schema_NodeList },
                    "v1",
                    "nodes",
                    "Node" },
    [KIND_POD] = { { KIND_POD, true, true, "", "v1", "Pod", "PodList", "pods", "pod", "po", "all",
                     &schema_Pod, &schema_PodList },
                   "v1",
                   "pods",
                   "Pod" },
    [KIND_BINDING] = { { KIND_BINDING, true, false, "", "v1", "Binding", "", "bindings", "binding",
                         "", "", &schema_Binding, NULL },
                       "v1",
                       "bindings",
                       "Binding" },
    [KIND_CONFIG_MAP] = { { KIND_CONFIG_MAP, true, true, "", "v1", "ConfigMap", "ConfigMapList",
                            "configmaps", "configmap", "cm", "", &schema_ConfigMap,
                            &schema_ConfigMapList },
                          "v1",
                          "configmaps",
                          "ConfigMap" },
    [KIND_SECRET] = { { KIND_SECRET, true, true, "", "v1", "Secret", "SecretList", "secrets",
                        "secret", "", "", &schema_Secret, &schema_SecretList },
                      "v1",
                      "secrets",
                      "Secret" },
    [KIND_SERVICE_ACCOUNT] = { { KIND_SERVICE_ACCOUNT, true, true, "", "v1", "ServiceAccount",
                                 "ServiceAccountList", "serviceaccounts", "serviceaccount", "sa",
                                 "", &schema_ServiceAccount, &schema_ServiceAccountList },
                               "v1",
                               "serviceaccounts",
                               "ServiceAccount" },
    [KIND_SERVICE] = { { KIND_SERVICE, true, true, "", "v1", "Service", "ServiceList", "services",
                         "service", "svc", "all", &schema_Service, &schema_ServiceList },
                       "v1",
                       "services",
                       "Service" },
    [KIND_EVENT] = { { KIND_EVENT, true, true, "", "v1", "Event", "EventList", "events", "event",
                       "ev", "", &schema_Event, &schema_EventList },
                     "v1",
                     "events",
                     "Event" },
    [KIND_LEASE] = { { KIND_LEASE, true, true, "coordination.k8s.io", "v1", "Lease", "LeaseList",
                       "leases", "lease", "", "", &schema_Lease, &schema_LeaseList },
                     "coordination.k8s.io/v1",
                     "leases.coordination.k8s.io",
                     "Lease.coordination.k8s.io" },
    [KIND_DEPLOYMENT] = { { KIND_DEPLOYMENT, true, true, "apps", "v1", "Deployment",
                            "DeploymentList", "deployments", "deployment", "deploy", "all",
                            &schema_Deployment, &schema_DeploymentList },
                          "apps/v1",
                          "deployments.apps",
                          "Deployment.apps" },
    [KIND_REPLICA_SET] = { { KIND_REPLICA_SET, true, true, "apps", "v1", "ReplicaSet",
                             "ReplicaSetList", "replicasets", "replicaset", "rs", "all",
                             &schema_ReplicaSet, &schema_ReplicaSetList },
                           "apps/v1",
                           "replicasets.apps",
                           "ReplicaSet.apps" },
    [KIND_SCALE] = { { KIND_SCALE, true, false, "autoscaling", "v1", "Scale", "", "", "scale", "",
                       "", &schema_Scale, NULL },
                     "autoscaling/v1",
                     "",
                     "Scale.autoscaling" },
    [KIND_ENDPOINTS] = { { KIND_ENDPOINTS, true, true, "", "v1", "Endpoints", "EndpointsList",
                           "endpoints", "endpoints", "ep", "", &schema_Endpoints,
                           &schema_EndpointsList },
                         "v1",
                         "endpoints",
                         "Endpoints" },
    [KIND_LIMIT_RANGE] = { { KIND_LIMIT_RANGE, true, true, "", "v1", "LimitRange", "LimitRangeList",
                             "limitranges", "limitrange", "limits", "", &schema_LimitRange,
                             &schema_LimitRangeList },
                           "v1",
                           "limitranges",
                           "LimitRange" },
    [KIND_POD_TEMPLATE] = { { KIND_POD_TEMPLATE, true, true, "", "v1", "PodTemplate",
                              "PodTemplateList", "podtemplates", "podtemplate", "", "",
                              &schema_PodTemplate, &schema_PodTemplateList },
                            "v1",
                            "podtemplates",
                            "PodTemplate" },
    [KIND_REPLICATION_CONTROLLER] = { { KIND_REPLICATION_CONTROLLER, true, true, "", "v1",
                                        "ReplicationController", "ReplicationControllerList",
                                        "replicationcontrollers", "replicationcontroller", "rc",
                                        "all", &schema_ReplicationController,
                                        &schema_ReplicationControllerList },
                                      "v1",
                                      "replicationcontrollers",
                                      "ReplicationController" },
    [KIND_RESOURCE_QUOTA] = { { KIND_RESOURCE_QUOTA, true, true, "", "v1", "ResourceQuota",
                                "ResourceQuotaList", "resourcequotas", "resourcequota", "quota", "",
                                &schema_ResourceQuota, &schema_ResourceQuotaList },
                              "v1",
                              "resourcequotas",
                              "ResourceQuota" },
    [KIND_CONTROLLER_REVISION] = { { KIND_CONTROLLER_REVISION, true, true, "apps", "v1",
                                     "ControllerRevision", "ControllerRevisionList",
                                     "controllerrevisions", "controllerrevision", "", "",
                                     &schema_ControllerRevision, &schema_ControllerRevisionList },
                                   "apps/v1",
                                   "controllerrevisions.apps",
                                   "ControllerRevision.apps" },
    [KIND_ENDPOINT_SLICE] = { { KIND_ENDPOINT_SLICE, true, true, "discovery.k8s.io", "v1",
                                "EndpointSlice", "EndpointSliceList", "endpointslices",
                                "endpointslice", "", "", &schema_EndpointSlice,
                                &schema_EndpointSliceList },
                              "discovery.k8s.io/v1",
                              "endpointslices.discovery.k8s.io",
                              "EndpointSlice.discovery.k8s.io" },
    [KIND_TOKEN_REVIEW] = { { KIND_TOKEN_REVIEW, false, false, "authentication.k8s.io", "v1",
                              "TokenReview", "", "tokenreviews", "tokenreview", "", "",
                              &schema_TokenReview, NULL },
                            "authentication.k8s.io/v1",
                            "tokenreviews.authentication.k8s.io",
                            "TokenReview.authentication.k8s.io" },
    [KIND_SELF_SUBJECT_REVIEW] = { { KIND_SELF_SUBJECT_REVIEW, false, false,
                                     "authentication.k8s.io", "v1", "SelfSubjectReview", "",
                                     "selfsubjectreviews", "selfsubjectreview", "", "",
                                     &schema_SelfSubjectReview, NULL },
                                   "authentication.k8s.io/v1",
                                   "selfsubjectreviews.authentication.k8s.io",
                                   "SelfSubjectReview.authentication.k8s.io" },
    [KIND_LOCAL_SUBJECT_ACCESS_REVIEW] = { { KIND_LOCAL_SUBJECT_ACCESS_REVIEW, true, false,
                                             "authorization.k8s.io", "v1",
                                             "LocalSubjectAccessReview", "",
                                             "localsubjectaccessreviews",
                                             "localsubjectaccessreview", "", "",
                                             &schema_LocalSubjectAccessReview, NULL },
                                           "authorization.k8s.io/v1",
                                           "localsubjectaccessreviews.authorization.k8s.io",
                                           "LocalSubjectAccessReview.authorization.k8s.io" },
    [KIND_SELF_SUBJECT_ACCESS_REVIEW] = { { KIND_SELF_SUBJECT_ACCESS_REVIEW, false, false,
                                            "authorization.k8s.io", "v1", "SelfSubjectAccessReview",
                                            "", "selfsubjectaccessreviews",
                                            "selfsubjectaccessreview", "", "",
                                            &schema_SelfSubjectAccessReview, NULL },
                                          "authorization.k8s.io/v1",
                                          "selfsubjectaccessreviews.authorization.k8s.io",
                                          "SelfSubjectAccessReview.authorization.k8s.io" },
    [KIND_SELF_SUBJECT_RULES_REVIEW] = { { KIND_SELF_SUBJECT_RULES_REVIEW, false, false,
                                           "authorization.k8s.io", "v1", "SelfSubjectRulesReview",
                                           "", "selfsubjectrulesreviews", "selfsubjectrulesreview",
                                           "", "", &schema_SelfSubjectRulesReview, NULL },
                                         "authorization.k8s.io/v1",
                                         "selfsubjectrulesreviews.authorization.k8s.io",
                                         "SelfSubjectRulesReview.authorization.k8s.io" },
    [KIND_SUBJECT_ACCESS_REVIEW] = { { KIND_SUBJECT_ACCESS_REVIEW, false, false,
                                       "authorization.k8s.io", "v1", "SubjectAccessReview", "",
                                       "subjectaccessreviews", "subjectaccessreview", "", "",
                                       &schema_SubjectAccessReview, NULL },
                                     "authorization.k8s.io/v1",
                                     "subjectaccessreviews.authorization.k8s.io",
                                     "SubjectAccessReview.authorization.k8s.io" },
    [KIND_EVICTION] = { { KIND_EVICTION, true, false, "policy", "v1", "Eviction", "", "",
                          "eviction", "", "", &schema_Eviction, NULL },
                        "policy/v1",
                        "",
                        "Eviction.policy" },
    [KIND_EVENTS_EVENT] = { { KIND_EVENTS_EVENT, true, false, "events.k8s.io", "v1", "Event",
                              "EventList", "events", "event", "ev", "", &schema_EventsEvent,
                              &schema_EventsEventList },
                            "events.k8s.io/v1",
                            "events.events.k8s.io",
                            "Event.events.k8s.io" },
    [KIND_DISRUPTION_BUDGET] = { { KIND_DISRUPTION_BUDGET, true, true, "policy", "v1",
                                   "PodDisruptionBudget", "PodDisruptionBudgetList",
                                   "poddisruptionbudgets", "poddisruptionbudget", "pdb", "",
                                   &schema_PodDisruptionBudget, &schema_PodDisruptionBudgetList },
                                 "policy/v1",
                                 "poddisruptionbudgets.policy",
                                 "PodDisruptionBudget.policy" }
};

static const struct kind_row *row_of(enum kind kind)
{
    ASSERT(kind > KIND_NONE && kind < KIND_COUNT);
    return &kinds[kind];
}

const struct kind_info *kind_info(enum kind kind)
{
    return &row_of(kind)->info;
}

enum kind kind_store(enum kind kind)
{
    if (kind == KIND_EVENTS_EVENT)
        return KIND_EVENT;
    return row_of(kind)->info.stored ? kind : KIND_NONE;
}

const struct kind_info *kind_by_resource(struct str group, struct str version, struct str plural)
{
    if (plural.len == 0)
        return NULL;
    for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
        const struct kind_info *i = &kinds[k].info;
        if (str_eq_c(plural, i->plural) && str_eq_c(group, i->group) &&
            str_eq_c(version, i->version))
            return i;
    }
    return NULL;
}

const struct kind_info *kind_by_type(struct str api_version, struct str name)
{
    for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
        if (str_eq_c(name, kinds[k].info.name) && str_eq_c(api_version, kinds[k].api_version))
            return &kinds[k].info;
    }
    return NULL;
}

const char *kind_api_version(enum kind kind)
{
    return row_of(kind)->api_version;
}

const char *kind_resource_group(enum kind kind)
{
    return row_of(kind)->resource_group;
}

const char *kind_name_group(enum kind kind)
{
    return row_of(kind)->name_group;
}
