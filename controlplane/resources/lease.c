/* Leases: a duration is positive. Coordinated leader election is off, as by default upstream: what
 * is for it is not taken. */
#include "api/proto/coordination.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/strategies.h"

static void defaults(struct arena *a, void *object)
{
    (void)message_ensure(a, &((Lease *)object)->spec, &lease_spec__descriptor);
}

static void clear(LeaseSpec *spec, bool strategy, bool holder)
{
    if (strategy)
        spec->strategy = NULL;
    if (holder)
        spec->preferred_holder = NULL;
}

static void prepare_create(const struct resource_context *c, void *object)
{
    (void)c;
    clear(((Lease *)object)->spec, true, true);
}

/* What is stored of it may stay. */
static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    const LeaseSpec *was = ((const Lease *)old)->spec;
    (void)c;
    clear(((Lease *)object)->spec, was == NULL || text_empty(was->strategy),
          was == NULL || text_empty(was->preferred_holder));
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const LeaseSpec *spec = ((const Lease *)object)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path duration = path_field(&path, "leaseDurationSeconds");
    struct field_path transitions = path_field(&path, "leaseTransitions");
    (void)c;
    if (spec->has_lease_duration_seconds && spec->lease_duration_seconds <= 0)
        rule_invalid_number(out, &duration, spec->lease_duration_seconds, "must be greater than 0");
    if (spec->has_lease_transitions && spec->lease_transitions < 0)
        rule_invalid_number(out, &transitions, spec->lease_transitions,
                            "must be greater than or equal to 0");
    if (!text_empty(spec->preferred_holder) && text_empty(spec->strategy)) {
        struct field_path holder = path_field(&path, "preferredHolder");
        rule_forbidden(out, &holder, "may only be specified if `strategy` is defined");
    }
}

const struct resource_strategy lease_strategy = { .defaults = defaults,
                                                  .prepare_create = prepare_create,
                                                  .prepare_update = prepare_update,
                                                  .validate = validate };
