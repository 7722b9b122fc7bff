/*
 * Private to the API server: links in a page that passes through a proxy, led through it too.
 *
 * A page comes in pieces of any size and leaves as they come, but for a start tag, which is held
 * until it is whole: the attributes that are URLs in HTML are rewritten in it by proxy_rewrite_url,
 * everything else stays as it was, byte for byte. What stands in comments, scripts and styles is no
 * tag. Memory: one tag of at most PROXY_HTML_TAG_BYTES_MAX; a longer one passes unchanged.
 */
#ifndef CONTROLPLANE_APISERVER_PROXY_HTML_H
#define CONTROLPLANE_APISERVER_PROXY_HTML_H

#include <stdbool.h>

#include "base/buf.h"
#include "controlplane/apiserver/proxy_headers.h"

#define PROXY_HTML_TAG_BYTES_MAX (16u << 10)

enum proxy_html_state {
    PROXY_HTML_TEXT,
    PROXY_HTML_OPEN,    /* behind "<" */
    PROXY_HTML_DECLARE, /* behind "<!" */
    PROXY_HTML_COMMENT,
    PROXY_HTML_TAG,
    PROXY_HTML_PASS, /* a tag too long to hold */
    PROXY_HTML_RAW   /* a script and the like, until its end tag */
};

struct proxy_html {
    const struct proxy_path *path;
    struct str host; /* of the server */
    struct str authority;

    /* Its own. */
    enum proxy_html_state state;
    struct buf held;
    char quote;           /* inside a value with this quote */
    bool after_equals;    /* a quote here begins a value */
    unsigned dashes;      /* before this place in a comment */
    const char *raw_end;  /* "</script" */
    unsigned raw_matched; /* of it */
};

/* The strings are borrowed until deinit. */
void proxy_html_init(struct proxy_html *h, const struct proxy_path *path, struct str host,
                     struct str authority);
void proxy_html_deinit(struct proxy_html *h);
/* Appends to out what can leave. */
void proxy_html_feed(struct proxy_html *h, struct str bytes, struct buf *out);
/* The page is at its end: what was held leaves too. */
void proxy_html_end(struct proxy_html *h, struct buf *out);

#endif
