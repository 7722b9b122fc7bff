/* gantry cp: files and folders to and from containers, by a tar that runs there. */
#include "cli/cp.h"

#include <string.h>

#include "base/buf.h"
#include "cli/ask.h"
#include "cli/flags.h"
#include "cli/pods.h"
#include "cli/session.h"

struct cp_options {
    const char *container;
    bool no_preserve;
    int64_t retries;
};

static const struct flag cp_flags[] = {
    { .name = "container",
      .letter = 'c',
      .at = offsetof(struct cp_options, container),
      .help = "The container; else the pod's first." },
    { .name = "no-preserve",
      .type = FLAG_BOOL,
      .at = offsetof(struct cp_options, no_preserve),
      .help = "To a container: owners and permissions are the container's own." },
    { .name = "retries",
      .type = FLAG_INT,
      .at = offsetof(struct cp_options, retries),
      .value = "0",
      .help = "From a container: go on so many times where the connection broke off; negative: "
              "for ever. Needs sh and tail there." },
    { 0 }
};

/* ---- paths ---- */

struct str cp_clean(struct arena *a, struct str path)
{
    bool rooted = path.len > 0 && path.data[0] == '/';
    char *out = arena_alloc(a, path.len + 2);
    size_t len = 0;
    size_t kept = 0; /* what ".." cannot take away again */
    struct str part;
    while (str_split(&path, '/', &part)) {
        bool up = str_eq_c(part, "..");
        if (part.len == 0 || str_eq_c(part, ".") || (up && rooted && len == 0))
            continue;
        if (up && len > kept) {
            while (len > kept && out[--len] != '/')
                ;
            continue;
        }
        if (len > 0)
            out[len++] = '/';
        memcpy(out + len, part.data, part.len);
        len += part.len;
        kept = up ? len : kept;
    }
    struct str text = str_of(out, len);
    if (rooted)
        return str_printf(a, "/%.*s", STR_ARG(text));
    return len == 0 ? str_lit(".") : text;
}

static ptrdiff_t last_slash(struct str path)
{
    ptrdiff_t at = (ptrdiff_t)path.len - 1;
    while (at >= 0 && path.data[at] != '/')
        at--;
    return at;
}

struct str cp_base(struct str path)
{
    ptrdiff_t slash = last_slash(path);
    return path.len == 1 ? path : str_slice(path, (size_t)(slash + 1), path.len);
}

struct str cp_folder(struct str path)
{
    ptrdiff_t slash = last_slash(path);
    return slash < 0 ? str_lit(".") : slash == 0 ? str_lit("/") : str_slice(path, 0, (size_t)slash);
}

/* ---- the words ---- */

/* "[[NAMESPACE/]POD:]PATH" */
struct place {
    struct str ns;
    struct str pod; /* empty: the path is one of ours */
    struct str path;
};

static bool read_place(struct str word, struct place *out)
{
    ptrdiff_t colon = str_find_char(word, ':', 0);
    *out = (struct place){ .path = word };
    if (colon < 0)
        return true;
    struct str pod = str_slice(word, 0, (size_t)colon);
    ptrdiff_t slash = str_find_char(pod, '/', 0);
    out->path = str_slice(word, (size_t)colon + 1, word.len);
    out->ns = slash < 0 ? out->ns : str_slice(pod, 0, (size_t)slash);
    out->pod = str_slice(pod, (size_t)(slash + 1), pod.len);
    return colon > 0 && str_find_char(out->pod, '/', 0) < 0;
}

static int check_places(const struct place *from, const struct place *to)
{
    if (from->pod.len > 0 && to->pod.len > 0)
        return cli_error("one of src or dest must be a local file specification");
    if (from->path.len == 0 || to->path.len == 0)
        return cli_error("filepath can not be empty");
    if (from->pod.len == 0 && to->pod.len == 0)
        return cli_error("one of src or dest must be a remote file specification");
    return CLI_OK;
}

static int find_pod(struct cp *x, const struct place *p, const char *container)
{
    const struct session_flags o = { .container = container };
    struct cli *c = x->cli;
    struct pods pods;
    if (p->ns.len > 0)
        c->ns = p->ns;
    if (pods_of_word(c, str_dup(&c->arena, p->pod), PODS_FOR_EXEC, /* all */ false, &pods) !=
        CLI_OK)
        return CLI_FAILED;
    x->pod = pods.items[0];
    return session_container(c, &o, x->pod, "exec into", &x->container);
}

static int cp_act(struct cli *c, const void *options, const struct words *w)
{
    const struct cp_options *o = options;
    struct cp x = { .cli = c, .no_preserve = o->no_preserve, .retries = o->retries };
    struct place from;
    struct place to;
    if (w->count != 2)
        return cli_error("source and destination are required");
    if (!read_place(str_from(w->items[0]), &from) || !read_place(str_from(w->items[1]), &to))
        return cli_error("filespec must match the canonical format: [[namespace/]pod:]file/path");
    if (check_places(&from, &to) != CLI_OK)
        return CLI_FAILED;
    bool up = to.pod.len > 0;
    x.local = str_dup(&c->arena, up ? from.path : to.path);
    x.remote = str_dup(&c->arena, up ? to.path : from.path);
    if (up && !env_path_exists(c->env, x.local))
        return cli_error("%s doesn't exist in local filesystem", x.local);
    if (find_pod(&x, up ? &to : &from, o->container) != CLI_OK)
        return CLI_FAILED;
    return up ? cp_to_pod(&x) : cp_from_pod(&x);
}

const struct verb cp_verb = {
    .name = "cp",
    .summary = "copy files and folders to and from containers",
    .help = "cp FROM TO [flags]    (one of them [NAMESPACE/]POD:PATH)",
    .about = "Copies a file or a folder into a container, or out of one. The container needs tar.\n"
             "Into a folder that is there, a copy goes below it; a folder out of a container is "
             "merged with it.\nSymbolic links go into a container as they are, and are left out, "
             "with a warning, on the way back.\nNothing is written outside of the place that is "
             "named.",
    .examples = "  # A folder into a pod\n  gantry cp ./site web-1:/www\n\n"
                "  # A file into a container of your choice, in another namespace\n"
                "  gantry cp conf.ini team/web-1:/etc/conf.ini -c httpd\n\n"
                "  # A file, and a folder, out of a pod\n"
                "  gantry cp web-1:/var/log/access.log ./access.log\n"
                "  gantry cp web-1:/www ./site\n\n"
                "  # With links, modes and owners: tar itself\n"
                "  gantry exec web-1 -- tar cf - /www | tar xf -",
    .flags = cp_flags,
    .options_bytes = sizeof(struct cp_options),
    .completes = WORDS_PODS,
    .act = cp_act
};
