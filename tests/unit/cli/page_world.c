/* See the header. */
#include "tests/unit/cli/page_world.h"

#include "api/schema/json.h"
#include "tests/unit/unit.h"

static const struct objects_resource resource = {
    .group = STR("g"), .version = STR("v1"), .plural = STR("things"), .kind = STR("Thing")
};

static const char *finish(struct cli_world *w, struct page *p)
{
    page_flush(p);
    const char *text = str_dup(&w->cli.arena, buf_str(&p->done));
    buf_deinit(&p->text);
    buf_deinit(&p->done);
    return text;
}

static void start(struct cli_world *w, struct page *p, const char *tree)
{
    *p = (struct page){ .cli = &w->cli, .resource = &resource };
    buf_init(&p->text);
    buf_init(&p->done);
    assert_int_equal(json_parse(&w->cli.arena, str_from(tree), &p->object, NULL), 0);
}

const char *page_of(struct cli_world *w, describer d, const char *object, const char *answer)
{
    struct page p;
    start(w, &p, object);
    cli_world_reset(w);
    w->answers[0].status = 200;
    w->answers[0].body = answer != NULL ? answer : "{\"items\":[]}";
    w->asks = 0;
    d(&p);
    return finish(w, &p);
}

const char *page_part(struct cli_world *w, void (*part)(struct page *p, const struct json *tree),
                      const char *tree)
{
    struct page p;
    start(w, &p, tree);
    part(&p, p.object);
    return finish(w, &p);
}
