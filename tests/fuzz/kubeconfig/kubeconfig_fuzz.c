/* Any text as a kubeconfig: it is refused with a reason, or has all that a connection needs. The
 * context is the current one, all of its user's, or what the first line says. */
#include "api/client/kubeconfig.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void parse(struct env *env, struct str text, struct str context)
{
    struct arena a;
    struct kubeconfig k;
    struct err e = { 0 };
    arena_init(&a);
    if (kubeconfig_parse(env, &a, text, "/none", context, &k, &e) == 0) {
        ASSERT(k.server.len > 0);
        ASSERT((k.client_cert_pem.len == 0) == (k.client_key_pem.len == 0));
    } else {
        ASSERT(e.msg[0] != '\0');
    }
    arena_deinit(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    /* No file is in it: what a text names is looked for, and not found. */
    static struct env *env;
    struct str text = str_of(data, len);
    ptrdiff_t line = str_find_char(text, '\n', 0);
    if (env == NULL)
        env = env_sim_new(1);
    parse(env, text, str_of(NULL, 0));
    parse(env, text, str_lit("*"));
    if (line >= 0)
        parse(env, str_slice(text, (size_t)line + 1, text.len), str_slice(text, 0, (size_t)line));
    return 0;
}
