/*
 * The C strings of decoded objects: protobuf-c leaves an absent string NULL, and Kubernetes treats
 * absent and empty alike.
 */
#ifndef API_META_TEXT_H
#define API_META_TEXT_H

#include <stdbool.h>

const char *text_of(const char *s); /* "" for NULL; borrowed */
bool text_empty(const char *s);     /* NULL or "" */
bool text_eq(const char *a, const char *b);

#endif
