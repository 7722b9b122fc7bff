/* Owner references that are said twice: upstream keeps one and tells the client. */
#ifndef CONTROLPLANE_APISERVER_OWNERS_H
#define CONTROLPLANE_APISERVER_OWNERS_H

struct ObjectMeta;
struct request;

/* Of references that are the same in all fields the first stays; a warning names the others' uids.
 * Between what makes the object and its validation. */
void owners_dedup(struct request *r, struct ObjectMeta *meta);

#endif
